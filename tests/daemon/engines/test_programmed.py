"""The programmed engine, following an instrument that runs steps by itself."""

import asyncio
from collections.abc import Callable, Sequence

import pytest

from daemon.delivery.messages import ImpedancePoints, Item, Noted, Readings, StepEnded
from daemon.engines.gate import Gate
from daemon.engines.programmed import ProgrammedEngine
from daemon.glances import patience
from daemon.running.logbook import Logbook
from daemon.running.run import Run, RunState
from drivers.base import Program, ProgrammedChannel, ProgramState, ProgramStatus, Record
from protocols.conditions import AnyOf, Quantity
from protocols.limits import Limits
from protocols.plan import PlannedStep
from protocols.reading import ImpedancePoint, Reading
from protocols.techniques import ConstantCurrent, Impedance, Level, Rest
from tests.daemon.plans import end, plan, step
from tests.daemon.stepped_bench import window

WINDOW = window((2.5, 4.3), 2.0)
SPECTRUM = Impedance(0.005, False, Level(0.0), 1e5, 1e4, 10)


class Potentiostat(ProgrammedChannel):
    """Gives a reading a second at 1 mA, two at a look, and ends a step at its time end by itself."""

    def __init__(self) -> None:
        self.programs: list[Program] = []
        self.offs = 0
        self.finished_by_host = False
        self.voltage: Callable[[float], float] = lambda time: 3.6 + 1e-6 * time  # alive
        self.on_look: Callable[[int], None] = lambda look: None
        self.limit: str | None = None
        self.counted = False
        self.time = 50.0
        self._records: list[Record] = []
        self._state = ProgramState.IDLE
        self._tag: str | None = None
        self._looks = 0

    def refusal(self, step: PlannedStep) -> str | None:
        return None

    def program(self, tag: str, program: Program) -> str:
        return tag

    async def start(self, tag: str, program: Program) -> float:
        self.programs.append(program)
        self._records, self._tag, self._state = [], tag, ProgramState.RUNNING
        self.finished_by_host = False
        self.began = self.time
        return self.time

    async def state(self) -> ProgramStatus:
        reason = self.limit or "time"
        return ProgramStatus(self._state, self._tag, reason, limit=self.limit is not None)

    async def records(self, after: int) -> Sequence[Record]:
        await asyncio.sleep(0)
        if self._state is ProgramState.RUNNING:
            self._looks += 1
            self.on_look(self._looks)
            for _ in range(2):
                self._live_one_second()
        return self._records[after:]

    async def finish(self) -> None:
        self.finished_by_host = True
        self._state = ProgramState.FINISHED

    async def off(self) -> None:
        self.offs += 1
        self._state = ProgramState.IDLE

    def _live_one_second(self) -> None:
        program = self.programs[-1]
        number = len(self._records) + 1
        if isinstance(program.step.technique, Impedance):
            self.time += 0.1
            point: Reading | ImpedancePoint = ImpedancePoint(self.time, 1e5 / number, 4.0, -1.0)
            self._state = ProgramState.FINISHED if number >= 4 else self._state
        else:
            self.time += 1.0
            current = program.step.technique.amperes if hasattr(program.step.technique, "amperes") else 0.0
            point = Reading(self.time, self.voltage(self.time), current)
        counters = (2e-3 * (self.time - self.began), 7e-3 * (self.time - self.began))
        self._records.append(Record(number, point, *(counters if self.counted else (None, None))))
        until = program.step.until
        done = program.seconds_done + self.time - self.began
        if until is not None and any(
            c.quantity is Quantity.TIME and done >= c.value for c in until.comparisons()
        ):
            self._state = ProgramState.FINISHED


class Rig:
    def __init__(self, *steps: PlannedStep, limits: Limits = WINDOW) -> None:
        self.channel = Potentiostat()
        self.items: list[Item] = []
        gate = Gate()
        logbook = Logbook("run-1", self.items.append)
        engine = ProgrammedEngine(self.channel, limits, 1.0, logbook, gate)
        self.run = Run(
            "run-1",
            "pstat1",
            plan(limits, *steps),
            "cell",
            engine,
            logbook,
            gate,
            self.items.append,
            lambda position: None,
        )

    async def conduct(self) -> None:
        self.run.task = asyncio.create_task(self.run.conduct())
        await self.run.task

    @property
    def ended(self) -> list[StepEnded]:
        return [item for item in self.items if isinstance(item, StepEnded)]


async def test_every_record_is_kept_once_and_the_instrument_names_the_end() -> None:
    rig = Rig(step("charge", ConstantCurrent(1e-3), end(Quantity.TIME, ">=", 9.0)))
    await rig.conduct()
    assert rig.run.state is RunState.FINISHED
    numbers = [item.first for item in rig.items if isinstance(item, Readings)]
    assert numbers == list(range(1, 11))  # two a look: the tenth came with the ninth
    # 1 mA from the start, not from the first reading a second later
    assert rig.ended[0].capacity == pytest.approx(10e-3)
    assert rig.ended[0].reason == "time >= 9"
    assert not rig.channel.finished_by_host


