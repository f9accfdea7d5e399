"""The one channel of a LAND result file: it follows what the maker's software did, and controls nothing."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Sequence
from pathlib import Path

from drivers.base import Program, ProgramState, ProgramStatus, Record
from drivers.errors import LinkError, RefusedError
from drivers.land_record import Point, ResultFile
from drivers.whole import Followed, Stretch, Taken, Unheld, WholeChannel, WholeProgram
from protocols.conditions import LAST_DIGIT, Progress, nearly_met
from protocols.limits import Limits
from protocols.plan import Plan, PlannedStep
from protocols.reading import Reading
from protocols.techniques import ConstantCurrent, Rest
from protocols.walk import Visit, Walk

SHORTEST_WAIT, LONGEST_WAIT = 0.05, 5.0
"""Seconds until the file is looked at again while nothing is new in it; twice as long each time."""

MOST_AT_ONCE = 5000
"""Points told by one look, so that a long file does not keep everybody waiting."""

ROUNDED = 1e-6
"""Share of a number that a file may hide: it keeps single precision, 6e-8 of each."""

PATIENCE = 60.0
"""Seconds without a record, at least, until an end that was nearly met is taken for met."""

MISSED = 3.0
"""Records that must have failed to come meanwhile, by the longest wait for one in that step."""

_NOTHING = Plan("nothing", (), Limits(), (), "", "")

NOT_OURS = "a LAND cycler takes no orders from here: start and stop it in the maker's software"


class LandChannel(WholeChannel):
    """Tells the file's steps as the protocol's: the walk through the plan says which comes next.

    The operator attests that the protocol was started there by submitting it, and that it was stopped
    by stopping the run. A step of the file that does what the protocol's step does not ends the run.

    The file does not say when the last step is over. It is where its end was met, or nearly met and no
    record came any more: the cycler judges between records, and writes the last one as it likes.
    """

    def __init__(
        self,
        path: Path,
        open_file: Callable[[], ResultFile],
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._path = path
        self._open = open_file
        self._sleep = sleep
        self._file: ResultFile | None = None
        self._tag: str | None = None
        self._points: list[Point] = []
        self._plan = _NOTHING
        self._walk = Walk(_NOTHING)
        self._visit: Visit | None = None
        self._number = 0
        self._visits = 0
        self._skip = 0
        self._step = 0
        self._began = 0.0
        self._last: Point | None = None
        self._over = False  # the protocol's last step met its end
        self._wait = SHORTEST_WAIT
        self._quiet = 0.0  # seconds without a record
        self._apart = 0.0  # the most seconds between two records of the step

    @property
    def controls(self) -> bool:
        return False

    def refusal(self, step: PlannedStep) -> str | None:
        return NOT_OURS  # it can be given no step: a whole protocol is all it is held against

    def unheld(self, plan: Plan) -> Sequence[Unheld]:
        return []

    def program(self, tag: str, program: Program) -> str:
        return NOT_OURS

    def whole_program(self, tag: str, program: WholeProgram) -> str:
        return f"{NOT_OURS}; its result file {self._path} is followed"

    async def look(self) -> Reading:
        points = await self._read(self._open())
        if not points:
            raise LinkError(f"{self._path}: no record yet; start the protocol in the maker's software first")
        last = points[-1]
        return Reading(last.time, last.volts, last.amperes, last.temperature)

    async def start_whole(self, tag: str, program: WholeProgram) -> None:
        self._begin(tag, program, skip=0)

    async def attach_whole(self, tag: str, program: WholeProgram, taken: Taken) -> bool:
        self._begin(tag, program, skip=taken.number)
        return self._path.exists()

    def _begin(self, tag: str, program: WholeProgram, skip: int) -> None:
        self._tag, self._skip = tag, skip
        self._file, self._points = self._open(), []
        self._plan, self._walk, self._visit = program.plan, Walk(program.plan), None
        self._number = self._visits = self._step = 0
        self._began, self._last, self._over = 0.0, None, False
        self._quiet = self._apart = 0.0

    async def follow(self) -> Followed:
        if self._file is None:
            return Followed(ProgramStatus(ProgramState.IDLE), [])
        if not self._points:
            self._points = list(await self._read(self._file))
        points, self._points = self._points[:MOST_AT_ONCE], self._points[MOST_AT_ONCE:]
        stretches = list(self._stretches(points))
        if not points and not self._over:
            await self._sleep(self._wait)
            self._quiet += self._wait
            self._wait = min(LONGEST_WAIT, 2.0 * self._wait)
            stretches = list(self._ended_unseen())
        elif points:
            self._wait, self._quiet = SHORTEST_WAIT, 0.0
        state = ProgramState.FINISHED if self._over and not self._points else ProgramState.RUNNING
        return Followed(ProgramStatus(state, self._tag), stretches)

    async def _read(self, file: ResultFile) -> Sequence[Point]:
        return await asyncio.to_thread(file.read)

    def _stretches(self, points: Sequence[Point]) -> Iterator[Stretch]:
        records: list[Record] = []
        for point in points:
            if self._over:
                return
            if point.step != self._step:
                if self._last is not None:
                    yield from self._told(records, over=True)
                    if self._visit is not None and self._is_the_end(self._visit, self._last, LAST_DIGIT):
                        self._over = True  # what the file goes on with is none of the protocol's
                        return
                records = []
                self._next(point)
            self._number += 1
            self._note_wait(point)
            self._last = point
            if self._number > self._skip:
                records.append(self._record(point))
        if points and self._visit is not None and self._last is not None:
            self._over = self._is_the_end(self._visit, self._last, ROUNDED)
            yield from self._told(records, over=self._over)

    def _ended_unseen(self) -> Iterator[Stretch]:
        """End the last step where nothing comes any more after its end was nearly met."""
        if self._visit is None or self._last is None or self._quiet < max(PATIENCE, MISSED * self._apart):
            return
        self._over = self._is_the_end(self._visit, self._last, LAST_DIGIT)
        if self._over:
            yield from self._told([], over=True)

    def _note_wait(self, point: Point) -> None:
        same = self._last is not None and self._last.step == point.step
        before = self._last.step_time if same and self._last is not None else 0.0
        self._apart = max(self._apart if same else 0.0, point.step_time - before)

    def _told(self, records: Sequence[Record], over: bool) -> Iterator[Stretch]:
        if self._visit is not None and (records or (over and self._number >= self._skip)):
            yield Stretch(self._visits, self._visit.step.path, self._began, tuple(records), over)

    def _next(self, point: Point) -> None:
        """A step of the file begins: which of the protocol's it is."""
        if self._last is not None:
            self._walk.ended(abs(self._last.coulombs))
        self._visit = self._walk.advance()
        self._visits += 1
        self._step = point.step
        if self._visit is None:
            raise RefusedError(f"{self._path}: the file goes on after the protocol's last step")
        self._began = point.time - point.step_time
        wanted = _direction(self._visit.step)
        if wanted is not None and point.direction is not None and wanted != point.direction:
            does = {1: "charges", -1: "discharges", 0: "rests"}
            raise RefusedError(
                f"{self._path}: its step {point.step} {does[point.direction]}, but the protocol's "
                f"{self._visit.step.verb} in line {self._visit.step.line} {does[wanted]}; "
                "another protocol runs there"
            )

    def _record(self, point: Point) -> Record:
        reading = Reading(point.time, point.volts, point.amperes, point.temperature)
        return Record(self._number, reading, point.coulombs, point.joules)

    def _is_the_end(self, visit: Visit, last: Point, hidden: float) -> bool:
        """Whether the last step of the protocol met its end, but for a share that is hidden."""
        state = self._walk.state()
        self._walk.ended(abs(last.coulombs))
        is_last = self._walk.advance() is None
        self._walk, _ = Walk.restored(self._plan, state)
        until = visit.step.until
        return is_last and until is not None and nearly_met(until, _progress(last), hidden) is not None

    async def skip(self) -> None:
        return  # the maker's software goes on as it was told

    async def start(self, tag: str, program: Program) -> float:
        raise RefusedError(NOT_OURS)

    async def state(self) -> ProgramStatus:
        return ProgramStatus(ProgramState.IDLE)

    async def records(self, after: int) -> Sequence[Record]:
        return []

    async def finish(self) -> None:
        return

    async def off(self) -> None:
        self._file, self._tag = None, None


def _direction(step: PlannedStep) -> int | None:
    """Return what a step does to the current; None where either may be."""
    match step.technique:
        case Rest():
            return 0
        case ConstantCurrent(amperes):
            return 1 if amperes > 0.0 else -1
    return None


def _progress(point: Point) -> Progress:
    return Progress(
        time=point.step_time,
        voltage=point.volts,
        current=abs(point.amperes),
        capacity=abs(point.coulombs),
        energy=abs(point.joules),
        temperature=point.temperature,
    )
