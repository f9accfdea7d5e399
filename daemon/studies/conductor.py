"""Conducts one study: puts cells on channels as these come free, follows their runs, keeps every step.

A cell goes from state to state, each of them on the disk before anything follows from it: whoever takes
a study up after a crash does nothing twice. The key of a submission is on the disk before it is made.
"""

import asyncio
import contextlib
import logging
import math
import secrets
from collections.abc import Callable
from functools import partial
from typing import Any

from daemon.errors import BusyError, ServiceError, UnavailableError, UnknownError
from daemon.requests import Submit
from daemon.running.journal import Journal
from daemon.studies.floor import Floor, Seat
from daemon.studies.order import labels
from daemon.studies.record import Act, Record
from daemon.studies.standing import HOLDING, CellState, StudyCell, StudyState, final
from drivers.errors import InstrumentError
from protocols.errors import GalvanodError

_log = logging.getLogger(__name__)

LOOK_SECONDS = 1.0
"""Between looks where nothing has been heard of meanwhile."""

KNOCK_SECONDS = 60.0
"""Between tries to open a channel that cells wait for and that could not be opened."""

QUIET_SECONDS = 60.0
"""What a beginning may take before whoever wants the study quiet is refused."""

Clock = Callable[[], float]
"""UTC seconds."""


