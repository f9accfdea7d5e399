"""A damaged results database: set aside, and built anew from its newest good backup and from itself."""

import json
import logging
import sqlite3
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path

from daemon.errors import UnavailableError
from daemon.host.locks import owned
from daemon.migrations import HEAD
from daemon.recording import database_files
from daemon.recording.backup import FOLDER, newest_good
from daemon.recording.database_files import Identity
from daemon.recording.lineage import branched, held_by
from daemon.recording.prepared import prepared
from daemon.recording.salvage import Salvage
from daemon.recording.tables import lineage, metadata, overview, overviews

KIND = "database restored"

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
            f"the results database was damaged ({self.reason}) and is kept as {self.aside};"
            f" the new one {begun}; {self.salvaged} rows were taken from the damaged one; {lost};"
            " what was not acknowledged, or is in no backup and still in a core's spool, comes again"
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
    branched(successor, held_by(path))
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
    for name in ("", *database_files.COMPANIONS):
        successor.with_name(successor.name + name).unlink(missing_ok=True)
    if backup is not None:
        database_files.copy(backup, successor)
    prepared(f"sqlite:///{successor}").dispose()


def _salvage(old: sqlite3.Connection, successor: Path) -> tuple[int, list[str]]:
    """Take over what can be read of the damaged file; return the rows added, and what was unreadable."""
    with closing(sqlite3.connect(successor)) as new:
        if not _are_kin(old, new):
            return 0, list(metadata.tables)
        before = _rows_in(new)
        left_out = (lineage, overview, overviews)  # it has its own; those are made again from the readings
        tables = (table for table in metadata.sorted_tables if table not in left_out)
        unreadable = [table.name for table in tables if not Salvage(old, new, table).run()]
        new.commit()
        return _rows_in(new) - before, unreadable


def _rows_in(connection: sqlite3.Connection) -> int:
    counts = (f"SELECT count(*) FROM {name}" for name in metadata.tables)  # noqa: S608
    return sum(connection.execute(count).fetchone()[0] for count in counts)


def _are_kin(old: sqlite3.Connection, new: sqlite3.Connection) -> bool:
    """Return whether both number the same runs alike, and are of the present schema."""
    try:
        revision = old.execute("SELECT version_num FROM alembic_version").fetchone()
        theirs = dict(old.execute("SELECT id, name FROM runs"))
    except sqlite3.DatabaseError:
        return False
    ours = dict(new.execute("SELECT id, name FROM runs"))
    return revision == (HEAD,) and all(theirs.get(number, name) == name for number, name in ours.items())


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
