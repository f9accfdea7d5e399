"""What a channel does among others of its rack, it does as if it stood alone."""

import asyncio
from itertools import pairwise

import pytest

from daemon.running.position import decoded
from daemon.running.run import RunState
from drivers.errors import LinkError
from protocols.conditions import Quantity
from protocols.recording import Recording
from protocols.techniques import ConstantCurrent, ConstantVoltage, Level, Rest
from tests.daemon.plans import end, step
from tests.daemon.rack_bench import RackRig
from tests.daemon.stepped_bench import window

WINDOW = window((2.5, 4.3), 2.0)
EVERY_SECOND = Recording(every=1.0)

# 3.6 V at the start and 1 A: 0.05 V at once, then 1.2 V per 3600 s. 3.7 V is reached after
# (3.7 - 0.05 - 3.6) / 1.2 × 3600 = 150 s and 150 C.
CHARGE = step("charge", ConstantCurrent(1.0), end(Quantity.VOLTAGE, ">=", 3.7), EVERY_SECOND)
REST = step("rest", Rest(), end(Quantity.TIME, ">=", 60.0), EVERY_SECOND)


async def test_most_readings_come_from_scans_and_the_end_is_met_as_ever() -> None:
    rig = await RackRig(WINDOW, REST, CHARGE).conduct()
    rest, charge = rig.ended
    assert rig.over.state == RunState.FINISHED
    assert rig.rack.scans > 150
    assert rest.duration == pytest.approx(60.0, abs=0.01)
    assert charge.reason == "voltage >= 3.7"
    assert charge.duration == pytest.approx(150.0, abs=0.1)
    assert charge.capacity == pytest.approx(150.0, abs=0.1)
    assert charge.mean_voltage == pytest.approx(3.65 + 0.025, abs=1e-3)


async def test_numbers_have_no_gap_and_every_second_is_kept() -> None:
    rig = await RackRig(WINDOW, REST, CHARGE).conduct()
    rows = rig.rows
    assert [number for number, *_ in rows] == list(range(1, rig.over.readings + 1))
    times = [time for _, time, *_ in rows]
    assert times == sorted(times)
    assert 205 <= len(times) <= 235  # 210 s, and closer looks at the beginning and before each end
    voltages = {round(time): voltage for _, time, voltage, _ in rows if time > 60.5}
    assert voltages[130] == pytest.approx(3.65 + 70 * 1.2 / 3600, abs=1e-3)


async def test_a_held_voltage_is_watched_until_its_current_is_small() -> None:
    # 3.62 V over 3.6 V behind 0.05 ohm: 0.4 A, falling with 0.05 × 3600 / 1.2 = 150 s to 0.1 A
    hold = step("hold", ConstantVoltage(Level(3.62)), end(Quantity.CURRENT, "<=", 0.1), EVERY_SECOND)
    rig = await RackRig(WINDOW, hold).conduct()
    [held] = rig.ended
    assert rig.rack.scans > 100
    assert held.reason == "current <= 0.1"
    assert held.duration == pytest.approx(150.0 * 1.3863, rel=0.01)


async def test_a_reading_outside_the_window_is_on_record_and_opens_the_circuit_at_once() -> None:
    rig = RackRig(WINDOW, CHARGE)

    def distort(number: int) -> None:
        rig.rack.distorted = 0.9 if number == 20 else 0.0

    rig.rack.before_scan = distort
    await rig.conduct()
    assert rig.over.state == RunState.TRIPPED
    assert rig.over.reason.startswith("implausible jump: voltage 3.65")
    assert rig.rows[-1][2] == pytest.approx(4.55, abs=0.02)
    assert rig.cell.setpoint is None


async def test_a_scan_the_wire_lost_costs_no_reading() -> None:
    rig = RackRig(WINDOW, CHARGE)

    def lose(number: int) -> None:
        if number % 10 == 0:
            raise LinkError("the answer is lost")

    rig.rack.before_scan = lose
    await rig.conduct()
    assert rig.over.state == RunState.FINISHED
    times = [time for _, time, *_ in rig.rows]
    assert max(b - a for a, b in pairwise(times)) < 2.0
    assert rig.ended[0].capacity == pytest.approx(150.0, abs=0.1)


