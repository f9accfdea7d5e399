"""Counting side by side comes to the same as counting one by one."""

import math
from random import Random

import numpy as np
import pytest

from daemon.engines.counts import Count
from daemon.engines.progress import Tally
from daemon.engines.quiet import Quiet
from daemon.engines.scan_positions import brought_forward
from daemon.engines.seats import Seats, Sitter
from daemon.running.position import Position, StepPosition, decoded
from drivers.scan import Scan
from protocols.reading import Reading
from protocols.recording import Recording

ANYTHING = Quiet(
    sample=0.1,
    low_voltage=-9.0,
    high_voltage=9.0,
    near_low_voltage=-math.inf,
    near_high_voltage=math.inf,
    low_current=-9.0,
    high_current=9.0,
    near_low_magnitude=-math.inf,
    near_high_magnitude=math.inf,
    seconds=1e6,
    coulombs=1e6,
    joules=1e6,
    jump=9.0,
    lead_current=-1.0,
    collapse=math.inf,
    late=5.0,
    settle=0.0,
    every=math.inf,
    voltage_step=math.inf,
    current_step=math.nan,
)
RULES = {
    "1": Recording(every=0.35),
    "2": Recording(voltage_step=0.02),
    "3": Recording(current_step=0.03),
    "4": Recording(every=0.55, current_step=0.05),
}


def bounds(rule: Recording) -> Quiet:
    return ANYTHING._replace(
        every=rule.every or math.inf,
        voltage_step=rule.voltage_step or math.inf,
        current_step=rule.current_step or math.nan,
    )


def sitter(place: str, tally: Tally, quiet: Quiet, run_zero: float = 40.0) -> Sitter:
    last = tally.last
    assert last is not None
    volt_seconds, counted = tally.volt_seconds
    count = Count(
        *(last.time, last.voltage, last.current, 100.0, run_zero),
        *(tally.coulombs, tally.joules, volt_seconds, counted),
        *(tally.seconds, last.voltage, last.current, 7.0, 0.0),
    )
    return Sitter(place, f"run-{place}", 1, 1, quiet, count)


def started(voltage: float, current: float) -> Tally:
    """A step that began at 100 s of the instrument's time, with one reading at 100.1 s."""
    tally = Tally(None)
    tally.take(0.1, Reading(100.1, voltage, current))
    return tally


def test_charge_energy_and_what_is_kept_are_those_of_a_channel_alone() -> None:
    random = Random(5)
    seats = Seats(list(RULES))
    tallies = {place: started(3.0, 0.5) for place in RULES}
    kept = {place: (0.1, Reading(100.1, 3.0, 0.5)) for place in RULES}
    numbers = dict.fromkeys(RULES, 7)
    for place, rule in RULES.items():
        seats.sit(sitter(place, tallies[place], bounds(rule)))
    for scan in range(1, 200):
        time = 100.1 + 0.1 * scan
        voltage = np.array([random.gauss(3.0, 0.02) for _ in RULES])
        current = np.array([random.gauss(0.5, 0.02) for _ in RULES])
        seen = seats.seen(Scan(time, voltage, current, np.full(4, True)), seats.places)
        seats.accept(seen)
        told = set() if seen.kept is None else set(seen.kept.runs)
        for index, (place, rule) in enumerate(RULES.items()):
            reading = Reading(time, float(voltage[index]), float(current[index]))
            tallies[place].take(time - 100.0, reading)
            keeps = rule.keeps(*kept[place], time - 100.0, reading)
            assert (f"run-{place}" in told) == keeps
            if keeps:
                kept[place], numbers[place] = (time - 100.0, reading), numbers[place] + 1
    for place, tally in tallies.items():
        count = seats.count(place)
        assert count.capacity == pytest.approx(tally.coulombs, rel=1e-12)
        assert count.energy == pytest.approx(tally.joules, rel=1e-12)
        assert count.volt_seconds == pytest.approx(tally.volt_seconds[0], rel=1e-12)
        assert (count.readings, count.number) == (199, numbers[place])


@pytest.mark.parametrize(
    ("bound", "loud"),
    [
        ({}, False),
        ({"high_voltage": 3.0005}, True),
        ({"low_current": 0.51}, True),
        ({"near_high_voltage": 3.015}, True),  # 1 mV a scan; 14 mV left are less than twenty times that
        ({"near_high_voltage": 3.025}, False),
        ({"seconds": 0.25}, True),  # at 0.2 s of the step the next scan would come too late
        ({"seconds": 0.35}, False),
        ({"coulombs": 0.14}, True),  # 0.10 C by now, 0.05 C until the next
        ({"coulombs": 0.16}, False),
        ({"jump": 0.0005}, True),
        ({"late": 0.05}, True),
    ],
)
def test_a_reading_near_any_bound_is_left_to_its_engine(bound: dict[str, float], loud: bool) -> None:
    seats = Seats(["1"])
    seats.sit(sitter("1", started(3.0, 0.5), ANYTHING._replace(**bound)))
    scan = Scan(100.2, np.array([3.001]), np.array([0.5]), np.array([True]))
    assert seats.seen(scan, ("1",)).loud == ([0] if loud else [])


@pytest.mark.parametrize(("voltage", "current"), [(math.nan, 0.5), (3.001, math.nan), (3.0, 0.5)])
def test_no_number_and_no_change_are_left_to_the_engine(voltage: float, current: float) -> None:
    seats = Seats(["1"])
    seats.sit(sitter("1", started(3.0, 0.5), ANYTHING))
    scan = Scan(100.2, np.array([voltage]), np.array([current]), np.array([True]))
    assert seats.seen(scan, ("1",)).loud == [0]


def test_what_was_not_accepted_was_not_counted() -> None:
    seats = Seats(["1"])
    seats.sit(sitter("1", started(3.0, 0.5), ANYTHING))
    before = seats.count("1")
    seats.seen(Scan(100.2, np.array([3.001]), np.array([0.5]), np.array([True])), ("1",))
    assert seats.count("1") == before


def position(time: float, step: int) -> bytes:
    first = Reading(100.1, 3.0, 0.5)
    behind = StepPosition(0.1, 0.05, 0.15, 7, 2.9, first, first)
    return Position("rack-1", time, 1e9, 7, 0, step, 0, b"", behind).encoded()


def test_a_position_is_brought_forward_to_the_last_scan_unless_the_channel_went_on_alone() -> None:
    seats = Seats(["1", "2", "3"])
    for place in ("1", "2", "3"):
        seats.sit(sitter(place, started(3.0, 0.5), ANYTHING._replace(every=0.05)))
    scan = Scan(100.2, np.array([3.001] * 3), np.array([0.5] * 3), np.full(3, True))
    seats.accept(seats.seen(scan, seats.places))
    known = {"run-1": position(60.1, 1), "run-2": position(60.3, 1), "run-3": position(60.1, 2)}
    found = brought_forward(known, [seats.positions().encoded()])
    forward = decoded(found["run-1"])
    assert forward.time == pytest.approx(60.2)
    assert forward.readings == 8
    assert forward.step is not None
    assert forward.step.seconds == pytest.approx(0.2)
    assert forward.step.coulombs == pytest.approx(0.1)
    assert forward.step.last == Reading(100.2, 3.001, 0.5)
    assert (forward.step.first_reading, forward.step.open_circuit) == (7, 2.9)
    assert found["run-2"] == known["run-2"]  # later than the scan
    assert found["run-3"] == known["run-3"]  # in another step by now
