"""The spool: what the core has read, on the core's own disk, until it is safe elsewhere.

What no recorder has acknowledged yet is *pending*. What was acknowledged is *kept* until a backup
of the results database holds it, within bounds: should the database turn out to have lost it, it
is pending again.
"""

import sqlite3
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple, Self

from daemon.delivery.sqlite_files import connected, is_sound, moved_aside, require_version
from daemon.recording.lineage import UNMARKED, Holdings, Mark, is_lost

LAYOUT = 2
"""Grows when an earlier version could no longer read the file, or would lose what is in it."""

SCHEMA = """
CREATE TABLE IF NOT EXISTS batches (
    sequence INTEGER PRIMARY KEY AUTOINCREMENT, topic TEXT NOT NULL, payload BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS pending (sequence INTEGER PRIMARY KEY);
CREATE TABLE IF NOT EXISTS kept (
    sequence INTEGER PRIMARY KEY, database TEXT NOT NULL, commits INTEGER NOT NULL, size INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS meta (name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS run_state (run TEXT PRIMARY KEY, state BLOB NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS scan_state (scans TEXT PRIMARY KEY, state BLOB NOT NULL) WITHOUT ROWID;
"""
KEEP_BYTES = 1 << 30
"""Of acknowledged batches kept at most where nobody says how many."""

NOTHING: Mapping[int, Mark] = MappingProxyType({})
NO_SCANS: Mapping[str, bytes] = MappingProxyType({})
FORGOTTEN = 256  # kept batches that one commit forgets at most: it is not to take long
FREE_PAGES = 2048  # 8 MiB of emptied file is kept for the next outage; more is given back to the disk


class Spooled(NamedTuple):
    """One encoded batch, ready to be published."""

    sequence: int
    topic: str
    payload: bytes


class Told(NamedTuple):
    """What a recorder says its database holds, and the newest backup of it."""

    holdings: Holdings
    backed_up: Holdings


