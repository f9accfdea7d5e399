"""One channel of a Neware: a step file for a whole protocol, or for one step, followed record by record."""

import asyncio
import time
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import NamedTuple
from xml.sax.saxutils import escape, quoteattr

from drivers.base import Program, ProgramState, ProgramStatus, Record
from drivers.errors import LinkError, RefusedError
from drivers.neware_folder import Folder
from drivers.neware_holding import ends_of, refusal, unheld
from drivers.neware_session import MOST_RECORDS, Page, Place, Row, Session, items
from drivers.neware_steps import StepFile, step_file
from drivers.neware_trace import Trace
from drivers.whole import Followed, Taken, Unheld, WholeChannel, WholeProgram
from protocols.plan import Plan, PlannedStep
from protocols.reading import Reading
from protocols.techniques import ConstantVoltage

BACKUP = (
    '<backup backupdir="" remotedir="" filenametype="0" customfilename="" addtimewhenrepeat="0" '
    'createdirbydate="0" filetype="0" backupontime="0" backupontimeinterval="720" backupfree="1" />'
)

SHORTEST_WAIT, LONGEST_WAIT = 0.02, 5.0
"""Seconds between two questions while nothing is new; twice as long each time: data is 5 s old at best."""

CONFIRM_SECONDS = 20.0
"""How long a client may take to show a test it has started: four times as old as its data may be."""

OPEN = frozenset(("finish", "stop", "protect"))
"""Words for a channel whose circuit is open, which may be started."""


class Ahead(NamedTuple):
    """A page asked for before anybody wants it, and the number of its first record."""

    first: int
    page: asyncio.Task[Page]