class Conductor:
    """Conducts one study until nothing of it is left to be done."""

    def __init__(
        self, record: Record, journal: Journal, floor: Floor, kept: Callable[[str], bool], clock: Clock
    ) -> None:
        """`kept` says whether a channel has a cell of any study, or is kept for one."""
        self.record = record
        self._journal = journal
        self._floor = floor
        self._kept = kept
        self._clock = clock
        self._woken = asyncio.Event()
        self._beginning: dict[int, asyncio.Task[None]] = {}
        self._retired = False
        self._used: set[str] = set()
        self._knocked = -math.inf
        self._knocking: asyncio.Task[None] | None = None
        self.trouble: str | None = None
        """Why it does not get on, where that is no cell's fault."""

    async def conduct(self) -> None:
        """Conduct it; never raises but for cancellation."""
        async with asyncio.TaskGroup() as tasks:
            while True:
                await self._look_once(tasks)
                if self.record.over:
                    return
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(LOOK_SECONDS):
                        await self._woken.wait()
                self._woken.clear()

    def wake(self) -> None:
        """Something has happened: look at once."""
        self._woken.set()

    def holds(self, channel: str) -> int | None:
        """Return the number of the cell that a channel is kept for."""
        for number, cell in enumerate(self.record.cells, start=1):
            if cell.channel == channel and cell.state in HOLDING:
                return number
        return None

    def uses(self, channel: str) -> bool:
        """Whether a channel has a cell of the study, or is kept for one.

        A run that is over keeps its channel until what was put into its simulated cell is known.
        """
        states = (*HOLDING, CellState.RUNNING)
        return any(cell.channel == channel and cell.state in states for cell in self.record.cells)

    async def retire(self) -> None:
        """Begin nothing more, and wait for what is beginning. Raises `BusyError` where that takes long."""
        self._retired = True
        try:
            async with asyncio.timeout(QUIET_SECONDS):
                while self._beginning or any(each.state is CellState.BEGINNING for each in self.record.cells):
                    self.wake()
                    await asyncio.sleep(LOOK_SECONDS / 20)
        except TimeoutError as error:
            self._retired = False
            raise BusyError(
                f"study {self.record.name} is just beginning a run; ask again in a moment"
            ) from error

    def go_on(self) -> None:
        """Take a retirement back."""
        self._retired = False

    async def mounted(self, number: int, channel: str, who: str) -> None:
        """A person has put a cell on a channel it may have: the one that was asked for, or another."""
        cell = self._cell(number)
        task = self.record.tasks[number - 1]
        seat = self._seat(number, channel)
        if cell.state is not CellState.ASKED:
            raise ServiceError(f"cell {number} ({task.label}) is {cell.state.value}: nobody is asked for it")
        if seat is None or not seat.real:
            fitting = ", ".join(seat.channel for seat in self._floor.seats(task.row.on) if seat.real)
            raise ServiceError(f"channel {channel} is not for cell {number} ({task.label}); {fitting} are")
        if channel != cell.channel and not self._usable(seat):
            raise BusyError(f"channel {channel} is not free")
        await self._moved(
            number,
            cell.beginning(channel, _key(), self._clock()),
            Act(who, "mounted", f"{task.label} on {channel}"),
        )
        self.wake()

    async def left_out(self, number: int, reason: str, who: str) -> None:
        """A cell is not to be measured."""
        cell = self._cell(number).left_out(reason, self._clock())
        await self._moved(
            number, cell, Act(who, "left out", f"{self.record.tasks[number - 1].label}: {reason}")
        )
        self.wake()

    async def again(self, number: int, who: str) -> None:
        """A cell that went wrong or was left out is to be tried once more; a study that was over goes on."""
        standing = self.record.standing
        if standing.state is StudyState.REPLACED:
            raise ServiceError(f"study {self.record.name} is over: {standing.reason}")
        goes_on = standing.state in (StudyState.RUNNING, StudyState.PAUSED)
        act = Act(who, "try again", self.record.tasks[number - 1].label)
        await self.record.change(
            self._journal,
            {number: self._cell(number).again(self._clock())},
            standing.acted() if goes_on else standing.steered(StudyState.RUNNING),
            act,
        )
        self.wake()

    async def steered(self, state: StudyState, reason: str, who: str) -> None:
        """A person pauses the study, lets it go on or cancels it; nobody is asked for a cell meanwhile."""
        cells: dict[int, StudyCell] = {}
        now = self._clock()
        for number, cell in enumerate(self.record.cells, start=1):
            if state is StudyState.CANCELLED and cell.state in (CellState.WAITING, CellState.ASKED):
                cells[number] = cell.left_out(reason, now)
            elif state is StudyState.PAUSED and cell.state is CellState.ASKED:
                cells[number] = cell.waiting(now)
        standing, act = self.record.standing.steered(state, reason), Act(who, _VERBS[state], reason)
        await self.record.change(self._journal, cells, standing, act)
        self.wake()

    async def _look_once(self, tasks: asyncio.TaskGroup) -> None:
        """Do what can be done now; what fails is tried again with the next look."""
        try:
            await self._follow()
            if self.record.standing.state is StudyState.RUNNING and not self._retired:
                await self._ask_and_begin()
                self._knock(tasks)
            self._start(tasks)
            await self._settle()
            self._let_go(tasks)
            self.trouble = None
        except GalvanodError as error:
            self.trouble = str(error)
            _log.warning("study %s: %s", self.record.name, error)
        except Exception as error:  # a fault of ours must not take the channels with it
            self.trouble = f"{type(error).__name__}: {error}"
            _log.exception("study %s", self.record.name)

    async def _follow(self) -> None:
        """See which runs are over; of a simulated cell, keep first what was put into it."""
        for number, cell in enumerate(self.record.cells, start=1):
            if cell.state is not CellState.RUNNING or cell.run is None:
                continue
            ending = await self._floor.ending(cell.run)
            if ending is not None and self.record.cells[number - 1] is cell:
                truth = await self._truth(number, cell)
                await self.record.change(
                    self._journal, {number: cell.ended(ending, self._clock())}, truth=truth
                )

    async def _truth(self, number: int, cell: StudyCell) -> "dict[str, Any] | None":
        seat = self._seat(number, cell.channel)
        if seat is None or seat.real:
            return None
        try:
            return dict(await self._floor.truth(seat))
        except InstrumentError as error:
            _log.warning(
                "study %s: what was put into cell %d is not known: %s", self.record.name, number, error
            )
            return None

    async def _ask_and_begin(self) -> None:
        """Give each waiting cell a channel that is free; for a real one somebody is asked to put it there."""
        changes: dict[int, StudyCell] = {}
        taken: set[str] = set()
        for number, cell in enumerate(self.record.cells, start=1):
            if cell.state is not CellState.WAITING:
                continue
            task = self.record.tasks[number - 1]
            seat = next(
                (s for s in self._floor.seats(task.row.on) if s.channel not in taken and self._usable(s)),
                None,
            )
            if seat is None:
                continue
            taken.add(seat.channel)
            now = self._clock()
            changes[number] = (
                cell.asked(seat.channel, now) if seat.real else cell.beginning(seat.channel, _key(), now)
            )
        if changes:
            await self.record.change(self._journal, changes)

    def _knock(self, tasks: asyncio.TaskGroup) -> None:
        """Try now and then to open what cells wait for: an instrument that was off may be on again."""
        now = self._clock()
        busy = self._knocking is not None and not self._knocking.done()
        silent = self._silent()
        if silent and not busy and now - self._knocked >= KNOCK_SECONDS:
            self._knocked = now
            self._knocking = tasks.create_task(self._knock_at(silent), name=f"{self.record.name} knocks")

    def _silent(self) -> list[str]:
        pairs = zip(self.record.tasks, self.record.cells, strict=True)
        names = dict.fromkeys(task.row.on for task, cell in pairs if cell.state is CellState.WAITING)
        return [s.channel for on in names for s in self._floor.seats(on) if self._floor.silent(s.channel)]

    async def _knock_at(self, channels: list[str]) -> None:
        for channel in channels:
            await self._floor.knock(channel)
        self.wake()

    def _let_go(self, tasks: asyncio.TaskGroup) -> None:
        """Tell the floor of channels that the study no longer uses: somebody may have queued there."""
        used = {cell.channel for cell in self.record.cells if cell.channel and self.uses(cell.channel)}
        for channel in self._used - used:
            if not self._kept(channel):
                tasks.create_task(self._floor.let_go(channel), name=f"{self.record.name} leaves {channel}")
        self._used = used

    def _usable(self, seat: Seat) -> bool:
        return self._floor.free(seat.channel) and not self._kept(seat.channel)

    def _start(self, tasks: asyncio.TaskGroup) -> None:
        """Submit, each in a task of its own, what is on its channel."""
        for number, cell in enumerate(self.record.cells, start=1):
            if cell.state is CellState.BEGINNING and number not in self._beginning:
                name = f"{self.record.name} cell {number}"
                self._beginning[number] = task = tasks.create_task(self._begin(number, cell), name=name)
                task.add_done_callback(partial(self._ended, number))

    def _ended(self, number: int, _: asyncio.Task[None]) -> None:
        """A beginning is over; where it waits again, the next look is soon enough."""
        del self._beginning[number]
        if self._cell(number).state is not CellState.WAITING:
            self.wake()

    async def _begin(self, number: int, cell: StudyCell) -> None:
        """Begin a run, unless its key says that it has begun, and keep what came of it.

        Where the disk does not take that, the next look begins it once more, under the same key.
        """
        outcome = await self._outcome(number, cell)
        with contextlib.suppress(ServiceError):
            await self.record.change(self._journal, {number: outcome})

    async def _outcome(self, number: int, cell: StudyCell) -> StudyCell:
        """Return what became of a cell that was to begin; a channel taken meanwhile is waited for."""
        try:
            run = await self._floor.begun(cell.key) or await self._submitted(number, cell)
            return cell.running(run, self._clock())
        except (UnavailableError, BusyError) as error:
            _log.warning("study %s, cell %d waits again: %s", self.record.name, number, error)
            return cell.waiting(self._clock())
        except GalvanodError as error:
            _log.warning("study %s, cell %d is refused: %s", self.record.name, number, error)
            return cell.refused(str(error), self._clock())
        except Exception as error:
            _log.exception("study %s, cell %d", self.record.name, number)
            return cell.refused(f"a fault of galvanod: {type(error).__name__}: {error}", self._clock())

    async def _submitted(self, number: int, cell: StudyCell) -> str:
        task = self.record.tasks[number - 1]
        seat = self._seat(number, cell.channel)
        if seat is None:
            raise UnknownError(f"channel {cell.channel} is no longer one of {task.row.on}'s on this bench")
        if not seat.real and task.variant.simulated is not None:
            await self._floor.insert(seat, task.variant.simulated, number, task.row.replicates > 1)
        protocol, file = self.record.order.given(task)
        request = Submit(
            protocol.text,
            protocol.file,
            file.text,
            file.file,
            seat.channel,
            dict(task.variables),
            self.record.order.resume,
            labels(self.record.study, self.record.name, task),
            key=cell.key,
        )
        return await self._floor.begin(request, self.record.order.who)

    async def _settle(self) -> None:
        """End the study where nothing of it is left to be done."""
        state = final(self.record.standing, self.record.cells)
        if state is not None:
            await self.record.change(self._journal, {}, self.record.standing.over(state, self._clock()))

    async def _moved(self, number: int, cell: StudyCell, act: Act | None = None) -> None:
        standing = None if act is None else self.record.standing.acted()
        await self.record.change(self._journal, {number: cell}, standing, act)

    def _seat(self, number: int, channel: str | None) -> Seat | None:
        """Return a channel that a cell may be on; None where the bench has no such channel for it."""
        seats = self._floor.seats(self.record.tasks[number - 1].row.on)
        return next((seat for seat in seats if seat.channel == channel), None)

    def _cell(self, number: int) -> StudyCell:
        return self.record.cells[number - 1]


_VERBS = {StudyState.RUNNING: "go on", StudyState.PAUSED: "pause", StudyState.CANCELLED: "cancel"}


def _key() -> str:
    """Return a key nobody guesses: who could, would have his run taken for ours."""
    return f"study-{secrets.token_hex(12)}"
