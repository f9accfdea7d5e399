"""The journal in use: one thread writes, and whoever writes at the same time shares one commit."""

import asyncio
import json
import logging
import sqlite3
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, NamedTuple, Self, TypeVar

from daemon.channels.latches import Latch
from daemon.errors import ServiceError, UnavailableError
from daemon.running.journal_file import Action, Ending, JournalFile, Statement, StudyRow
from daemon.running.order import Order

_log = logging.getLogger(__name__)

_T = TypeVar("_T")

_RETRY = 1.0  # seconds until a note that the disk did not take is tried again


class _Entry(NamedTuple):
    statement: Statement
    awaited: bool


class _Batch:
    """What the next commit carries, and the future of those who wait for it."""

    def __init__(self) -> None:
        self.entries: list[_Entry] = []
        self.awaited = False
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.done.add_done_callback(lambda done: done.exception())  # nobody may be waiting


class Journal:
    """Intents, acts, latches, cells and orders; to be used from the event loop's thread.

    `commit` returns once its statements are on the disk. `note` does not wait: what it was given is
    written with the next commit, in order, and tried again where the disk does not take it.
    """

    def __init__(self, file: JournalFile, thread: ThreadPoolExecutor) -> None:
        self._file = file
        self._thread = thread
        self._batch = _Batch()
        self._writing: asyncio.Future[None] | None = None
        self._next_action = file.next_action
        self._retry: asyncio.TimerHandle | None = None
        self.trouble: str | None = None
        """Why the last commit failed; None when it did not."""
        self.latches = file.latches()
        self.cells = file.cells()
        self.acknowledged = file.acknowledged()
        """Who last said, to an earlier core, that they had seen a channel's trouble."""
        self.orders: Sequence[Order] = file.open_runs()
        """The runs that were open when this core started."""
        self.waiting: Sequence[bytes] = file.waiting()
        """The submissions that waited on their channels then."""
        self.studies: Sequence[StudyRow] = file.studies()
        """The studies that went on then, the latest submitted first."""

    @classmethod
    async def open(cls, path: Path) -> Self:
        """Open or create the journal, which begins an epoch."""
        thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="journal")
        loop = asyncio.get_running_loop()
        try:
            file = await loop.run_in_executor(thread, JournalFile.open, path)
        except sqlite3.Error as error:
            thread.shutdown()
            raise UnavailableError(f"the journal {path} cannot be opened: {error}") from error
        return cls(file, thread)

    @property
    def last_action(self) -> int:
        """The number of the last action, whoever's it was."""
        return self._next_action - 1

    @property
    def epoch(self) -> int:
        return self._file.epoch

    async def commit(self, *statements: Statement) -> None:
        """Write now; raises `UnavailableError` if the disk does not take it."""
        batch = self._put(statements, awaited=True)
        batch.awaited = True
        self._start()
        await asyncio.shield(batch.done)

    def note(self, *statements: Statement) -> None:
        """Write as soon as may be, without waiting."""
        self._put(statements, awaited=False)
        self._start()

    async def open_run(self, order: Order) -> None:
        """Keep the order of a run, and the cell its channel holds from now on."""
        now = time.time()
        keyed = [("INSERT INTO submission VALUES (?, ?)", (order.key, order.run))] if order.key else []
        await self.commit(
            *keyed,
            ("INSERT INTO run VALUES (?, ?, ?, ?, NULL)", (order.run, order.channel, order.encoded(), now)),
            ("REPLACE INTO cell VALUES (?, ?, ?, ?)", (order.channel, order.cell, order.run, now)),
        )
        self.cells[order.channel] = order.cell

    async def submitted(self, key: str) -> Order | None:
        """Return the order that a submission with this key began; None where there was none."""
        return await self._read(lambda: self._file.submitted(key))

    def begun_by_nobody(self, run: str) -> None:
        """Forget the key of a submission whose run never began: sent again, it begins one."""
        self.note(("DELETE FROM submission WHERE run = ?", (run,)))

    async def wait(self, *waiting: tuple[int, bytes]) -> None:
        """Keep submissions that wait, or what has changed of them, all at once."""
        await self.commit(*(("REPLACE INTO waiting VALUES (?, ?)", one) for one in waiting))

    async def wait_no_more(self, number: int) -> None:
        """Forget a submission that waited."""
        await self.commit(("DELETE FROM waiting WHERE number = ?", (number,)))

    async def close_run(self, run: str, ending: Ending) -> None:
        """Note that the run has its stop record, and what that says."""
        await self.commit(
            ("UPDATE run SET closed = ? WHERE name = ?", (time.time(), run)),
            ("REPLACE INTO ending VALUES (?, ?, ?, ?)", (run, *ending)),
        )

    async def ending(self, run: str) -> Ending | None:
        """Return how a run ended that is closed; None where it is not, or nobody knows any more."""
        return await self._read(lambda: self._file.ending(run))

    async def study(self, number: int) -> StudyRow | None:
        """Return a study, whether it goes on or not."""
        found = await self._read(lambda: self._file.studies("number = ?", (number,)))
        return found[0] if found else None

    async def study_of_key(self, key: str) -> StudyRow | None:
        """Return the study that was submitted with this key."""
        found = await self._read(lambda: self._file.studies("key = ?", (key,)))
        return found[0] if found else None

    async def latest_study(self, title: str) -> StudyRow | None:
        """Return the study of this title that was submitted last."""
        found = await self._read(lambda: self._file.studies("title = ?", (title,), 1))
        return found[0] if found else None

    async def studies_before(self, moment: float, number: int, limit: int) -> list[StudyRow]:
        """Return up to `limit` studies submitted before a moment, or then and numbered below."""
        earlier = "(submitted, number) < (?, ?)"
        return await self._read(lambda: self._file.studies(earlier, (moment, number), limit))

    async def truths(self, study: int) -> list[tuple[int, bytes]]:
        """Return what was put into each simulated cell of a study, by the cell's number."""
        return await self._read(lambda: self._file.truths(study))

    async def next_study(self) -> int:
        """Return the number of the next study."""
        return await self._read(self._file.next_study)

    async def intend(self, channel: str, run: str, step: int, kind: str, arguments: Mapping[str, Any]) -> int:
        """Write down what is about to be done; returns its number once that is on the disk."""
        number = self._number_action()
        row = (number, self.epoch, channel, run, step, kind, json.dumps(arguments), time.time())
        await self.commit(
            (
                "INSERT INTO action (number, epoch, channel, run, step, kind, arguments, phase, intended)"
                " VALUES (?, ?, ?, ?, ?, ?, ?, 'intent', ?)",
                row,
            )
        )
        return number

    def settle(self, number: int, phase: str, read_back: str) -> None:
        """Note what became of an intent."""
        sql = "UPDATE action SET phase = ?, settled = ?, read_back = ? WHERE number = ?"
        self.note((sql, (phase, time.time(), read_back, number)))

    def acted(self, channel: str, run: str, step: int, kind: str, phase: str, read_back: str) -> None:
        """Note an action that did not wait for its intent: switching off."""
        row = (self._number_action(), self.epoch, channel, run, step, kind, phase, time.time(), read_back)
        self.note(
            (
                "INSERT INTO action (number, epoch, channel, run, step, kind, arguments, phase, settled,"
                " read_back) VALUES (?, ?, ?, ?, ?, ?, '{}', ?, ?, ?)",
                row,
            )
        )

    async def latch(self, latch: Latch) -> None:
        """Latch a channel: at once in memory, then on the disk, also where that takes it only later."""
        self.latches[latch.channel] = latch
        readings = json.dumps(latch.readings)
        row = (latch.channel, latch.time, latch.run, latch.reason, readings)
        statement = ("REPLACE INTO latch VALUES (?, ?, ?, ?, ?)", row)
        try:
            await self.commit(statement)
        except UnavailableError:
            self.note(statement)
            raise

    async def clear(self, channel: str, who: str, reason: str) -> None:
        """Undo a latch; who did it and why stays in the audit."""
        latch = self.latches[channel]
        detail = {"reason": reason, "latched for": latch.reason, "latched": latch.time}
        await self.commit(
            ("DELETE FROM latch WHERE channel = ?", (channel,)),
            audit_entry(who, "clear", channel, json.dumps(detail)),
        )
        del self.latches[channel]

    def audit(self, who: str, what: str, subject: str, detail: str) -> None:
        """Note that somebody asked for something and got it."""
        self.note(audit_entry(who, what, subject, detail))

    async def audited(self, what: str, subject: str, since: float) -> list[tuple[float, str, str]]:
        """Return when, by whom and with what detail something was done since a moment (UTC seconds)."""
        return await self._read(lambda: self._file.audit(what, subject, since))

    async def entries(self, before: int | None, limit: int) -> list[dict[str, Any]]:
        """Return who did what, the latest first, below a number."""
        return await self._read(lambda: self._file.entries(before, limit))

    async def actions(self, run: str) -> list[Action]:
        """Return what was done for a run, in order."""
        return await self._read(lambda: self._file.actions(run))

    async def aclose(self) -> None:
        """Write what is left, then close the file and end its thread."""
        if self._retry is not None:
            self._retry.cancel()
        try:
            await self.commit()
        except ServiceError as error:
            _log.error("the journal is closed with notes unwritten: %s", error)
        if self._retry is not None:
            self._retry.cancel()
        try:
            await self._read(self._file.close)
        finally:
            self._thread.shutdown()

    async def _read(self, question: Callable[[], _T]) -> _T:
        return await asyncio.get_running_loop().run_in_executor(self._thread, question)

    def _number_action(self) -> int:
        number = self._next_action
        self._next_action += 1
        return number

    def _put(self, statements: Sequence[Statement], awaited: bool) -> _Batch:
        self._batch.entries.extend(_Entry(statement, awaited) for statement in statements)
        return self._batch

    def _start(self) -> None:
        """Begin a commit unless one is under way, which begins the next when it is over."""
        if self._writing is not None:
            return
        batch, self._batch = self._batch, _Batch()
        statements = [entry.statement for entry in batch.entries]
        loop = asyncio.get_running_loop()
        self._writing = loop.run_in_executor(self._thread, self._file.commit, statements)
        self._writing.add_done_callback(lambda written: self._settle(batch, written))

    def _settle(self, batch: _Batch, written: asyncio.Future[None]) -> None:
        self._writing = None
        error = written.exception()
        if error is None:
            if self.trouble is not None:
                _log.info("the journal takes what it is given again")
            self.trouble = None
            batch.done.set_result(None)
            if self._batch.entries or self._batch.awaited:
                self._start()
        else:
            self._refused(batch, error)

    def _refused(self, batch: _Batch, error: BaseException) -> None:
        """Tell those who wait; what nobody waits for stays, before everything younger."""
        if self.trouble is None:
            _log.error("the journal takes nothing: %s", error)
        self.trouble = str(error) or type(error).__name__
        kept = [entry for entry in batch.entries if not entry.awaited]
        self._batch.entries[:0] = kept
        refusal = (
            error
            if isinstance(error, ServiceError)
            else UnavailableError(f"the journal did not take it: {self.trouble}")
        )
        batch.done.set_exception(refusal)
        if self._batch.awaited:
            self._start()
        elif kept and not isinstance(error, ServiceError):
            if self._retry is not None:
                self._retry.cancel()
            self._retry = asyncio.get_running_loop().call_later(_RETRY, self._start)


def audit_entry(who: str, what: str, subject: str, detail: str) -> Statement:
    """Return the statement that keeps who did what."""
    sql = "INSERT INTO audit (time, who, what, subject, detail) VALUES (?, ?, ?, ?, ?)"
    return sql, (time.time(), who, what, subject, detail)
