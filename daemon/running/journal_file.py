"""The journal's file: what was done to which instrument, by which core, and what must not be forgotten."""

import json
import os
import sqlite3
import time
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, NamedTuple, Self

from daemon.channels.acknowledgements import Acknowledgement
from daemon.channels.latches import Latch
from daemon.delivery.sqlite_files import connected, is_sound, moved_aside, require_version
from daemon.errors import BusyError
from daemon.host.uptime import boot
from daemon.running import order
from daemon.running.order import Order

LAYOUT = 1
"""Grows when an earlier version could no longer read the file."""

SCHEMA = """
CREATE TABLE IF NOT EXISTS meta (name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS epoch (
    number INTEGER PRIMARY KEY AUTOINCREMENT, started REAL NOT NULL, process INTEGER NOT NULL,
    boot TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS run (
    name TEXT PRIMARY KEY, channel TEXT NOT NULL, source BLOB NOT NULL, opened REAL NOT NULL,
    closed REAL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS action (
    number INTEGER PRIMARY KEY, epoch INTEGER NOT NULL, channel TEXT NOT NULL, run TEXT NOT NULL,
    step INTEGER NOT NULL, kind TEXT NOT NULL, arguments TEXT NOT NULL, phase TEXT NOT NULL,
    intended REAL, settled REAL, read_back TEXT NOT NULL DEFAULT '');
CREATE INDEX IF NOT EXISTS actions_of_a_run ON action (run, number);
CREATE TABLE IF NOT EXISTS latch (
    channel TEXT PRIMARY KEY, time REAL NOT NULL, run TEXT NOT NULL, reason TEXT NOT NULL,
    readings TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS cell (
    channel TEXT PRIMARY KEY, name TEXT NOT NULL, run TEXT NOT NULL, since REAL NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS waiting (number INTEGER PRIMARY KEY, source BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS ending (
    run TEXT PRIMARY KEY, state TEXT NOT NULL, reason TEXT NOT NULL, readings INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS study (
    number INTEGER PRIMARY KEY, title TEXT NOT NULL, key TEXT UNIQUE, submitted REAL NOT NULL, ended REAL,
    source BLOB NOT NULL, state BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS study_cell (
    study INTEGER NOT NULL, number INTEGER NOT NULL, state BLOB NOT NULL, truth BLOB,
    PRIMARY KEY (study, number)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS submission (key TEXT PRIMARY KEY, run TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS audit (
    number INTEGER PRIMARY KEY AUTOINCREMENT, time REAL NOT NULL, who TEXT NOT NULL, what TEXT NOT NULL,
    subject TEXT NOT NULL, detail TEXT NOT NULL);
"""

KEPT_SECONDS = 90 * 86400.0
"""How long the actions of a run that is over are kept."""

Statement = tuple[str, tuple[Any, ...]]


class Action(NamedTuple):
    """One hardware action of a run, as far as it is known to have come."""

    number: int
    epoch: int
    run: str
    step: int
    kind: str
    arguments: Mapping[str, Any]
    phase: str  # intent, done, failed, lost
    intended: float | None  # UTC seconds; None for switching off, which does not wait for its intent


class Ending(NamedTuple):
    """How a run ended: one of `RunState`, why, and the readings and spectrum points it kept."""

    state: str
    reason: str
    readings: int


class StudyRow(NamedTuple):
    """A study as it is kept: what was submitted, where it stands, and its cells in order."""

    number: int
    source: bytes
    state: bytes
    cells: list[bytes]