async def test_an_end_the_instrument_cannot_hold_is_met_by_the_core() -> None:
    until = AnyOf((end(Quantity.TIME, ">=", 1e4), end(Quantity.VOLTAGE, ">=", 4.0)))
    rig = Rig(step("charge", ConstantCurrent(1e-3), until))
    rig.channel.voltage = lambda time: 3.6 + 0.01 * (time - 50.0)  # 4.0 V after 40 s
    await rig.conduct()
    assert rig.channel.finished_by_host
    assert rig.ended[0].reason == "voltage >= 4"
    assert rig.ended[0].duration == pytest.approx(40.0, abs=4.1)


async def test_a_reading_is_as_old_as_the_record_rule_lets_it_be() -> None:
    rig = Rig(
        step("rest", Rest(), end(Quantity.TIME, ">=", 9.0)), step("impedance", SPECTRUM, None)
    )  # records every ten seconds, and as they come
    seen: list[float | None] = []
    rig.channel.on_look = lambda look: seen.append(rig.run.interval)
    await rig.conduct()
    assert (seen[0], seen[1], seen[-1]) == (0.0, 10.0, None)  # the first look at the cell is asked for
    assert patience(1.0, 10.0, 1.0) == 30.0
    assert patience(1.0, 10.0, 100.0) == 5.0  # of ours: 100 s of the cell in each
    assert patience(4.0, 0.0, 1.0) == 12.0
    assert patience(1.0, None, 1.0) == 3600.0


async def test_a_trip_in_the_instrument_is_no_step_end() -> None:
    rig = Rig(step("charge", ConstantCurrent(1e-3), end(Quantity.TIME, ">=", 9.0)))

    def trip(look: int) -> None:
        if look == 3:
            rig.channel.limit = "voltage above 4.3 V"
            rig.channel._state = ProgramState.FINISHED

    rig.channel.on_look = trip
    await rig.conduct()
    assert rig.run.state is RunState.TRIPPED
    assert "voltage above 4.3 V" in rig.run.reason
    assert rig.channel.offs == 1


async def test_the_core_judges_every_record_too() -> None:
    rig = Rig(step("charge", ConstantCurrent(1e-3), end(Quantity.TIME, ">=", 100.0)))
    rig.channel.voltage = lambda time: 4.31 if time > 60.0 else 3.6
    await rig.conduct()
    assert rig.run.state is RunState.TRIPPED
    assert "4.31 V is outside" in rig.run.reason
    assert rig.channel.offs == 1


async def test_a_resumed_step_is_given_what_is_left_of_it() -> None:
    rig = Rig(step("charge", ConstantCurrent(1e-3), end(Quantity.TIME, ">=", 100.0)))

    def pause(look: int) -> None:
        if look == 6:
            rig.run.pause()

    rig.channel.on_look = pause
    rig.run.task = asyncio.create_task(rig.run.conduct())
    while not any(isinstance(item, Noted) for item in rig.items):
        await asyncio.sleep(0)
    assert rig.channel.offs == 1
    rig.run.resume()
    await rig.run.task
    again = rig.channel.programs[-1]
    assert again.seconds_done == pytest.approx(10.0, abs=2.1)
    assert again.coulombs_done == pytest.approx(again.seconds_done * 1e-3)
    assert rig.ended[0].duration == pytest.approx(100.0, abs=2.1)


async def test_the_instruments_own_counters_are_preferred() -> None:
    rig = Rig(step("hold", ConstantCurrent(1e-3), end(Quantity.TIME, ">=", 10.0)))
    rig.channel.counted = True  # it says twice what its readings say
    await rig.conduct()
    assert rig.ended[0].capacity == pytest.approx(2e-3 * rig.ended[0].duration)


async def test_a_spectrum_is_numbered_on_its_own() -> None:
    rig = Rig(
        step("impedance", SPECTRUM, None),
        step("rest", Rest(), end(Quantity.TIME, ">=", 2.0)),
    )
    await rig.conduct()
    assert rig.run.state is RunState.FINISHED
    assert [i.first for i in rig.items if isinstance(i, ImpedancePoints)] == [1, 2, 3, 4]
    assert [i.first for i in rig.items if isinstance(i, Readings)] == [1, 2]


async def test_stop_is_the_one_thing_that_turns_a_program_off() -> None:
    rig = Rig(step("charge", ConstantCurrent(1e-3), end(Quantity.TIME, ">=", 1e9)))
    stopping: list[asyncio.Task[None]] = []

    def stop(look: int) -> None:
        if look == 5:
            stopping.append(asyncio.create_task(rig.run.stop("enough")))

    rig.channel.on_look = stop
    await rig.conduct()
    await stopping[0]
    assert rig.run.state is RunState.STOPPED
    assert rig.channel.offs == 1
