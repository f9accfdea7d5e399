"""The stepped engine on a cell one can work out by hand."""

import asyncio
import math

import pytest

from daemon.delivery.messages import Item, Noted, Readings, RunEnded, StepEnded
from daemon.engines.gate import Gate
from daemon.engines.stepped import SteppedEngine
from daemon.running.logbook import Logbook
from daemon.running.run import Run, RunState
from protocols.conditions import AnyOf, Quantity
from protocols.limits import Limits
from protocols.plan import Ceiling, PlannedRepeat, PlannedStep
from protocols.reading import Reading
from protocols.recording import Recording
from protocols.setpoint import Current, Voltage
from protocols.techniques import (
    ConstantCurrent,
    ConstantPower,
    ConstantVoltage,
    Level,
    Rest,
    Sweep,
)
from tests.daemon.plans import end, plan, step
from tests.daemon.stepped_bench import JumpClock, LinearCell, window

WINDOW = window((2.5, 4.3), 2.0)


class Rig:
    """One run on a linear cell, everything it wrote kept in a list."""

    def __init__(self, *steps: PlannedStep | PlannedRepeat, limits: Limits = WINDOW, charge: float = 1800.0):
        self.clock = JumpClock()
        self.cell = LinearCell(self.clock, charge)
        self.items: list[Item] = []
        self.gate = Gate()
        logbook = Logbook("run-1", self.items.append)
        engine = SteppedEngine(self.cell, self.clock, limits, 1.0, logbook, self.gate)
        self.run = Run(
            "run-1",
            "smu1",
            plan(limits, *steps),
            "linear",
            engine,
            logbook,
            self.gate,
            self.items.append,
            lambda position: None,
        )

    async def conduct(self) -> "Rig":
        await self.run.conduct()
        return self

    @property
    def ended(self) -> list[StepEnded]:
        return [item for item in self.items if isinstance(item, StepEnded)]

    @property
    def rows(self) -> list[Reading]:
        return [
            Reading(row.time, row.voltage, row.current)
            for item in self.items
            if isinstance(item, Readings)
            for row in item.rows
        ]


async def test_cccv_and_rest_pass_what_one_works_out_by_hand() -> None:
    # From 3.6 V open circuit at 0.5 A: 4.2 V is reached at 4.175 V open circuit, (4.175 - 3.6)/1.2
    # × 3600 C = 1725 C, after 3450 s. Then 0.5 A falls with time constant 0.05 ohm × 3000 F = 150 s:
    # to 50 mA in 150 ln 10 = 345.4 s, passing 0.45 A × 150 s = 67.5 C. Then 600 s of rest.
    rig = await Rig(
        step("charge", ConstantCurrent(0.5), end(Quantity.VOLTAGE, ">=", 4.2)),
        step("hold", ConstantVoltage(Level(4.2)), end(Quantity.CURRENT, "<=", 0.05)),
        step("rest", Rest(), end(Quantity.TIME, ">=", 600.0)),
    ).conduct()
    charge, hold, rest = rig.ended
    assert rig.run.state is RunState.FINISHED
    assert charge.capacity == pytest.approx(1725.0, abs=0.05)
    assert charge.duration == pytest.approx(3450.0, abs=0.1)
    assert hold.capacity == pytest.approx(67.5, rel=0.01)
    assert hold.duration == pytest.approx(345.4, abs=1.5)
    assert rest.capacity == 0.0
    assert rest.duration == pytest.approx(600.0, abs=0.01)
    assert rig.cell.setpoint is None


async def test_capacity_end_is_met_within_one_short_reading() -> None:
    rig = await Rig(step("discharge", ConstantCurrent(-0.5), end(Quantity.CAPACITY, ">=", 100.0))).conduct()
    # 5 ms is the shortest interval, 2 ms the reading: at most 0.5 A × 7 ms too much
    assert -rig.ended[0].capacity == pytest.approx(100.0, abs=0.004)
    assert -rig.ended[0].capacity >= 100.0