class Spool:
    """Batches, checkpoints and the epoch of one core, in one SQLite file.

    Synchronous, and to be used from one thread at a time. Every commit is on the disk when it
    returns (WAL, synchronous=FULL). Raises sqlite3.Error where the disk does not take it; nothing
    of that commit is kept then.
    """

    def __init__(
        self, connection: sqlite3.Connection, set_aside: Path | None, keep_bytes: int = KEEP_BYTES
    ) -> None:
        self._connection = connection
        self._keep_bytes = keep_bytes
        self._backed_up: Holdings = {}
        self._some_due = False  # whether a backup holds some of what is kept
        self.set_aside = set_aside
        """Where the damaged file of an earlier start went, if there was one."""
        self.epoch = self._begin_epoch()
        """Grows with every opening."""
        self.count: int = connection.execute("SELECT count(*) FROM pending").fetchone()[0]
        """How many batches are pending."""
        self.kept_bytes: int = connection.execute("SELECT coalesce(sum(size), 0) FROM kept").fetchone()[0]
        """Bytes of the batches that are kept although they were acknowledged."""

    @classmethod
    def open(cls, path: Path, first: int | None = None, keep_bytes: int = KEEP_BYTES) -> Self:
        """Open or create the spool; a damaged file is moved aside, never deleted.

        `first` numbers the first batch of a new spool. By default that is the present moment in
        milliseconds, so that a late acknowledgement meant for a spool that was lost or removed
        can never name a batch of its successor. At most `keep_bytes` of acknowledged batches are kept.
        """
        set_aside = None
        if path.exists() and not is_sound(path):
            set_aside = moved_aside(path)
        connection = connected(path)
        with connection:
            require_version(connection, path, LAYOUT)
            new = connection.execute("SELECT count(*) FROM sqlite_master WHERE name = 'pending'").fetchone()
            connection.executescript(SCHEMA)
            if new == (0,):  # of a version that kept nothing else
                connection.execute("INSERT INTO pending SELECT sequence FROM batches")
            if connection.execute("SELECT count(*) FROM sqlite_sequence").fetchone()[0] == 0:
                before = int(time.time() * 1000) if first is None else first - 1
                connection.execute("INSERT INTO sqlite_sequence (name, seq) VALUES ('batches', ?)", (before,))
        return cls(connection, set_aside, keep_bytes)

    @property
    def next_sequence(self) -> int:
        """The number of the next batch; none is ever given twice, whatever was deleted."""
        query = "SELECT seq FROM sqlite_sequence WHERE name = 'batches'"
        return int(self._connection.execute(query).fetchone()[0]) + 1

    def commit(
        self,
        batches: Sequence[Spooled],
        states: Mapping[str, bytes | None],
        acknowledged: Mapping[int, Mark] = NOTHING,
        told: Told | None = None,
        scans: Mapping[str, bytes] = NO_SCANS,
    ) -> int:
        """Keep batches and states and note what was acknowledged, all in one transaction.

        A state of None forgets the run; `scans` are the states of runs that are scanned together.
        Returns how many batches that were acknowledged once are pending again, because the database
        that was `told` of has lost them.
        """
        with self._connection as connection:
            connection.execute("BEGIN IMMEDIATE")
            connection.executemany("INSERT INTO batches (sequence, topic, payload) VALUES (?, ?, ?)", batches)
            connection.executemany("INSERT INTO pending VALUES (?)", [(each.sequence,) for each in batches])
            for run, state in states.items():
                self._keep_state(run, state)
            connection.executemany("REPLACE INTO scan_state VALUES (?, ?)", scans.items())
            done = [self._acknowledge(sequence, mark) for sequence, mark in acknowledged.items()]
            revived = self._revive(told.holdings) if told is not None else []
            kept_bytes = self.kept_bytes + sum(size for size in done if size is not None) - sum(revived)
            forgotten = self._forget(self._due(told, kept_bytes))
        self.kept_bytes = kept_bytes - sum(forgotten)
        self.count += len(batches) + len(revived) - sum(size is not None for size in done)
        if done or forgotten:
            self._give_back()
        return len(revived)

    def page(self, after: int, limit: int) -> list[Spooled]:
        """Return up to `limit` pending batches numbered above `after`, oldest first."""
        query = (
            "SELECT sequence, topic, payload FROM pending JOIN batches USING (sequence)"
            " WHERE sequence > ? ORDER BY sequence LIMIT ?"
        )
        return [Spooled(*row) for row in self._connection.execute(query, (after, limit))]

    def number_run(self) -> int:
        """Return the number of the next run, from 1; none is ever given twice."""
        with self._connection as connection:
            connection.execute("BEGIN IMMEDIATE")
            connection.execute("INSERT INTO meta VALUES ('runs', 0) ON CONFLICT DO NOTHING")
            connection.execute("UPDATE meta SET value = value + 1 WHERE name = 'runs'")
            row = connection.execute("SELECT value FROM meta WHERE name = 'runs'").fetchone()
        return int(row[0])

    def states(self) -> dict[str, bytes]:
        """Return the last checkpoint of every run that is not closed."""
        return dict(self._connection.execute("SELECT run, state FROM run_state"))

    def scan_states(self) -> list[bytes]:
        """Return the last state of every group of runs that were scanned together."""
        return [state for (state,) in self._connection.execute("SELECT state FROM scan_state")]

    def close(self) -> None:
        """Close the file, marked as left in order."""
        with self._connection as connection:
            connection.execute("REPLACE INTO meta VALUES ('open', 0)")
        self._connection.close()

    def _begin_epoch(self) -> int:
        with self._connection as connection:
            connection.execute("BEGIN IMMEDIATE")
            connection.execute("INSERT INTO meta VALUES ('epoch', 0) ON CONFLICT DO NOTHING")
            connection.execute("UPDATE meta SET value = value + 1 WHERE name = 'epoch'")
            connection.execute("REPLACE INTO meta VALUES ('open', 1)")
        return int(connection.execute("SELECT value FROM meta WHERE name = 'epoch'").fetchone()[0])

    def _keep_state(self, run: str, state: bytes | None) -> None:
        if state is None:
            self._connection.execute("DELETE FROM run_state WHERE run = ?", (run,))
        else:
            self._connection.execute("REPLACE INTO run_state VALUES (?, ?)", (run, state))

    def _acknowledge(self, sequence: int, mark: Mark) -> int | None:
        """Keep a pending batch, or forget it where its commit has no number; return the bytes kept.

        None where it was not pending: then it was sent again, and the later commit is what counts.
        """
        execute = self._connection.execute
        if execute("DELETE FROM pending WHERE sequence = ?", (sequence,)).rowcount == 0:
            execute("UPDATE kept SET database = ?, commits = ? WHERE sequence = ?", (*mark, sequence))
            return None
        if mark == UNMARKED:
            execute("DELETE FROM batches WHERE sequence = ?", (sequence,))
            return 0
        size = int(
            execute("SELECT length(payload) FROM batches WHERE sequence = ?", (sequence,)).fetchone()[0]
        )
        execute("INSERT INTO kept VALUES (?, ?, ?, ?)", (sequence, *mark, size))
        return size

    def _revive(self, holdings: Holdings) -> list[int]:
        """Make pending again what the database has lost; return the sizes."""
        rows = self._connection.execute("SELECT sequence, size, database, commits FROM kept")
        lost = [(sequence, size) for sequence, size, *mark in rows if is_lost(Mark(*mark), holdings)]
        numbers = [(sequence,) for sequence, _ in lost]
        self._connection.executemany("DELETE FROM kept WHERE sequence = ?", numbers)
        self._connection.executemany("INSERT INTO pending VALUES (?)", numbers)
        return [size for _, size in lost]

    def _due(self, told: Told | None, kept_bytes: int) -> list[tuple[int, int]]:
        """Return some kept batches that a backup holds, or for which there is no room: number and size."""
        if told is not None and told.backed_up != self._backed_up:
            self._backed_up, self._some_due = told.backed_up, True
        found: list[tuple[int, int]] = []
        if self._some_due:
            query = "SELECT sequence, size FROM kept WHERE database = ? AND commits <= ? LIMIT ?"
            for mark in self._backed_up.items():
                found += self._connection.execute(query, (*mark, FORGOTTEN - len(found)))
            self._some_due = len(found) == FORGOTTEN
        if kept_bytes > self._keep_bytes:
            query = "SELECT sequence, size FROM kept ORDER BY sequence LIMIT ?"
            oldest = self._connection.execute(query, (FORGOTTEN,)).fetchall()
            found += [row for row in _at_least(kept_bytes - self._keep_bytes, oldest) if row not in found]
        return found

    def _forget(self, rows: Iterable[tuple[int, int]]) -> list[int]:
        """Forget kept batches and return their sizes."""
        found = list(rows)
        for table in ("kept", "batches"):
            deletion = f"DELETE FROM {table} WHERE sequence = ?"  # noqa: S608
            self._connection.executemany(deletion, [(sequence,) for sequence, _ in found])
        return [size for _, size in found]

    def _give_back(self) -> None:
        free = self._connection.execute("PRAGMA freelist_count").fetchone()[0]
        if free > FREE_PAGES:
            self._connection.execute(f"PRAGMA incremental_vacuum({FREE_PAGES // 2})").fetchall()


def _at_least(size: int, rows: Iterable[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    """Yield rows until their sizes come to that much."""
    for row in rows:
        if size <= 0:
            return
        yield row
        size -= row[1]
