"""Outputs that do not obey and converters that lie, on both instruments: 3.7 V behind 2 ohm and 1000 F."""

import math

import pytest

from simulators.emstat4 import EmStat4
from simulators.faults import Faults
from simulators.faults.cell import FaultyCell
from simulators.keithley2450 import Keithley2450
from simulators.methodscript.potentiostat import GALVANOSTAT_MODE, Potentiostat
from tests.simulators.jump_clock import JumpClock
from tests.simulators.linear_cell import LinearCell


class Meter:
    """A 2450 as a current source in four wires, its clock at hand."""

    def __init__(self, *faults: str) -> None:
        self.cell = LinearCell()
        self.clock = JumpClock()
        self.smu = Keithley2450(FaultyCell(self.cell, Faults(faults)), self.clock, seed=1)

    async def started(self) -> "Meter":
        await self.smu.answer(":OUTP:CURR:SMOD HIMP;:OUTP:VOLT:SMOD HIMP;:SENS:COUN 1")
        await self.smu.answer(":SOUR:FUNC CURR;:SOUR:CURR:VLIM 5;:SENS:FUNC 'VOLT';:SENS:VOLT:RSEN ON")
        await self.smu.answer(":SENS:VOLT:RANG 20;:SOUR:CURR:RANG 1;:SOUR:CURR 0.1;:OUTP ON")
        return self

    async def at(self, moment: float, line: str = "*OPC?") -> str:
        self.clock.moment = max(self.clock.moment, moment)
        return await self.smu.answer(line) or ""

    async def read(self, moment: float) -> tuple[float, float]:
        """Return volts and amperes."""
        amperes, volts = (await self.at(moment, 'READ? "defbuffer1", SOUR, READ')).split(",")
        return float(volts), float(amperes)


async def test_a_source_meter_ignores_a_set_point_but_opens() -> None:
    # 0.1 A goes on whatever is set from 10 s to 60 s: 5 C by 50 s; then open.
    one = await Meter("ignored at 10 s for 50 s").started()
    assert await one.at(20.0, ":SOUR:CURR -0.5;:SOUR:CURR?") == "-5.000000E-01"  # it says it did
    volts, amperes = await one.read(30.0)
    assert amperes == pytest.approx(0.1, rel=1e-3)
    assert volts == pytest.approx(3.7 + 0.003 + 0.2, abs=2e-3)
    await one.at(50.0, ":OUTP OFF")
    await one.at(100.0)
    assert one.cell.charge == pytest.approx(5.0, abs=0.02)


async def test_a_stuck_output_does_not_even_open() -> None:
    one = await Meter("stuck at 10 s").started()
    assert await one.at(20.0, ":OUTP OFF;:OUTP?") == "0"  # it says it is
    await one.at(50.0)
    assert one.cell.charge == pytest.approx(5.0, abs=0.02)


async def test_a_frozen_source_meter_reads_the_same_for_ever() -> None:
    one = await Meter("frozen at 100 s for 500 s").started()
    first = await one.read(100.0)
    assert first == await one.read(400.0)
    assert one.cell.charge == pytest.approx(40.0, abs=0.02)
    volts, _ = await one.read(700.0)
    assert volts == pytest.approx(3.7 + 0.07 + 0.2, abs=2e-3)


async def test_a_source_meter_reads_too_much_too_far_and_the_other_way() -> None:
    one = await Meter(
        "offset by 100 mV at 10 s for 10 s", "overload at 30 s for 10 s", "inverted at 50 s"
    ).started()
    assert (await one.read(5.0))[0] == pytest.approx(3.9005, abs=2e-3)
    assert (await one.read(15.0))[0] == pytest.approx(4.0015, abs=2e-3)
    assert (await one.read(35.0))[0] == 9.9e37
    volts, amperes = await one.read(55.0)
    assert volts == pytest.approx(3.9055, abs=2e-3)
    assert amperes == pytest.approx(-0.1, rel=1e-3)


def galvanostat(*faults: str) -> tuple[Potentiostat, LinearCell]:
    cell = LinearCell()
    instrument = EmStat4(FaultyCell(cell, Faults(faults)), JumpClock(), seed=1)
    one = instrument._potentiostat
    one.set_mode(GALVANOSTAT_MODE)
    one.drive(0.01)
    one.connect()
    return one, cell


def test_a_galvanostat_ignores_a_set_point_but_opens() -> None:
    one, cell = galvanostat("ignored at 10 s")
    one.live_until(20.0)
    one.drive(-0.02)
    one.live_until(50.0)
    assert one.read_current()[0] == pytest.approx(0.01, rel=1e-3)
    one.disconnect()
    one.live_until(100.0)
    assert cell.charge == pytest.approx(0.5)


def test_a_stuck_galvanostat_does_not_even_open() -> None:
    one, cell = galvanostat("stuck at 10 s")
    one.live_until(20.0)
    one.disconnect()
    one.live_until(50.0)
    assert cell.charge == pytest.approx(0.5)


def test_a_frozen_galvanostat_reads_the_same_for_ever() -> None:
    one, _ = galvanostat("frozen at 100 s for 900 s")
    one.live_until(100.0)
    seen = one.read_voltage()[0], one.read_current()[0]
    one.live_until(900.0)
    assert (one.read_voltage()[0], one.read_current()[0]) == seen
    one.live_until(5000.0)
    assert one.read_voltage()[0] == pytest.approx(3.7 + 0.05 + 0.02, abs=1e-3)


def test_a_galvanostat_with_a_lead_off_goes_to_its_end_and_passes_nothing() -> None:
    one, cell = galvanostat("open at 10 s for 40 s")
    one.live_until(40.0)
    volts, status = one.read_voltage()
    assert volts == pytest.approx(6.0, abs=1e-3)
    assert status.startswith(",1")
    assert int(status[2], 16) & 2  # overload
    assert one.read_current()[0] == pytest.approx(0.0, abs=2e-5)  # the offset of the 100 mA range
    assert cell.charge == pytest.approx(0.1)


def test_a_galvanostat_reads_too_much_too_far_and_the_other_way() -> None:
    one, _ = galvanostat("offset by 100 mV at 10 s for 10 s", "overload at 30 s for 10 s", "inverted at 50 s")
    one.live_until(15.0)
    assert one.read_voltage()[0] == pytest.approx(3.82, abs=1e-3)
    one.live_until(35.0)
    volts, status = one.read_voltage()
    assert volts == pytest.approx(6.0, abs=0.2)
    assert int(status[2], 16) & 2
    one.live_until(55.0)
    assert one.read_current()[0] == pytest.approx(-0.01, rel=1e-3)


def test_what_is_sound_is_left_alone() -> None:
    assert math.isclose(galvanostat()[0].read_voltage()[0], 3.72, abs_tol=1e-3)
