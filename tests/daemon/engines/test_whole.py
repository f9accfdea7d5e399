"""The engine that follows a whole protocol, on a cycler whose every record one can predict by hand."""

import asyncio
from collections.abc import Callable, Iterator, Sequence
from functools import partial

import pytest

from daemon.delivery.messages import Item, Noted, Readings, StepEnded, StepStarted
from daemon.engines.gate import Gate
from daemon.engines.whole import WholeEngine
from daemon.running.logbook import Logbook
from daemon.running.position import Position, decoded
from daemon.running.run import Run, RunState
from drivers.base import Program, ProgramState, ProgramStatus, Record
from drivers.errors import LinkError
from drivers.whole import Followed, Stretch, Taken, Unheld, WholeChannel, WholeProgram
from protocols.limits import Limits
from protocols.plan import Plan, PlannedEntry, PlannedStep
from protocols.reading import Reading
from protocols.techniques import ConstantCurrent
from tests.daemon.stepped_bench import JumpClock, window
from tests.protocols.plans import plan_of

WINDOW = window((2.5, 4.3), 2.0)

CYCLES = """[rest: 20 s, {repeat: 3, steps: [
  {discharge: 1 mA, until: time >= 30 s},
  {charge: 1 mA, until: voltage >= 4.2 V or capacity >= 100 % of discharge}]}]"""


class Cycler(WholeChannel):
    """Ends a rest or a discharge after 20 s or 30 s and a charge after as long as the discharge took.

    A record comes every 10 s, from the tenth second on; two a look. It counts charge exactly: 1 mA
    for 10 s is 10 mC. Its voltage falls and rises by 0.1 mV/s about 3.7 V.
    """

    def __init__(self) -> None:
        self.programs: list[WholeProgram] = []
        self.tags: list[str] = []
        self.offs = 0
        self.skipped = 0
        self.at_look: Callable[[int], None] = lambda look: None
        self.limit: str | None = None
        self._state = ProgramState.IDLE
        self._rows: list[tuple[int, str, float, Record, bool]] = []
        self._told = 0
        self._recorded = 0
        self._looks = 0

    def refusal(self, step: PlannedStep) -> str | None:
        return None

    def unheld(self, plan: Plan) -> Sequence[Unheld]:
        return []

    def program(self, tag: str, program: Program) -> str:
        return tag

    def whole_program(self, tag: str, program: WholeProgram) -> str:
        return tag

    async def start(self, tag: str, program: Program) -> float:
        raise NotImplementedError

    async def state(self) -> ProgramStatus:
        raise NotImplementedError

    async def records(self, after: int) -> Sequence[Record]:
        raise NotImplementedError

    async def finish(self) -> None:
        raise NotImplementedError

    async def look(self) -> Reading:
        return Reading(0.0, 3.7, 0.0)

    async def start_whole(self, tag: str, program: WholeProgram) -> None:
        self.programs.append(program)
        self.tags.append(tag)
        self._state, self._told, self._recorded = ProgramState.RUNNING, 0, 0
        self._rows = list(_lived(program))

    async def attach_whole(self, tag: str, program: WholeProgram, taken: Taken) -> bool:
        self._told = taken.number
        return tag == self.tags[-1]

    async def follow(self) -> Followed:
        await asyncio.sleep(0)
        self._looks += 1
        self.at_look(self._looks)
        if self._state is ProgramState.RUNNING:
            self._recorded = min(self._recorded + 2, len(self._rows))
        status = ProgramStatus(self._state, self.tags[-1], self.limit, self.limit is not None)
        rows, self._told = self._rows[self._told : self._recorded], self._recorded
        if self._recorded == len(self._rows):
            self._state = ProgramState.FINISHED
        return Followed(status, [Stretch(v, path, began, [r], over) for v, path, began, r, over in rows])

    async def skip(self) -> None:
        self.skipped += 1

    async def off(self) -> None:
        self.offs += 1
        self._state = ProgramState.IDLE


def _lived(program: WholeProgram) -> Iterator[tuple[int, str, float, Record, bool]]:
    number, began, done = 0, 0.0, program.seconds_done
    for visit, step in enumerate(_flat(program.plan.steps), start=1):
        current = step.technique.amperes if isinstance(step.technique, ConstantCurrent) else 0.0
        seconds = (30.0 if current else 20.0) - done
        for k in range(1, round(seconds / 10) + 1):
            number += 1
            coulombs = current * 10.0 * k
            reading = Reading(began + 10.0 * k, 3.7 + 0.1 * coulombs + 1e-6 * number, current)
            record = Record(number, reading, coulombs, 3.7 * coulombs)
            yield visit, step.path, began, record, k == round(seconds / 10)
        began, done = began + seconds, 0.0


