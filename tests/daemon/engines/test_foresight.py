"""Readings close in on a cut-off however steeply the voltage turns up."""

import math
import random
from collections.abc import Callable

import pytest

from daemon.engines.foresight import SHORTEST, Foresight
from daemon.engines.progress import Tally
from protocols.conditions import Quantity
from protocols.limits import Limits
from protocols.reading import Reading
from protocols.recording import Recording
from protocols.techniques import ConstantCurrent
from tests.daemon.plans import end, step


def overshoot(
    voltage_at: Callable[[float], float], cutoff: float, duration: float, noise: float, seed: int
) -> tuple[float, int]:
    """Run readings up to `cutoff` as the engine would; return true overshoot and number of readings."""
    draw = random.Random(seed).gauss
    until = end(Quantity.VOLTAGE, ">=", cutoff)
    planned = step("strip", ConstantCurrent(1e-3), until, record=Recording(voltage_step=0.002))
    foresight, tally = Foresight(planned, Limits(), sample=1.0), Tally(until)
    time, count = 0.002, 0
    while time < duration:
        count += 1
        progress = tally.take(time, Reading(time, voltage_at(time) + draw(0.0, noise), 1e-3))
        if until.met(progress):
            return voltage_at(time) - cutoff, count
        time += foresight.interval(progress)
    raise AssertionError("never got there")


@pytest.mark.parametrize("seed", range(20))
def test_stripping_an_electrode_empty(seed: int) -> None:
    # 51.4 mV × asinh(j / (2 j0 theta²)) with theta = m / (m + 20 µAh/cm²): at 1 mA/cm² the last
    # 0.7 s carry the voltage from 0.5 V upwards at 0.15 V/s and more
    def voltage_at(time: float) -> float:
        left = max(3600.0 - time, 1e-6) / 3600.0
        theta = left / (left + 0.02)
        return 0.0514 * math.asinh(1.0 / (3.0 * theta**2))

    over, count = overshoot(voltage_at, 0.5, 3600.0, noise=30e-6, seed=seed)
    assert over <= 30e-6 * 3 + 1e-3
    assert count < 3600 + 200


def test_a_straight_line_is_met_within_the_shortest_interval() -> None:
    over, _ = overshoot(lambda time: 3.0 + 1e-3 * time, 4.2, 2000.0, noise=0.0, seed=0)
    assert over <= 1e-3 * SHORTEST + 1e-9


def test_a_plateau_is_read_at_the_wished_interval() -> None:
    planned = step("charge", ConstantCurrent(1e-3), end(Quantity.VOLTAGE, ">=", 2.8), Recording(every=60.0))
    foresight, tally = Foresight(planned, Limits(), sample=1.0), Tally(None)
    intervals = [foresight.interval(tally.take(float(n), Reading(float(n), 2.1, 1e-3))) for n in range(1, 12)]
    assert intervals[:4] == pytest.approx([0.1, 0.2, 0.4, 0.8])  # a new step is looked at closely
    assert intervals[4:] == [1.0] * 7


def test_time_and_capacity_ends_are_awaited_to_the_moment() -> None:
    planned = step("plate", ConstantCurrent(-1e-3), end(Quantity.CAPACITY, ">=", 0.0105))
    foresight, tally = Foresight(planned, Limits(), sample=10.0), Tally(None)
    for time in (4.0, 7.0, 10.0):
        interval = foresight.interval(tally.take(time, Reading(time, 0.0, -1e-3)))
    assert interval == pytest.approx(0.4)  # doubled twice from 0.1 s
    assert foresight.interval(tally.take(10.4, Reading(10.4, 0.0, -1e-3))) == pytest.approx(0.1)


def test_logarithmic_recording_sets_the_pace() -> None:
    planned = step(
        "polarise",
        ConstantCurrent(1e-3),
        end(Quantity.TIME, ">=", 3600.0),
        record=Recording(per_decade=10, from_time=0.01),
    )
    foresight, tally = Foresight(planned, Limits(), sample=1.0), Tally(None)
    assert foresight.interval(tally.take(0.05, Reading(0.05, 0.0, 1e-3))) == pytest.approx(
        0.05 * (10**0.1 - 1)
    )