async def test_the_first_stretch_of_a_step_counts_at_its_first_current() -> None:
    rig = await Rig(step("charge", ConstantCurrent(1.0), end(Quantity.TIME, ">=", 10.0))).conduct()
    # no reading lies at the moment the current jumps; the charge since then is 1 A × duration
    assert rig.ended[0].capacity == pytest.approx(rig.ended[0].duration, rel=1e-9)
    # the voltage rises from 3.65 V by 1.2 V per hour: E = 1 A × T × (3.65 V + 1.2/7200 V/s × T)
    duration = rig.ended[0].duration
    assert rig.ended[0].energy == pytest.approx(duration * (3.65 + 1.2 / 7200 * duration), rel=1e-6)


async def test_recording_thins_what_is_kept_and_never_first_or_last() -> None:
    rig = await Rig(
        step(
            "charge",
            ConstantCurrent(0.5),
            end(Quantity.TIME, ">=", 95.0),
            record=Recording(every=30.0),
        )
    ).conduct()
    times = [row.time for row in rig.rows]
    assert len(times) == 5  # first, about 30, 60 and 90 s, and the last
    assert times[-1] - times[0] == pytest.approx(95.0, abs=0.2)
    assert rig.ended[0].first_reading == 1
    assert rig.ended[0].last_reading == 5


async def test_a_limit_opens_the_circuit_and_the_reading_is_on_record() -> None:
    rig = await Rig(
        step("charge", ConstantCurrent(0.5), end(Quantity.TIME, ">=", 1e5)), limits=window((2.5, 3.7), 2.0)
    ).conduct()
    assert rig.run.state is RunState.TRIPPED
    assert "voltage" in rig.run.reason
    assert "3.7" in rig.run.reason
    assert rig.rows[-1].voltage > 3.7
    assert rig.rows[-1].voltage < 3.7005  # readings closed in on the edge
    assert rig.cell.setpoint is None
    assert isinstance(rig.items[-1], RunEnded)


@pytest.mark.parametrize("number", [2, 7])
async def test_nan_is_out_of_limits(number: int) -> None:
    rig = Rig(step("charge", ConstantCurrent(0.5), end(Quantity.TIME, ">=", 100.0)))

    def spoil(reading: int) -> None:
        if reading == number:
            rig.cell.charge = math.nan

    rig.cell.before_reading = spoil
    await rig.conduct()
    assert rig.run.state is RunState.TRIPPED
    assert rig.cell.offs >= 1


async def test_a_cell_outside_its_window_is_not_touched() -> None:
    rig = await Rig(
        step("charge", ConstantCurrent(0.5), end(Quantity.TIME, ">=", 10.0)), charge=-1800.0
    ).conduct()  # open circuit 2.4 V
    assert rig.run.state is RunState.TRIPPED
    assert "open-circuit voltage 2.4" in rig.run.reason
    assert not any(isinstance(setpoint, Current | Voltage) for setpoint in rig.cell.applied)


async def test_ceiling_ends_a_step_nobody_ended() -> None:
    rig = await Rig(
        step(
            "charge",
            ConstantCurrent(0.5),
            end(Quantity.VOLTAGE, ">=", 4.2),
            ceiling=Ceiling(seconds=1e6, coulombs=50.0),
        )
    ).conduct()
    assert rig.run.state is RunState.TRIPPED
    assert "ceiling" in rig.run.reason


async def test_pause_opens_the_circuit_and_resume_goes_on_with_the_rest_of_the_step() -> None:
    rig = Rig(step("charge", ConstantCurrent(0.5), end(Quantity.CAPACITY, ">=", 100.0)))
    seen: list[object] = []

    def pause_once(reading: int) -> None:
        if reading == 50:
            rig.run.pause()

    rig.cell.before_reading = pause_once
    task = asyncio.create_task(rig.run.conduct())
    while not any(isinstance(item, Noted) and item.kind == "paused" for item in rig.items):
        await asyncio.sleep(0)
    seen.append(rig.cell.setpoint)
    rig.clock.time += 1000.0
    rig.run.resume()
    await task
    assert seen == [None]
    assert rig.run.state is RunState.FINISHED
    assert rig.ended[0].capacity == pytest.approx(100.0, abs=0.02)
    # the pause is no part of the step, but it is part of the run's time
    assert rig.ended[0].duration == pytest.approx(200.0, abs=0.1)
    assert rig.ended[0].time > 1199.0