def _flat(entries: Sequence[PlannedEntry]) -> Iterator[PlannedStep]:
    for entry in entries:
        if isinstance(entry, PlannedStep):
            yield entry
        else:
            for _ in range(entry.times):
                yield from _flat(entry.steps)


class Rig:
    """A run on a cycler; `again` is the same run in the core after next, from its last position."""

    def __init__(
        self, channel: Cycler | None = None, limits: Limits = WINDOW, items: list[Item] | None = None
    ):
        self.channel = channel or Cycler()
        self.items: list[Item] = [] if items is None else items
        self.plan = plan_of(CYCLES, channel=limits)
        self.clock = JumpClock()
        gate = Gate()
        logbook = Logbook("run-1", self.items.append)
        self.engine = WholeEngine(self.channel, self.plan.limits, 10.0, self.clock, logbook, gate)
        self.run = Run(
            "run-1",
            "neware-1",
            self.plan,
            "cell",
            self.engine,
            logbook,
            gate,
            self.items.append,
            lambda position: None,
        )

    async def conduct(self) -> None:
        self.run.task = asyncio.create_task(self.run.conduct())
        await asyncio.wait({self.run.task})

    @property
    def position(self) -> Position:
        return decoded(self.run.position())

    def ended(self) -> list[StepEnded]:
        return [item for item in self.items if isinstance(item, StepEnded)]

    def times(self) -> list[float]:
        return [row.time for item in self.items if isinstance(item, Readings) for row in item.rows]


EVERY_RECORD = [10.0 * n for n in range(1, 21)]
"""20 s of rest and three times 30 s of discharge and 30 s of charge, every 10 s: 200 s."""


async def test_a_whole_protocol_is_given_once_and_every_visit_is_a_step() -> None:
    rig = Rig()
    await rig.conduct()
    assert rig.run.state is RunState.FINISHED, rig.run.reason
    assert rig.channel.tags == ["run-1/1"]
    assert rig.times() == EVERY_RECORD
    begun = [item for item in rig.items if isinstance(item, StepStarted)]
    assert [(s.path, s.cycle, s.time) for s in begun] == [
        ("1", 0, 0.0),
        *[
            (path, n + 1, 20.0 + 60.0 * n + after)
            for n in range(3)
            for path, after in (("2.1", 0), ("2.2", 30.0))
        ],
    ]
    assert [s.capacity for s in rig.ended()] == pytest.approx([0.0, *[-0.03, 0.03] * 3])
    assert [s.reason for s in rig.ended()[:3]] == [
        "time >= 20 s",
        "time >= 30 s",
        "capacity >= 100 % of discharge",
    ]


async def test_readings_are_numbered_without_gaps_over_stretches() -> None:
    rig = Rig()
    await rig.conduct()
    numbers = [n for i in rig.items if isinstance(i, Readings) for n in range(i.first, i.first + len(i.rows))]
    assert numbers == list(range(1, 21))


async def test_paused_the_rest_of_the_protocol_is_begun_anew_where_it_stood() -> None:
    rig = Rig()

    def pause(look: int) -> None:
        if look == 4:  # six records are taken: the second discharge record of the first cycle was
            rig.run.pause()

    rig.channel.at_look = pause
    rig.run.task = asyncio.create_task(rig.run.conduct())
    while not any(isinstance(item, Noted) and item.kind == "paused" for item in rig.items):
        await asyncio.sleep(0)
    rig.clock.time += 1000.0
    await asyncio.sleep(0)
    rig.run.resume()
    await asyncio.wait({rig.run.task})
    assert rig.run.state is RunState.FINISHED, rig.run.reason
    assert rig.channel.tags[1].startswith("run-1/")
    assert len(rig.times()) == 20
    assert [s.capacity for s in rig.ended()] == pytest.approx([0.0, *[-0.03, 0.03] * 3])
    assert rig.times()[-1] == pytest.approx(200.0 + 1000.0)


def _kill(rig: Rig, wanted: int, look: int) -> None:
    if look == wanted and rig.run.task is not None:
        rig.run.task.cancel()


