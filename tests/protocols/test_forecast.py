"""What a plan will take, worked out by hand."""

import time

import pytest

from protocols.cell import Cell
from protocols.forecast import Forecast, forecast
from tests.protocols.plans import CELL, plan_of


def of(steps: str, cell: Cell = CELL, top: str = "") -> Forecast:
    return forecast(plan_of(steps, cell=cell, top=top), cell)


# The test cell holds 3 mAh in a window of 1 to 5 V.
SPANS = [
    ("[{rest: 2 h}]", 7200.0, "exact"),
    ("[{rest: 2 h, until: voltage_slope <= 1 mV/h}]", 7200.0, "at most"),
    ("[{charge: 1 mA, until: capacity >= 2 mAh}]", 7200.0, "exact"),
    ("[{charge: 1 mA, until: voltage >= 4 V}]", 10800.0, "estimated"),
    ("[{charge: 1 mA, until: voltage >= 4 V or time >= 1 h}]", 3600.0, "at most"),
    ("[{charge: 1 mA, until: capacity >= 1 mAh and time >= 2 h}]", 7200.0, "at most"),
    ("[{hold: 4 V, until: current <= 0.05 C or time >= 4 h}]", 14400.0, "at most"),
    ("[{hold: 4 V, until: current <= 0.05 C}]", 3600.0, "assumed"),
    ("[{sweep: [2 V, 3 V, 2 V], rate: 1 mV/s, cycles: 2}]", 4000.0, "exact"),
    ("[{sweep: [open circuit, 1.7 V, 2.8 V], rate: 0.1 mV/s, cycles: 3}]", 55000.0, "exact"),  # 5 × 1.1 V
    ("[{chamber: 25 degC}]", 1800.0, "assumed"),
]


@pytest.mark.parametrize(("steps", "seconds", "basis"), SPANS)
def test_a_step_takes_as_long_as_its_ends_say(steps: str, seconds: float, basis: str) -> None:
    (step,) = of(steps).steps
    assert step.seconds == pytest.approx(seconds, rel=1e-9)
    assert step.basis == basis


def test_a_spectrum_takes_three_periods_or_a_tenth_of_a_second_a_point() -> None:
    """1 kHz, 100 Hz, 10 Hz, 1 Hz and 0.1 Hz take 0.1, 0.1, 0.3, 3 and 30 s."""
    (step,) = of("[{impedance: 5 mV, from: 1 kHz, to: 0.1 Hz, points_per_decade: 1}]").steps
    assert step.seconds == pytest.approx(33.5, rel=1e-9)
    assert step.rows == 5


def test_a_share_of_the_discharge_is_foreseen_from_it() -> None:
    steps = of(
        "[{discharge: 2 mA, until: time >= 1 h}, {charge: 1 mA, until: capacity >= 50 % of discharge}]"
    ).steps
    assert [step.seconds for step in steps] == [3600.0, 3600.0]  # half of 2 mAh at 1 mA


SULFUR = (
    "cell: Li-S, PP\nactive_mass: 2 mg\ntheoretical_capacity: 1675 mAh/g\nwindow: {voltage: 1 V .. 3 V}\n"
)
TO_THE_END = "[{discharge: 0.2 C, until: voltage <= 1.7 V}]"


def test_a_sulfur_cell_is_not_expected_to_deliver_its_theoretical_capacity() -> None:
    """0.2 C empties it in 5 h if all came out; 45 to 60 % of that is 2.25 to 3 h."""
    (step,) = of(TO_THE_END, Cell.parse(SULFUR)).steps
    assert (step.low, step.seconds, step.high) == pytest.approx((8100.0, 9450.0, 10800.0))


def test_what_the_cell_file_expects_counts_before_anything_else() -> None:
    """900 mAh/g of 2 mg at 0.2 C of 3.35 mAh are 1.8 mAh / 0.67 mA; two deviations are 45 mAh/g."""
    result = of(TO_THE_END, Cell.parse(f"{SULFUR}expected_capacity: 900 mAh/g +- 22.5 mAh/g\n"))
    (step,) = result.steps
    seconds = 1.8 / 0.67 * 3600.0
    assert (step.low, step.seconds, step.high) == pytest.approx((0.95 * seconds, seconds, 1.05 * seconds))
    assert "expected capacity" in result.because


def test_an_end_that_cannot_be_foreseen_may_come_at_once() -> None:
    (step,) = of("[{hold: 4 V, until: current <= 0.05 C or time >= 4 h}]").steps
    assert (step.low, step.high) == (0.0, 14400.0)


BARE = Cell.parse("cell: c\nwindow: {voltage: -1 V .. 2 V, current: 6 mA}\n")


def test_without_a_capacity_a_strip_takes_what_was_plated_and_not_yet_stripped() -> None:
    """5 mAh plated, ten cycles of 1 mAh that take nothing away, then all 5 mAh stripped."""
    result = of(
        """[{plate: 1 mA, until: capacity >= 5 mAh},
        {repeat: 10, steps: [
          {strip: 1 mA, until: capacity >= 1 mAh}, {plate: 1 mA, until: capacity >= 1 mAh}]},
        {strip: 1 mA, until: voltage >= 1 V or time >= 12 h}]""",
        BARE,
    )
    assert result.steps[-1].seconds == pytest.approx(5 * 3600.0)
    assert result.seconds == pytest.approx((5 + 20 + 5) * 3600.0)


def test_loops_are_multiplied() -> None:
    result = of(
        "[{repeat: 10, steps: [rest: 1 h, {repeat: 3, steps: [rest: 1 min]}]}]", top="record: every 1 min\n"
    )
    assert [(step.times, step.seconds, step.rows) for step in result.steps] == [
        (10, 3600.0, 62),
        (30, 60.0, 3),
    ]
    assert result.seconds == 10 * 3600.0 + 30 * 60.0
    assert result.rows == 10 * 62 + 30 * 3
    assert result.visits == 40


ROWS = [
    ("{rest: 1 h, record: every 10 s}", 362),  # 360, first and last
    ("{charge: 3 mA, until: time >= 1 h, record: every 10 s or 5 mV}", 1162),  # and 4 V in steps of 5 mV
    ("{hold: 2 V, until: time >= 1000 s, record: log 10 per decade from 1 ms}", 62),  # six decades of ten
    ("{sweep: [2 V, 3 V, 2 V], rate: 1 mV/s, record: 1 mV}", 2002),
]


@pytest.mark.parametrize(("step", "rows"), ROWS)
def test_rows_follow_the_record_rule(step: str, rows: int) -> None:
    assert of(f"[{step}]").rows == rows


def test_ten_million_steps_cost_nothing() -> None:
    steps = "[{repeat: 5000000, steps: [{strip: 1 C, until: time >= 1 h}, {plate: 1 C, until: time >= 1 h}]}]"
    begin = time.process_time()
    assert of(steps).visits == 10_000_000
    assert time.process_time() - begin < 1.0  # 1 ms; going through them would take many seconds
