"""Records of a Neware told as steps: what its counters say, with the signs they lack."""

import pytest

from drivers.neware_session import Row
from drivers.neware_trace import Trace


def row(number: int, seconds: float, volts: float, ampere_hours: float, watt_hours: float) -> Row:
    return Row(
        seqid=number,
        stepid=1,
        cycleid=1,
        steptype="dc",
        seconds=seconds,
        volts=volts,
        amperes=-0.001,
        ampere_hours=ampere_hours,
        watt_hours=watt_hours,
    )


def test_plating_against_a_negative_voltage_takes_no_energy_from_the_cell() -> None:
    """1 mA at -50 mV for an hour: -3.6 C and 0.18 J into the cell; before that 36 s at 1 V, -0.036 J."""
    rows = [row(1, 0.0, 1.0, 0.0, 0.0), row(2, 36.0, 1.0, 1e-5, 1e-5), row(3, 3636.0, -0.05, 1.01e-3, 6e-5)]
    [stretch] = Trace({1: "1"}).take(rows, complete=False)
    assert [record.coulombs for record in stretch.records] == pytest.approx([0.0, -0.036, -3.636])
    assert [record.joules for record in stretch.records] == pytest.approx([0.0, -0.036, -0.036 + 0.18])


def test_taken_up_in_the_middle_of_a_step_the_counter_goes_on() -> None:
    rows = [
        row(1, 0.0, -0.05, 0.0, 0.0),
        row(2, 1800.0, -0.05, 5e-4, 2.5e-5),
        row(3, 3600.0, -0.05, 1e-3, 5e-5),
    ]
    first = Trace({1: "1"})
    first.take(rows[:2], complete=False)
    again = Trace({1: "1"}, last=rows[1])
    again.number = 2
    [stretch] = again.take(rows[2:], complete=False)
    assert stretch.records[0].joules == pytest.approx(0.18)
