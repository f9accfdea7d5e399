"""What can still be read of a table in a damaged SQLite file."""

import sqlite3
from collections.abc import Iterator

from sqlalchemy import Table

from daemon.recording.database import is_damage

NEWER = (
    "runs",
    "steps",
    "cycles",
    "figures",
)  # rows that change: what the damaged file says is the later truth
BEFORE_ALL = -(2**62)


class Salvage:
    """Takes the rows of one table over into another database, around every page that cannot be read.

    Rows the other database has stay as they are there, except where they change with time.
    """

    def __init__(self, old: sqlite3.Connection, new: sqlite3.Connection, table: Table) -> None:
        self._old = old
        self._new = new
        names = [column.name for column in table.columns]
        self._key = [column.name for column in table.primary_key]
        self._number = names.index(self._key[-1])
        self._name = table.name
        conflict = "REPLACE" if table.name in NEWER else "IGNORE"
        columns, marks = ", ".join(names), ", ".join("?" * len(names))
        self._insert = f"INSERT OR {conflict} INTO {table.name} ({columns}) VALUES ({marks})"  # noqa: S608
        self._select = f"SELECT {columns} FROM {table.name} WHERE"  # noqa: S608

    def run(self) -> bool:
        """Take over what there is; return whether everything could be read."""
        if self._key[0] == "run_id":
            runs = self._new.execute("SELECT id FROM runs ORDER BY id").fetchall()
            wholes = [self._of_run(run) for (run,) in runs]
            return all(wholes)
        forwards = self._take(f"TRUE ORDER BY {self._key[0]}")
        if not forwards.whole:
            self._take(f"TRUE ORDER BY {self._key[0]} DESC")
        return forwards.whole

    def _of_run(self, run: int) -> bool:
        """Take over one run's rows: up to a hole, from beyond it back to it, and on from there."""
        number = self._key[1]
        whole, after = True, self._reached(run)
        while not (rows := self._take(f"run_id = ? AND {number} > ? ORDER BY {number}", run, after)).whole:
            whole = False
            hole = after if rows.last is None else rows.last
            beyond = self._beyond(run, max(hole, 0))
            if beyond is None:
                break
            back = f"run_id = ? AND {number} > ? AND {number} <= ? ORDER BY {number} DESC"
            self._take(back, run, hole, beyond)
            after = beyond
        return whole

    def _reached(self, run: int) -> int:
        """Return up to where the other database has every row already: nothing is looked for there."""
        if self._name in NEWER:
            return BEFORE_ALL
        number = self._key[1]
        query = f"SELECT count(*), min({number}), max({number}) FROM {self._name} WHERE run_id = ?"  # noqa: S608
        count, first, last = self._new.execute(query, (run,)).fetchone()
        return int(last) if first == 1 and last == count else BEFORE_ALL

    def _beyond(self, run: int, hole: int) -> int | None:
        """Return a number from which on rows can be read again; None where there is none."""
        probe = f"{self._select} run_id = ? AND {self._key[1]} > ? ORDER BY {self._key[1]} LIMIT 1"
        for exponent in range(48):
            beyond: int = hole + 2**exponent
            try:
                self._old.execute(probe, (run, beyond)).fetchone()
            except sqlite3.DatabaseError as error:
                if not is_damage(error):
                    raise
            else:
                return beyond
        return None

    def _take(self, condition: str, *values: int) -> "_Rows":
        rows = _Rows(self._old, f"{self._select} {condition}", values, self._number)
        self._new.executemany(self._insert, rows)
        return rows


class _Rows:
    """The rows of a query up to where the file is damaged.

    `whole` tells whether that was the end, `last` the number of the last row that was read.
    """

    def __init__(
        self, connection: sqlite3.Connection, query: str, values: tuple[int, ...], number: int
    ) -> None:
        self._connection = connection
        self._query = query
        self._values = values
        self._number = number
        self.whole = False
        self.last: int | None = None

    def __iter__(self) -> Iterator[tuple[int, ...]]:
        try:
            for row in self._connection.execute(self._query, self._values):
                yield row
                self.last = row[self._number]
        except sqlite3.DatabaseError as error:
            if not is_damage(error):
                raise
        else:
            self.whole = True