async def test_a_core_that_dies_loses_and_doubles_nothing() -> None:
    for looks in range(1, 10):
        first = Rig()
        first.channel.at_look = partial(_kill, first, looks)
        await first.conduct()
        assert first.run.state is RunState.INTERRUPTED
        assert first.channel.offs == 0  # the program goes on by itself
        position = first.position
        first.channel.at_look = lambda look: None
        assert position.program is not None
        again = Rig(first.channel, items=first.items)
        assert await again.channel.attach_whole("run-1/1", first.channel.programs[0], position.program.taken)
        again.engine.attach(position.program)
        again.run.restore(position, position.time)
        await again.conduct()
        assert again.run.state is RunState.FINISHED, again.run.reason
        assert again.times() == EVERY_RECORD
        assert [s.ordinal for s in again.ended()] == list(range(1, 8))
        assert [s.capacity for s in again.ended()] == pytest.approx([0.0, *[-0.03, 0.03] * 3])


async def test_a_record_outside_the_window_is_kept_with_those_after_it_and_trips() -> None:
    rig = Rig(limits=window((3.6985, 4.3), 2.0))  # 3.7 V - 0.1 V/C × 0.02 C = 3.698 V
    await rig.conduct()
    assert rig.run.state is RunState.TRIPPED
    assert "3.698" in rig.run.reason
    assert rig.times() == EVERY_RECORD[:4]
    assert rig.channel.offs == 1


async def test_a_trip_in_the_instrument_is_no_step_end() -> None:
    rig = Rig()

    def trip(look: int) -> None:
        if look == 3:
            rig.channel.limit = "voltage above 4.3 V"
            rig.channel._state = ProgramState.FAULT

    rig.channel.at_look = trip
    await rig.conduct()
    assert rig.run.state is RunState.TRIPPED
    assert "voltage above 4.3 V" in rig.run.reason
    assert rig.times() == EVERY_RECORD[:4]


async def test_another_program_on_the_channel_is_not_taken_for_ours() -> None:
    rig = Rig()

    def exchange(look: int) -> None:
        if look == 3:
            rig.channel._rows = [(v, "9", b, r, o) for v, _, b, r, o in rig.channel._rows]

    rig.channel.at_look = exchange
    await rig.conduct()
    assert rig.run.state is RunState.FAILED
    assert "runs step 9" in rig.run.reason


async def test_a_lost_answer_is_asked_for_again() -> None:
    rig = Rig()

    def lose(look: int) -> None:
        if look == 3:
            raise LinkError("garbled")

    rig.channel.at_look = lose
    await rig.conduct()
    assert rig.run.state is RunState.FINISHED, rig.run.reason
    assert rig.times() == EVERY_RECORD


class Forgetful(Cycler):
    """Tells nothing twice: the two records after those that were kept were told to whoever died."""

    @property
    def tells_again(self) -> bool:
        return False

    async def attach_whole(self, tag: str, program: WholeProgram, taken: Taken) -> bool:
        self._told = self._recorded = taken.number + 2
        return tag == self.tags[-1]


async def test_what_a_dead_core_took_and_did_not_keep_is_told() -> None:
    """The rest of 20 s is kept; of the discharge 30 s and 40 s are gone, 50 s is not."""
    first = Rig(Forgetful())
    first.channel.at_look = partial(_kill, first, 1)
    await first.conduct()
    position = first.position
    assert position.program is not None
    first.channel.at_look = lambda look: None
    again = Rig(first.channel, items=first.items)
    assert await again.channel.attach_whole("run-1/1", first.channel.programs[0], position.program.taken)
    again.engine.attach(position.program)
    again.run.restore(position, position.time)
    await again.conduct()
    assert again.run.state is RunState.FINISHED, again.run.reason
    assert again.times() == [10.0, 20.0, *EVERY_RECORD[4:]]
    [told] = [item for item in again.items if isinstance(item, Noted) and item.kind == "readings lost"]
    assert told.detail == {"seconds": 30.0, "readings": 2}


class Stubborn(Cycler):
    """Never ends its first step."""

    async def follow(self) -> Followed:
        if self._told == 2:  # the rest is 20 s long
            await asyncio.sleep(0)
            return Followed(ProgramStatus(ProgramState.RUNNING, "run-1/1"), [])
        status, stretches = await super().follow()
        return Followed(status, [stretch._replace(over=False) for stretch in stretches])


async def test_a_step_that_goes_on_past_its_end_is_ended_by_the_core() -> None:
    rig = Rig(Stubborn())
    await asyncio.wait_for(_until_skipped(rig), 60.0)
    assert any(isinstance(item, Noted) and item.kind == "end not kept" for item in rig.items)


async def _until_skipped(rig: Rig) -> None:
    conducted = asyncio.create_task(rig.conduct())
    while not rig.channel.skipped:
        await asyncio.sleep(0)
    await rig.run.stop("seen enough")
    await conducted