async def test_a_sweep_that_was_paused_begins_again_and_says_so() -> None:
    # 3.6 V to 3.7 V at 1 mV/s are 100 s, of which those before the pause count for nothing
    rig = Rig(step("sweep", Sweep(Level(3.6), (Level(3.7),), 1e-3, 1), None, Recording(every=1.0)))
    rig.cell.before_reading = lambda reading: rig.run.pause() if reading == 50 else None
    task = asyncio.create_task(rig.run.conduct())
    while not any(isinstance(item, Noted) and item.kind == "paused" for item in rig.items):
        await asyncio.sleep(0)
    rig.run.resume()
    await task
    [told] = [item.text for item in rig.items if isinstance(item, Noted) and item.kind == "resumed"]
    assert told == "the step begins again"
    assert rig.ended[0].duration == pytest.approx(100.0, abs=1.0)


async def test_stop_leaves_the_cell_disconnected_and_a_stop_record() -> None:
    rig = Rig(step("charge", ConstantCurrent(0.5), end(Quantity.TIME, ">=", 1e5)))

    stopping: list[asyncio.Task[None]] = []

    def stop(reading: int) -> None:
        if reading == 20:
            stopping.append(asyncio.create_task(rig.run.stop("asked by a person")))

    rig.cell.before_reading = stop
    rig.run.task = asyncio.create_task(rig.run.conduct())
    await rig.run.task
    await stopping[0]
    assert rig.run.state is RunState.STOPPED
    assert rig.cell.setpoint is None
    stop_record = rig.items[-1]
    assert isinstance(stop_record, RunEnded)
    assert (stop_record.state, stop_record.reason) == ("stopped", "asked by a person")
    assert stop_record.readings == len(rig.rows)


async def test_repeat_with_or_and_cycle_numbers() -> None:
    rig = await Rig(
        PlannedRepeat(
            "1",
            1,
            3,
            (
                step(
                    "charge",
                    ConstantCurrent(0.5),
                    AnyOf((end(Quantity.VOLTAGE, ">=", 5.0), end(Quantity.TIME, ">=", 10.0))),
                ),
                step("discharge", ConstantCurrent(-0.5), end(Quantity.TIME, ">=", 10.0)),
            ),
        )
    ).conduct()
    assert [item.reason for item in rig.ended][:2] == ["time >= 10", "time >= 10"]
    assert {item.cycle for item in rig.items if isinstance(item, Readings)} == {1, 2, 3}


async def test_constant_power_asks_for_the_current_the_voltage_needs() -> None:
    rig = await Rig(step("power", ConstantPower(-1.8), end(Quantity.TIME, ">=", 20.0))).conduct()
    assert rig.rows[-1].voltage * rig.rows[-1].current == pytest.approx(-1.8, rel=1e-3)


async def test_sweep_goes_through_its_vertices_at_its_rate() -> None:
    # 3.6 V open circuit → 3.7 V → 3.5 V at 1 mV/s: 100 s + 200 s
    rig = await Rig(
        step("sweep", Sweep(Level(0.0, True), (Level(3.7), Level(3.5)), 1e-3, 1), None, Recording(every=1.0)),
        limits=window((2.5, 4.3), 4.0),
    ).conduct()
    assert rig.ended[0].reason == "sweep complete"
    assert rig.ended[0].duration == pytest.approx(300.0, abs=1.1)
    assert max(row.voltage for row in rig.rows) == pytest.approx(3.7, abs=2e-3)
    assert rig.rows[-1].voltage == pytest.approx(3.5, abs=2e-3)
