"""A damaged results database: set aside, and built anew from its newest good backup and from itself."""

import json
import logging
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path

from daemon import database_files
from daemon.backup import FOLDER, newest_good
from daemon.database import is_damage
from daemon.database_files import Identity
from daemon.errors import UnavailableError
from daemon.locks import owned
from daemon.migrations import HEAD
from daemon.tables import metadata

KIND = "database restored"
NEWER = ("runs", "steps", "cycles")  # rows that change: what the damaged file says is the later truth

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Rebuilt:
    """What became of a damaged database."""

    reason: str
    aside: Path
    backup: Path | None
    """The backup the new one began with; None where there was no good one."""
    salvaged: int
    """Rows that could still be read from the damaged file and were in no backup."""
    unreadable: tuple[str, ...]
    """Tables of the damaged file of which something could not be read."""

    def __str__(self) -> str:
        begun = f"begins with the backup {self.backup}" if self.backup else "begins empty, without a backup"
        lost = "every table of it could be read to its end"
        if self.unreadable:
            tables = ", ".join(self.unreadable)
            lost = f"what is not in that backup and stood in unreadable parts of {tables} is lost"
        return (
            f"the results database was damaged ({self.reason}) and is kept as {self.aside}; the new one {begun};"
            f" {self.salvaged} rows were taken from the damaged one; {lost};"
            " what was not acknowledged comes again"
        )


def rebuild(path: Path, file: Identity | None, reason: str) -> Rebuilt | None:
    """Put a sound database in the place of a damaged one; None where somebody has done so already.

    `file` is the one found damaged. It and its companions are kept, named NAME.corrupt.MOMENT;
    every run in the new database gets an event that says what happened. Raises `BusyError` while
    somebody else does it, `UnavailableError` where the disk does not let it.
    """
    with owned(path.with_name(path.name + ".rebuild"), f"the rebuilding of {path}"):
        if database_files.identity(path) != file:
            return None
        successor = path.with_name(f".{path.name}.rebuilt")
        try:
            rebuilt = _replace(path, successor, reason)
        except (OSError, sqlite3.Error) as error:
            raise UnavailableError(f"rebuilding {path}: {error}") from error
        finally:
            successor.unlink(missing_ok=True)
    logger.error("%s", rebuilt)
    return rebuilt


def _replace(path: Path, successor: Path, reason: str) -> Rebuilt:
    aside = database_files.aside(path, "corrupt")
    backup = newest_good(path.parent / FOLDER)
    _begin(successor, backup)
    with closing(sqlite3.connect(path)) as old:
        _hold(old)
        salvaged, unreadable = _salvage(old, successor)
        rebuilt = Rebuilt(reason, aside, backup, salvaged, tuple(unreadable))
        _tell_the_runs(successor, rebuilt)
        database_files.replace(path, successor, aside)
    return rebuilt


def _hold(damaged: sqlite3.Connection) -> None:
    """Keep others from writing to the damaged file while it is read: nobody would look for it there."""
    with suppress(sqlite3.DatabaseError):
        damaged.execute("BEGIN IMMEDIATE")


def _begin(successor: Path, backup: Path | None) -> None:
    from daemon.store import Store  # which mends itself by this module

    for name in ("", *database_files.COMPANIONS):
        successor.with_name(successor.name + name).unlink(missing_ok=True)
    if backup is not None:
        database_files.copy(backup, successor)
    Store.open(f"sqlite:///{successor}").close()


def _salvage(old: sqlite3.Connection, successor: Path) -> tuple[int, list[str]]:
    """Take over what can be read of the damaged file; return the rows added, and what was unreadable."""
    with closing(sqlite3.connect(successor)) as new:
        if not _are_kin(old, new):
            return 0, list(metadata.tables)
        added, unreadable = 0, []
        for table in metadata.sorted_tables:
            columns = [column.name for column in table.columns]
            key = [column.name for column in table.primary_key]
            before = new.execute(f"SELECT count(*) FROM {table.name}").fetchone()[0]  # noqa: S608
            whole = _take_over(old, new, table.name, columns, key)
            added += new.execute(f"SELECT count(*) FROM {table.name}").fetchone()[0] - before  # noqa: S608
            if not whole:
                unreadable.append(table.name)
        new.commit()
    return added, unreadable


def _are_kin(old: sqlite3.Connection, new: sqlite3.Connection) -> bool:
    """Return whether both number the same runs alike, and are of the present schema."""
    try:
        revision = old.execute("SELECT version_num FROM alembic_version").fetchone()
        theirs = dict(old.execute("SELECT id, name FROM runs"))
    except sqlite3.DatabaseError:
        return False
    ours = dict(new.execute("SELECT id, name FROM runs"))
    return revision == (HEAD,) and all(theirs.get(number, name) == name for number, name in ours.items())


def _take_over(
    old: sqlite3.Connection, new: sqlite3.Connection, table: str, columns: Sequence[str], key: Sequence[str]
) -> bool:
    """Insert the rows before the first unreadable page, and those after the last; return whether that was all."""
    conflict = "REPLACE" if table in NEWER else "IGNORE"
    marks = ", ".join("?" * len(columns))
    insert = f"INSERT OR {conflict} INTO {table} ({', '.join(columns)}) VALUES ({marks})"  # noqa: S608
    for direction in ("ASC", "DESC"):
        order = ", ".join(f"{name} {direction}" for name in key)
        rows = _Rows(old, f"SELECT {', '.join(columns)} FROM {table} ORDER BY {order}")  # noqa: S608
        new.executemany(insert, rows)
        if rows.whole:
            return True
    return False


class _Rows:
    """The rows of a query up to where the file is damaged; `whole` tells whether that was the end."""

    def __init__(self, connection: sqlite3.Connection, query: str) -> None:
        self._connection = connection
        self._query = query
        self.whole = False

    def __iter__(self) -> Iterator[tuple[object, ...]]:
        try:
            yield from self._connection.execute(self._query)
        except sqlite3.DatabaseError as error:
            if not is_damage(error) and not isinstance(error, sqlite3.OperationalError):
                raise
        else:
            self.whole = True


def _tell_the_runs(path: Path, rebuilt: Rebuilt) -> None:
    """Add an event to every run, numbered below 0: those above are the core's."""
    detail = json.dumps(
        {
            "aside": str(rebuilt.aside),
            "backup": str(rebuilt.backup) if rebuilt.backup else None,
            "salvaged": rebuilt.salvaged,
            "unreadable": rebuilt.unreadable,
        }
    )
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute(
            "INSERT INTO events (run_id, ordinal, time, kind, text, detail)"
            " SELECT runs.id, min(0, coalesce(min(events.ordinal), 0)) - 1,"
            "  coalesce((SELECT max(time) FROM readings WHERE run_id = runs.id), 0), ?, ?, ?"
            " FROM runs LEFT JOIN events ON events.run_id = runs.id GROUP BY runs.id",
            (KIND, str(rebuilt), detail),
        )
