"""The ledger: what was asked of the page that would change something, by whom, from where, and its answer.

What a core did is in the core's own audit; here is also what was refused, who logged in, and whose
tokens were made. Written by a thread of its own: no request waits for it, a stop least of all.
"""

import logging
import sqlite3
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any, NamedTuple

_log = logging.getLogger(__name__)

MOST_KEPT = 1_000_000
"""Requests of people with a token; the oldest of more are forgotten."""

MOST_STRANGERS = 10_000
"""Requests of people without one, of whom there may be any number."""

PRUNED_EVERY = 1_000
"""Entries after which the oldest are forgotten."""

MOST_UNWRITTEN = 10_000
"""Entries that may wait for a slow disk; of more it is logged that they are missing."""

PAGE = 500

_SCHEMA = """
CREATE TABLE IF NOT EXISTS asked (
    number INTEGER PRIMARY KEY AUTOINCREMENT, time REAL NOT NULL, who TEXT, address TEXT NOT NULL,
    method TEXT NOT NULL, path TEXT NOT NULL, status INTEGER NOT NULL
)"""
_READ = """
SELECT number, time, who, address, method, path, status FROM asked
WHERE number < ? ORDER BY number DESC LIMIT ?"""
_PRUNE = """
DELETE FROM asked WHERE (who IS NULL) = ? AND number <= (
    SELECT number FROM asked WHERE (who IS NULL) = ? ORDER BY number DESC LIMIT 1 OFFSET ?
)"""


class Request(NamedTuple):
    """One request; `who` is None for somebody unknown, `status` that of the answer."""

    who: str | None
    address: str
    method: str
    path: str
    status: int


class Ledger:
    """A file of its own, opened with the first entry; what the disk does not take is logged."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="ledger")
        self._file: sqlite3.Connection | None = None
        self._unwritten = 0
        self._written = 0

    def note(self, request: Request) -> None:
        """Write it down, without waiting."""
        if self._unwritten >= MOST_UNWRITTEN:
            _log.error("not in the ledger, the disk is too slow: %r", request)
            return
        self._unwritten += 1
        self._thread.submit(self._write, time.time(), request).add_done_callback(self._settle)

    def entries(self, before: int | None, limit: int) -> list[dict[str, Any]]:
        """Return what was asked, the latest first, below a number. Raises `sqlite3.Error`."""
        return self._thread.submit(self._read, before, limit).result()

    def every(self) -> Iterator[Mapping[str, Any]]:
        """Yield all of it, the latest first, page by page. Raises `sqlite3.Error`."""
        before = None
        while page := self.entries(before, PAGE):
            yield from page
            before = page[-1]["number"]

    def close(self) -> None:
        """Write what is left."""
        self._thread.submit(self._close).result()
        self._thread.shutdown()

    def _opened(self) -> sqlite3.Connection:
        if self._file is None:
            self._file = sqlite3.connect(self._path, isolation_level=None)
            self._file.execute("PRAGMA journal_mode = WAL")
            self._file.execute("PRAGMA synchronous = NORMAL")  # a flood of strangers wears out no disk
            self._file.execute(_SCHEMA)
        return self._file

    def _write(self, moment: float, request: Request) -> None:
        file = self._opened()
        file.execute(
            "INSERT INTO asked (time, who, address, method, path, status) VALUES (?, ?, ?, ?, ?, ?)",
            (moment, *request),
        )
        if self._written % PRUNED_EVERY == 0:
            for stranger, most in ((0, MOST_KEPT), (1, MOST_STRANGERS)):
                file.execute(_PRUNE, (stranger, stranger, most))
        self._written += 1

    def _read(self, before: int | None, limit: int) -> list[dict[str, Any]]:
        found = self._opened().execute(_READ, (2**63 - 1 if before is None else before, limit))
        names = [column[0] for column in found.description]
        return [dict(zip(names, row, strict=True)) for row in found]

    def _close(self) -> None:
        if self._file is not None:
            self._file.close()

    def _settle(self, written: Future[None]) -> None:
        self._unwritten -= 1
        if (error := written.exception()) is not None:
            _log.error("the ledger takes nothing: %s", error)
