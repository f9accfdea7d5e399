"""Simulated time: free, held, paced."""

import asyncio
import math

import pytest

from simulators.clock import SimulatedClock, Uptime


class Wall:
    """A wall clock that moves only by sleeping, a little longer than asked."""

    def __init__(self, lateness: float = 0.0) -> None:
        self.now = 50.0
        self.lateness = lateness
        self.slept: list[float] = []

    def time(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        if seconds:
            self.slept.append(seconds)
            self.now += seconds + self.lateness
        await asyncio.sleep(0)


def clock_on(wall: Wall, speed: float) -> SimulatedClock:
    clock = SimulatedClock(speed, wall.time, wall.sleep)
    clock.start()
    return clock


def test_a_clock_that_was_not_started_stands_at_zero() -> None:
    wall = Wall()
    clock = SimulatedClock(10.0, wall.time, wall.sleep)
    wall.now += 3.0
    assert clock.now() == 0.0
    clock.start()
    wall.now += 3.0
    assert clock.now() == 30.0


def test_a_free_clock_runs_at_its_speed() -> None:
    wall = Wall()
    clock = clock_on(wall, 1000.0)
    wall.now += 2.5
    assert clock.now() == 2500.0


async def test_a_free_clock_is_waited_for_at_its_speed() -> None:
    wall = Wall()
    clock = clock_on(wall, 100.0)
    await clock.reach(20.0)
    assert wall.slept == pytest.approx([0.2])
    assert clock.now() >= 20.0


async def test_a_held_clock_stands_until_it_is_asked_to_pass() -> None:
    wall = Wall()
    clock = clock_on(wall, 10.0)
    wall.now += 1.0
    assert clock.hold() == 10.0
    wall.now += 100.0
    assert clock.now() == 10.0
    await clock.reach(12.0)
    assert clock.now() == 12.0
    await clock.reach(11.0)  # has been
    assert clock.now() == 12.0


async def test_after_the_last_holder_time_runs_on_from_where_it_stood() -> None:
    wall = Wall()
    clock = clock_on(wall, 10.0)
    clock.hold()
    clock.hold()
    wall.now += 5.0
    clock.release()
    assert clock.now() == 0.0
    clock.release()
    wall.now += 0.5
    assert clock.now() == 5.0


async def test_a_held_clock_keeps_its_speed_over_many_steps_although_every_sleep_is_late() -> None:
    # 100 steps of 10 s at 1000 x are 1 s of wall time; each sleep being 0.5 ms late must not add up
    # to more than the one sleep that cannot be made up for.
    wall = Wall(lateness=0.5e-3)
    clock = clock_on(wall, 1000.0)
    clock.hold()
    began = wall.now
    for step in range(1, 101):
        await clock.reach(10.0 * step)
    assert wall.now - began == pytest.approx(1.0, abs=1.1e-3)


async def test_steps_too_short_to_sleep_for_are_paced_together() -> None:
    # At 1000 x, 0.1 s is 0.1 ms: ten of them make one sleep of 1 ms.
    wall = Wall()
    clock = clock_on(wall, 1000.0)
    clock.hold()
    for step in range(1, 101):
        await clock.reach(0.1 * step)
    assert len(wall.slept) <= 10
    assert wall.now - 50.0 == pytest.approx(0.010, abs=1.1e-3)


async def test_time_left_standing_is_not_made_up_for_by_a_rush() -> None:
    wall = Wall()
    clock = clock_on(wall, 10.0)
    clock.hold()
    wall.now += 60.0  # somebody thinks for a minute
    await clock.reach(1.0)
    await clock.reach(101.0)  # 100 s at 10 x
    assert wall.now - 110.0 == pytest.approx(10.0)


async def test_infinite_speed_jumps_without_sleeping_and_never_runs_by_itself() -> None:
    wall = Wall()
    clock = clock_on(wall, math.inf)
    wall.now += 9.0
    assert clock.now() == 0.0
    await clock.reach(1e6)
    assert clock.now() == 1e6
    assert wall.slept == []


async def test_an_earlier_waiter_is_served_before_time_goes_further() -> None:
    wall = Wall()
    clock = clock_on(wall, math.inf)
    seen: list[float] = []

    async def wait(moment: float) -> None:
        await clock.reach(moment)
        seen.append(clock.now())

    await asyncio.gather(wait(30.0), wait(10.0), wait(20.0))
    assert sorted(seen) == seen
    assert seen[0] == 10.0


@pytest.mark.parametrize("speed", [0.0, -1.0, math.nan])
def test_a_speed_that_is_none_is_refused(speed: float) -> None:
    with pytest.raises(ValueError, match="wanted more than 0"):
        SimulatedClock(speed)


async def test_who_watches_for_a_moment_finds_a_standing_clock_there() -> None:
    clock = clock_on(Wall(), math.inf)
    seen: list[float] = []

    async def watch() -> None:
        await clock.when(30.0)
        seen.append(clock.now())
        await clock.when(35.0)
        seen.append(clock.now())

    watching = asyncio.create_task(watch())
    await asyncio.sleep(0)
    assert seen == []
    await clock.reach(40.0)
    assert seen == [30.0, 35.0]
    await watching


async def test_watching_lets_no_time_pass() -> None:
    clock = clock_on(Wall(), math.inf)
    watching = asyncio.create_task(clock.when(30.0))
    for _ in range(5):
        await asyncio.sleep(0)
    assert clock.now() == 0.0
    watching.cancel()


async def test_a_free_clock_is_watched_in_its_own_time_and_through_a_hold() -> None:
    clock = SimulatedClock(1000.0)
    clock.start()
    clock.hold()
    watching = asyncio.create_task(clock.when(5.0))
    await asyncio.sleep(0.01)
    assert not watching.done()
    clock.release()
    await asyncio.wait_for(watching, 60.0)
    assert clock.now() >= 5.0


async def test_uptime_counts_from_when_it_was_switched_on() -> None:
    clock = clock_on(Wall(), math.inf)
    await clock.reach(100.0)
    uptime = Uptime(clock, clock.now())
    assert uptime.now() == 0.0
    await uptime.reach(5.0)
    assert (uptime.now(), clock.now()) == (5.0, 105.0)