class NewareChannel(WholeChannel):
    """Holds a whole protocol; given a `Program`, a file of one step, which the core may end by `finish`."""

    def __init__(self, session: Session, place: Place, folder: Folder | None) -> None:
        self._session = session
        self._place = place
        self._folder = folder
        self._tag: str | None = None
        self._test = 0
        self._trace = Trace({})
        self._page = MOST_RECORDS
        self._ahead: Ahead | None = None
        self._wait = SHORTEST_WAIT
        self._ending: ProgramStatus | None = None  # what our own stop means
        self._records: list[Record] = []  # of the one step of a `Program`
        self._origin = 0.0  # when that step began, on the timeline of its readings
        self._opened = time.monotonic()

    def refusal(self, step: PlannedStep) -> str | None:
        return refusal(step)

    def unheld(self, plan: Plan) -> Sequence[Unheld]:
        return unheld(plan)

    def program(self, tag: str, program: Program) -> str:
        return step_file(tag, _alone(program), _now()).text

    def whole_program(self, tag: str, program: WholeProgram) -> str:
        return step_file(tag, program, _now()).text

    async def look(self) -> Reading:
        shown = await self._shown()
        try:
            return Reading(self._time(), float(shown["voltage"]), float(shown["current"]))
        except (KeyError, ValueError) as error:
            raise LinkError(f"{self._where}: inquire was answered by {shown!r}") from error

    async def start_whole(self, tag: str, program: WholeProgram) -> None:
        found = self.unheld(program.plan)
        if found:
            raise RefusedError("; ".join(f"line {line}: {what}: {reason}" for line, what, reason in found))
        await self._start(tag, step_file(tag, program, _now()), MOST_RECORDS)

    async def start(self, tag: str, program: Program) -> float:
        reason = refusal(program.step)
        if reason is not None:
            raise RefusedError(f"step {program.step.path}: {reason}")
        charging = True
        if isinstance(program.step.technique, ConstantVoltage):
            charging = (await self.look()).voltage <= program.step.technique.level.volts
        self._origin, self._records = self._time(), []
        await self._start(tag, step_file(tag, _alone(program), _now(), charging), _page(program))
        return self._origin

    async def attach_whole(self, tag: str, program: WholeProgram, taken: Taken) -> bool:
        return await self._attach(tag, step_file(tag, program, _now()), taken, MOST_RECORDS)

    async def attach(self, tag: str, program: Program) -> float | None:
        self._origin, self._records = self._time(), []
        file = step_file(tag, _alone(program), _now())
        return self._origin if await self._attach(tag, file, Taken(), _page(program)) else None

    async def follow(self) -> Followed:
        """Ask what the channel does only where it has no more to tell: a full page says that it has."""
        rows = await self._rows()
        if len(rows) == MOST_RECORDS:
            self._read_ahead(rows[-1].seqid + 1)
            await asyncio.sleep(0)  # so that the question is on its way before this page is looked at
            running = ProgramStatus(ProgramState.RUNNING, self._tag)
            return Followed(running, self._trace.take(rows, complete=False))
        word = await self._word()
        status, whole = await self._status(word, self._trace.number + len(rows))
        stretches = self._trace.take(rows, complete=whole and word == "finish")
        await self._rest(bool(rows) or whole)
        return Followed(status, stretches)

    async def state(self) -> ProgramStatus:
        return (await self._status(await self._word(), self._trace.number))[0]

    async def records(self, after: int) -> Sequence[Record]:
        if self._trace.number <= after:
            rows = await self._rows()
            for stretch in self._trace.take(rows, complete=False):
                self._records += [_later(record, self._origin) for record in stretch.records]
            await self._rest(bool(rows))
        return self._records[after:]

    async def skip(self) -> None:
        self._forget_ahead()
        step = self._trace.step
        body = f'<goto {self._place.attributes} step="{step + 1}">true</goto>'
        await self._do("goto", f'<list count="1">{body}</list>', f"step {step} goes on")

    async def finish(self) -> None:
        self._forget_ahead()
        if await self._word() == "working":
            self._ending = ProgramStatus(ProgramState.FINISHED, self._tag, "finished")
            await self._stop()

    async def off(self) -> None:
        self._forget_ahead()
        self._ending = ProgramStatus(ProgramState.IDLE)
        try:
            await self._disconnect()
        except LinkError:
            await self._disconnect()

    async def _disconnect(self) -> None:
        if await self._word() in OPEN:
            return
        await self._stop()
        end, wait = time.monotonic() + CONFIRM_SECONDS, SHORTEST_WAIT
        while await self._word() not in OPEN:
            if time.monotonic() > end:
                raise RefusedError(f"{self._where}: told to stop, it still works after {CONFIRM_SECONDS:g} s")
            await asyncio.sleep(wait)
            wait = min(LONGEST_WAIT, 2.0 * wait)

    async def _stop(self) -> None:
        body = f"<stop {self._place.attributes}>true</stop>"
        try:
            await self._do("stop", f'<list count="1">{body}</list>', "")
        except RefusedError:
            if await self._word() not in OPEN:  # it may have been over just then
                raise

    async def _start(self, tag: str, file: StepFile, page: int) -> None:
        if self._folder is None:
            raise RefusedError(
                f"{self._where}: its BTS Client reads step files itself and nobody says from where; "
                "wanted ?folder=… (and &seen=…) at the end of its address"
            )
        before, _, _ = await self._counted()
        name = f"{self._place} {tag}"
        path = self._folder.write(name, file.text)
        try:
            head = f"<start {self._place.attributes} barcode={quoteattr(tag)}>{escape(path)}</start>"
            await self._do("start", f'<list count="1">{head}{BACKUP}</list>', f"file {path}")
            test = await self._new_test(before)
        finally:
            self._folder.remove(name)
        self._follow(tag, test, Trace(file.paths), page)

    async def _new_test(self, before: int) -> int:
        """Wait until the client shows the test it has started; return its number."""
        end, wait = time.monotonic() + CONFIRM_SECONDS, SHORTEST_WAIT
        while (test := (await self._counted())[0]) == before:
            if time.monotonic() > end:
                raise RefusedError(
                    f"{self._where}: started, but no test is shown after {CONFIRM_SECONDS:g} s"
                )
            await asyncio.sleep(wait)
            wait = min(LONGEST_WAIT, 2.0 * wait)
        return test

    async def _attach(self, tag: str, file: StepFile, taken: Taken, page: int) -> bool:
        if (await self._shown()).get("barcode") != tag:
            return False
        test, count, _ = await self._counted()
        if count < taken.number:
            return False
        last = (await self._session.page(self._place, taken.number, 1)).rows if taken.number else []
        self._follow(tag, test, Trace(file.paths, taken, *last), page)
        return True

    def _follow(self, tag: str, test: int, trace: Trace, page: int) -> None:
        self._forget_ahead()
        self._tag, self._test, self._trace, self._page = tag, test, trace, page
        self._ending, self._wait = None, SHORTEST_WAIT

    async def _status(self, word: str, taken: int) -> tuple[ProgramStatus, bool]:
        """Return what a word of the client means, and whether every record of a test that ended was taken."""
        if self._tag is None:
            return ProgramStatus(ProgramState.IDLE), True
        if word == "working":
            return ProgramStatus(ProgramState.RUNNING, self._tag), False
        _, count, whole = await self._counted()
        if not whole or count > taken:
            return ProgramStatus(ProgramState.RUNNING, self._tag), False
        return self._ended(word), True

    def _ended(self, word: str) -> ProgramStatus:
        if word == "protect":
            return ProgramStatus(ProgramState.FAULT, self._tag, "its protection acted", limit=True)
        if self._ending is not None:
            return self._ending
        if word == "finish":
            return ProgramStatus(ProgramState.FINISHED, self._tag)
        return ProgramStatus(ProgramState.FAULT, self._tag, f"{word!r} at the cycler itself")

    async def _rows(self) -> Sequence[Row]:
        if self._tag is None:
            return []
        page = await self._next_page(self._trace.number + 1)
        if page.test != self._test:
            raise RefusedError(f"{self._where}: test {page.test} runs there, ours is {self._test}")
        return page.rows

    async def _next_page(self, first: int) -> Page:
        ahead = self._ahead
        if ahead is None or ahead.first != first:
            self._forget_ahead()
            return await self._session.page(self._place, first, self._page)
        self._ahead = None
        return await ahead.page

    def _read_ahead(self, first: int) -> None:
        """Ask for the next page while this one is looked at: on two processors both go on meanwhile."""
        page = asyncio.create_task(self._session.page(self._place, first, self._page), name="next page")
        page.add_done_callback(_look_at)
        self._ahead = Ahead(first, page)

    def _forget_ahead(self) -> None:
        """Let go of the next page, and of the wire: something else is to be said now."""
        ahead, self._ahead = self._ahead, None
        if ahead is not None:
            ahead.page.cancel()

    async def _rest(self, news: bool) -> None:
        """Leave the client alone for a while where it had nothing new to say."""
        if news:
            self._wait = SHORTEST_WAIT
            return
        await asyncio.sleep(self._wait)
        self._wait = min(LONGEST_WAIT, 2.0 * self._wait)

    async def _word(self) -> str:
        """Return what the channel does, in the client's word."""
        body = f'<list count="1"><status {self._place.attributes}>true</status></list>'
        return (await self._one("getchlstatus", body))["text"]

    async def _shown(self) -> Mapping[str, str]:
        body = f'<list count="1"><inquire {self._place.attributes} aux="0" barcode="1">true</inquire></list>'
        return await self._one("inquire", body)

    async def _counted(self) -> tuple[int, int, bool]:
        """Return the number of the present test, how many records it has, and whether all are there."""
        body = f'<list count="1"><chl {self._place.device_attributes} testid="0" /></list>'
        shown = await self._one("inquiredf", body)
        try:
            return int(shown["testid"]), int(shown["count"]), shown["text"] == "true"
        except (KeyError, ValueError) as error:
            raise LinkError(f"{self._where}: inquiredf was answered by {shown!r}") from error

    async def _do(self, command: str, body: str, what: str) -> None:
        shown = await self._one(command, body)
        if shown["text"] != "ok":
            about = f" ({what})" if what else ""
            raise RefusedError(f"{self._where}: {command} was answered by {shown['text']!r}{about}")

    async def _one(self, command: str, body: str) -> Mapping[str, str]:
        """Return what an answer says of the one channel that was asked about.

        Its address is not looked at: clients are known to give the wrong sub-device.
        """
        listed = list(items(await self._session.ask(command, body)))
        if len(listed) != 1:
            raise LinkError(f"{self._where}: {command} was answered for {len(listed)} channels")
        return listed[0]

    def _time(self) -> float:
        """Return the channel's time: the host's seconds since opening, never behind the last reading."""
        reached = self._records[-1].point.time if self._records else self._origin
        return max(time.monotonic() - self._opened, reached)

    @property
    def _where(self) -> str:
        return f"channel {self._place} at {self._session.address}"


def _page(program: Program) -> int:
    """Return how many records are asked for at once.

    What only the core can judge is judged record by record, so that the step ends where it is met.
    """
    return 1 if ends_of(program.step).strange else MOST_RECORDS


def _alone(program: Program) -> WholeProgram:
    """Return a program of one step as a whole one."""
    plan = Plan("one step", (program.step,), program.limits, (), "", "")
    done = (program.seconds_done, program.coulombs_done, program.joules_done)
    return WholeProgram(plan, program.sample, *done)


def _look_at(page: asyncio.Task[Page]) -> None:
    """Take note of how a page ended that perhaps nobody wants any more: who does is told as well."""
    if not page.cancelled():
        page.exception()


def _later(record: Record, origin: float) -> Record:
    point = record.point
    return record._replace(point=point._replace(time=origin + point.time))


def _now() -> datetime:
    return datetime.now()  # noqa: DTZ005  (as a client dates its own files)