class JournalFile:
    """Synchronous, and to be used from one thread at a time; every commit is on the disk when it returns.

    Opening it begins an epoch. Intents that an earlier epoch left open are marked lost: whether they
    reached the instrument is unknown, and they are never replayed.
    """

    def __init__(self, connection: sqlite3.Connection, set_aside: Path | None) -> None:
        self._connection = connection
        self.set_aside = set_aside
        """Where the damaged file of an earlier start went, if there was one."""
        self.epoch = self._begin_epoch()
        self.next_action: int = (
            connection.execute("SELECT coalesce(max(number), 0) FROM action").fetchone()[0] + 1
        )

    @classmethod
    def open(cls, path: Path) -> Self:
        """Open or create the journal; a damaged file is moved aside, never deleted."""
        set_aside = moved_aside(path) if path.exists() and not is_sound(path) else None
        connection = connected(path)
        with connection:
            require_version(connection, path, LAYOUT)
            connection.executescript(SCHEMA)
        return cls(connection, set_aside)

    def commit(self, statements: Iterable[Statement]) -> None:
        """Do all statements in one transaction; `BusyError` if a younger core has taken over."""
        with self._connection as connection:
            connection.execute("BEGIN IMMEDIATE")
            newest = connection.execute("SELECT max(number) FROM epoch").fetchone()[0]
            if newest != self.epoch:
                raise BusyError(f"epoch {newest} has taken over from this core's epoch {self.epoch}")
            for sql, parameters in statements:
                connection.execute(sql, parameters)

    def open_runs(self) -> list[Order]:
        """Return every run that was opened and not closed, oldest first."""
        query = "SELECT source FROM run WHERE closed IS NULL ORDER BY opened"
        return [order.decoded(blob) for (blob,) in self._connection.execute(query)]

    def waiting(self) -> list[bytes]:
        """Return every submission that waits on a channel, the oldest first."""
        return [blob for (blob,) in self._connection.execute("SELECT source FROM waiting ORDER BY number")]

    def submitted(self, key: str) -> Order | None:
        """Return the order that a submission with this key began."""
        query = "SELECT source FROM submission JOIN run ON run.name = submission.run WHERE key = ?"
        row = self._connection.execute(query, (key,)).fetchone()
        return None if row is None else order.decoded(row[0])

    def ending(self, run: str) -> Ending | None:
        """Return how a run ended that is closed; None where it is not, or nobody knows any more."""
        query = "SELECT state, reason, readings FROM ending WHERE run = ?"
        row = self._connection.execute(query, (run,)).fetchone()
        return None if row is None else Ending(*row)

    def studies(
        self, where: str = "ended IS NULL", parameters: tuple[Any, ...] = (), limit: int = -1
    ) -> list[StudyRow]:
        """Return studies with their cells, the latest submitted first; by default those that go on."""
        query = (
            f"SELECT number, source, state FROM study WHERE {where}"  # noqa: S608
            " ORDER BY submitted DESC, number DESC LIMIT ?"
        )
        found = self._connection.execute(query, (*parameters, limit)).fetchall()
        return [StudyRow(number, source, state, self._study_cells(number)) for number, source, state in found]

    def truths(self, study: int) -> list[tuple[int, bytes]]:
        """Return what was put into each simulated cell of a study, by the cell's number."""
        query = "SELECT number, truth FROM study_cell WHERE study = ? AND truth IS NOT NULL"
        return self._connection.execute(query, (study,)).fetchall()

    def next_study(self) -> int:
        """Return the number of the next study."""
        found = self._connection.execute("SELECT coalesce(max(number), 0) + 1 FROM study").fetchone()
        return int(found[0])

    def _study_cells(self, study: int) -> list[bytes]:
        query = "SELECT state FROM study_cell WHERE study = ? ORDER BY number"
        return [blob for (blob,) in self._connection.execute(query, (study,))]

    def latches(self) -> dict[str, Latch]:
        """Return the latched channels."""
        query = "SELECT channel, time, run, reason, readings FROM latch"
        return {
            channel: Latch(channel, moment, run, reason, json.loads(readings))
            for channel, moment, run, reason, readings in self._connection.execute(query)
        }

    def cells(self) -> dict[str, str]:
        """Return the cell each channel was last said to hold."""
        return dict(self._connection.execute("SELECT channel, name FROM cell"))

    def actions(self, run: str) -> list[Action]:
        """Return what was done for a run, in order."""
        query = (
            "SELECT number, epoch, run, step, kind, arguments, phase, intended FROM action"
            " WHERE run = ? ORDER BY number"
        )
        return [
            Action(number, epoch, name, step, kind, json.loads(arguments), phase, intended)
            for number, epoch, name, step, kind, arguments, phase, intended in self._connection.execute(
                query, (run,)
            )
        ]

    def audit(self, what: str, subject: str, since: float) -> list[tuple[float, str, str]]:
        """Return when, by whom and with what detail something was done since a moment."""
        query = (
            "SELECT time, who, detail FROM audit WHERE what = ? AND subject = ? AND time >= ? ORDER BY number"
        )
        return self._connection.execute(query, (what, subject, since)).fetchall()

    def acknowledged(self) -> dict[str, Acknowledgement]:
        """Return who last said, of each channel, that its trouble was seen."""
        query = "SELECT subject, who, time, detail FROM audit WHERE what = 'acknowledge' ORDER BY number"
        return {
            channel: Acknowledgement(who, moment, text)
            for channel, who, moment, text in self._connection.execute(query)
        }

    def entries(self, before: int | None, limit: int) -> list[dict[str, Any]]:
        """Return up to `limit` entries of the audit below a number, the latest first."""
        names = ("number", "time", "who", "what", "subject", "detail")
        query = (
            "SELECT number, time, who, what, subject, detail FROM audit"
            " WHERE number < ? ORDER BY number DESC LIMIT ?"
        )
        rows = self._connection.execute(query, (before if before is not None else 2**62, limit))
        return [dict(zip(names, row, strict=True)) for row in rows]

    def close(self) -> None:
        """Close the file, marked as left in order."""
        with self._connection as connection:
            connection.execute("REPLACE INTO meta VALUES ('open', 0)")
        self._connection.close()

    def _begin_epoch(self) -> int:
        now = time.time()
        with self._connection as connection:
            connection.execute("BEGIN IMMEDIATE")
            connection.execute("REPLACE INTO meta VALUES ('open', 1)")
            cursor = connection.execute(
                "INSERT INTO epoch (started, process, boot) VALUES (?, ?, ?)", (now, os.getpid(), boot())
            )
            connection.execute("UPDATE action SET phase = 'lost', settled = ? WHERE phase = 'intent'", (now,))
            old = "SELECT name FROM run WHERE closed < ?"
            connection.execute(f"DELETE FROM action WHERE run IN ({old})", (now - KEPT_SECONDS,))  # noqa: S608
        return int(cursor.lastrowid or 0)