async def test_a_pause_reaches_a_channel_that_sits() -> None:
    rig = RackRig(WINDOW, CHARGE)
    paused = asyncio.Event()

    def pause(number: int) -> None:
        if number == 30:
            rig.run.pause()
            paused.set()

    rig.rack.before_scan = pause
    task = asyncio.create_task(rig.conduct())
    await paused.wait()
    while rig.cell.setpoint is not None:
        await asyncio.sleep(0)
    rig.run.resume()
    await task
    assert rig.over.state == RunState.FINISHED
    assert rig.ended[0].capacity == pytest.approx(150.0, abs=0.5)


async def test_a_stop_reaches_a_channel_that_sits_and_everything_seen_is_told() -> None:
    rig = RackRig(WINDOW, CHARGE)
    seen = asyncio.Event()
    rig.rack.before_scan = lambda number: seen.set() if number == 40 else None
    task = asyncio.create_task(rig.conduct())
    await seen.wait()
    await rig.run.stop("by hand")
    await task
    assert rig.over.state == RunState.STOPPED
    assert rig.cell.setpoint is None
    [ended] = rig.ended
    assert ended.last_reading == rig.over.readings == len(rig.rows)
    assert ended.capacity == pytest.approx(rig.rows[-1][3], rel=1e-9)


async def test_a_position_tells_of_exactly_the_readings_recorded() -> None:
    rig = RackRig(WINDOW, CHARGE)
    positions: list[tuple[int, int]] = []
    rig.rack.before_scan = lambda number: positions.append(
        (decoded(rig.run.position()).readings, len(rig.rows))
    )
    await rig.conduct()
    assert len(positions) > 100
    assert all(told == recorded for told, recorded in positions)


async def test_readings_that_do_not_move_under_a_current_trip_as_ever() -> None:
    rig = RackRig(WINDOW, CHARGE)

    def freeze(number: int) -> None:
        if number == 10:
            rig.rack.frozen = True

    rig.rack.before_scan = freeze
    await rig.conduct()
    assert rig.over.state == RunState.TRIPPED
    assert rig.over.reason.startswith("frozen readings: 3.6")


async def test_of_several_readings_at_a_time_each_is_kept_and_judged_in_its_turn() -> None:
    rig = await RackRig(WINDOW, REST, CHARGE, sampling=True).conduct()
    assert rig.over.state == RunState.FINISHED
    rows = rig.rows
    assert [number for number, *_ in rows] == list(range(1, rig.over.readings + 1))
    times = [time for _, time, *_ in rows]
    assert times == sorted(times)
    assert max(b - a for a, b in pairwise(times)) < 2.0  # left out would be four of five
    assert rig.ended[1].capacity == pytest.approx(150.0, abs=0.1)
    assert rig.ended[1].reason == "voltage >= 3.7"


async def test_a_reading_that_woke_a_channel_takes_those_after_it_along() -> None:
    """10 mV too much in one of ten readings trip nothing, but such a reading has to be judged alone."""
    rig = RackRig(WINDOW, CHARGE, sampling=True)

    def distort(number: int) -> None:
        rig.rack.distorted = 0.01 if number % 10 == 7 else 0.0

    rig.rack.before_scan = distort
    await rig.conduct()
    assert rig.over.state == RunState.FINISHED
    times = [time for _, time, *_ in rig.rows]
    assert max(b - a for a, b in pairwise(times)) < 2.0


async def test_the_third_of_five_readings_trips_and_is_the_last_on_record() -> None:
    rig = RackRig(WINDOW, CHARGE, sampling=True)

    def distort(number: int) -> None:
        rig.rack.distorted = 0.9 if number >= 23 else 0.0

    rig.rack.before_scan = distort
    await rig.conduct()
    assert rig.over.state == RunState.TRIPPED
    assert rig.rows[-1][2] == pytest.approx(4.55, abs=0.02)
    assert rig.rows[-2][2] == pytest.approx(3.65, abs=0.02)
    assert rig.cell.setpoint is None
