"""The spool: what the core has read and no recorder has confirmed yet, on the core's own disk."""

import sqlite3
import time
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple, Self

from daemon.sqlite_files import connected, is_sound, moved_aside

SCHEMA = """
CREATE TABLE IF NOT EXISTS batches (
    sequence INTEGER PRIMARY KEY AUTOINCREMENT, topic TEXT NOT NULL, payload BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS meta (name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS run_state (run TEXT PRIMARY KEY, state BLOB NOT NULL) WITHOUT ROWID;
"""
FREE_PAGES = 2048  # 8 MiB of emptied file is kept for the next outage; more is given back to the disk


class Spooled(NamedTuple):
    """One encoded batch, ready to be published."""

    sequence: int
    topic: str
    payload: bytes


class Spool:
    """Batches, checkpoints and the epoch of one core, in one SQLite file.

    Synchronous, and to be used from one thread at a time. Every commit is on the disk when it
    returns (WAL, synchronous=FULL). Raises sqlite3.Error where the disk does not take it; nothing
    of that commit is kept then.
    """

    def __init__(self, connection: sqlite3.Connection, set_aside: Path | None) -> None:
        self._connection = connection
        self.set_aside = set_aside
        """Where the damaged file of an earlier start went, if there was one."""
        self.epoch = self._begin_epoch()
        """Grows with every opening."""
        self.count: int = connection.execute("SELECT count(*) FROM batches").fetchone()[0]
        """How many batches are held."""

    @classmethod
    def open(cls, path: Path, first: int | None = None) -> Self:
        """Open or create the spool; a damaged file is moved aside, never deleted.

        `first` numbers the first batch of a new spool. By default that is the present moment in
        milliseconds, so that a late acknowledgement meant for a spool that was lost or removed
        can never name a batch of its successor.
        """
        set_aside = None
        if path.exists() and not is_sound(path):
            set_aside = moved_aside(path)
        connection = connected(path)
        with connection:
            connection.executescript(SCHEMA)
            if connection.execute("SELECT count(*) FROM sqlite_sequence").fetchone()[0] == 0:
                before = int(time.time() * 1000) if first is None else first - 1
                connection.execute("INSERT INTO sqlite_sequence (name, seq) VALUES ('batches', ?)", (before,))
        return cls(connection, set_aside)

    @property
    def next_sequence(self) -> int:
        """The number of the next batch; none is ever given twice, whatever was deleted."""
        query = "SELECT seq FROM sqlite_sequence WHERE name = 'batches'"
        return int(self._connection.execute(query).fetchone()[0]) + 1

    def commit(
        self,
        batches: Sequence[Spooled],
        states: Mapping[str, bytes | None],
        acknowledged: Iterable[int] = (),
    ) -> None:
        """Keep batches and run states and forget what was acknowledged, all in one transaction.

        A state of None forgets the run.
        """
        insert = "INSERT INTO batches (sequence, topic, payload) VALUES (?, ?, ?)"
        with self._connection as connection:
            connection.execute("BEGIN IMMEDIATE")
            connection.executemany(insert, batches)
            for run, state in states.items():
                self._keep_state(run, state)
            deletion = "DELETE FROM batches WHERE sequence = ?"
            deleted = connection.executemany(deletion, [(number,) for number in acknowledged]).rowcount
        self.count += len(batches) - max(deleted, 0)
        if deleted > 0:
            self._give_back()

    def page(self, after: int, limit: int) -> list[Spooled]:
        """Return up to `limit` batches numbered above `after`, oldest first."""
        query = "SELECT sequence, topic, payload FROM batches WHERE sequence > ? ORDER BY sequence LIMIT ?"
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

    def _give_back(self) -> None:
        free = self._connection.execute("PRAGMA freelist_count").fetchone()[0]
        if free > FREE_PAGES:
            self._connection.execute(f"PRAGMA incremental_vacuum({FREE_PAGES // 2})").fetchall()
