"""Backups of the results database: whole, checked, and as many as are worth keeping."""

import re
import sqlite3
from collections.abc import Callable, Iterable
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple, Self

from daemon.errors import ConfigurationError, DamagedError, UnavailableError, UnknownError
from daemon.recording import database_files
from daemon.recording.database import database_file, is_damage
from daemon.recording.lineage import Holdings, branched, held_by
from daemon.recording.prepared import prepared

FOLDER = "backups"
READINGS = """
SELECT (SELECT count(*) FROM readings)
    + (SELECT COALESCE(sum(last_reading - first_reading + 1), 0) FROM archives)
"""
"""Beside the database: where the service puts its backups, and looks for one when it needs it."""

_NAME = re.compile(r"results-(\d{8}T\d{6}Z)\.db")


class Keep(NamedTuple):
    """How many backups to keep: the newest of each of so many days, weeks and months that have one."""

    days: int
    weeks: int
    months: int

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read `7/4/12`; raises `ConfigurationError`."""
        if not re.fullmatch(r"\d{1,4}/\d{1,4}/\d{1,4}", text):
            raise ConfigurationError(f"{text!r}: wanted days/weeks/months, e.g. 7/4/12")
        keep = cls(*map(int, text.split("/")))
        if not any(keep):
            raise ConfigurationError(f"{text!r} keeps no backup at all")
        return keep


@dataclass(frozen=True, slots=True)
class Contents:
    """What a restored backup turned out to hold."""

    backup: Path
    size: int
    runs: int
    readings: int
    latest: str | None
    """When the latest run in it began, UTC."""


def back_up(url: str, output: Path, now: datetime | None = None) -> Path:
    """Copy the database to a file, or to one named by the moment in a folder; return the file.

    Whoever writes the database meanwhile goes on. The copy is complete, checked and on the disk
    when it has its name. Raises `UnavailableError` where the database or the disk does not let it.
    """
    source = _sqlite(url)
    if not source.is_file():
        raise UnavailableError(f"there is no results database at {source}")
    name = f"results-{now or datetime.now(UTC):%Y%m%dT%H%M%SZ}.db"
    target = output / name if output.is_dir() else output
    partial = target.with_name(f".{target.name}.partial")
    partial.unlink(missing_ok=True)
    try:
        _vacuum_into(source, partial)
        database_files.check_pages(partial)
        database_files.sync(partial)
        partial.replace(target)
        database_files.sync_folder(target.parent)
    except OSError as error:
        raise UnavailableError(f"backup {target}: {error.strerror or error}") from error
    finally:
        partial.unlink(missing_ok=True)
    return target


def rotate(folder: Path, keep: Keep) -> list[Path]:
    """Remove the backups of the folder that need not be kept, and return them; other files are left alone."""
    dated = dated_backups(folder)
    wanted = kept(dated.values(), keep)
    removed = [path for path, when in dated.items() if when not in wanted]
    for path in removed:
        path.unlink()
    return removed


def kept(moments: Iterable[datetime], keep: Keep) -> set[datetime]:
    """Return the moments whose backups are kept."""
    newest_first = sorted(moments, reverse=True)
    found: set[datetime] = set()
    periods: list[tuple[int, Callable[[datetime], object]]] = [
        (keep.days, lambda when: when.date()),
        (keep.weeks, lambda when: when.isocalendar()[:2]),
        (keep.months, lambda when: (when.year, when.month)),
    ]
    for most, period in periods:
        newest: dict[object, datetime] = {}
        for when in newest_first:
            newest.setdefault(period(when), when)
        found.update(list(newest.values())[:most])
    return found


def dated_backups(folder: Path) -> dict[Path, datetime]:
    """Return the backups of a folder and their moments, the newest first."""
    found = {}
    for path in sorted(folder.glob("results-*.db"), reverse=True):
        if match := _NAME.fullmatch(path.name):
            found[path] = datetime.strptime(match[1], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
    return found


def newest_good(folder: Path) -> Path | None:
    """Return the newest backup whose every page can be read; None where there is none."""
    for path in dated_backups(folder):
        try:
            database_files.check_pages(path)
        except DamagedError:
            continue
        return path
    return None


def latest_holdings(folder: Path) -> Holdings:
    """Return which commits the newest backup of the folder holds; nothing where there is none."""
    newest = next(iter(dated_backups(folder)), None)
    return held_by(newest) if newest is not None else {}


def chosen(backup: Path) -> Path:
    """Return the file, or the newest backup of the folder; raises `UnknownError` where there is none."""
    if backup.is_dir():
        newest = next(iter(dated_backups(backup)), None)
        if newest is None:
            raise UnknownError(f"there is no backup in {backup}; wanted results-….db")
        return newest
    if not backup.is_file():
        raise UnknownError(f"there is no backup at {backup}")
    return backup


def check(backup: Path) -> Contents:
    """Restore a backup beside itself, read all of it with this version of galvanod, and remove the copy.

    Raises `DamagedError` for one that would not do.
    """
    try:
        with TemporaryDirectory(prefix=".restore-", dir=backup.parent) as folder:
            copy = Path(folder, "results.db")
            database_files.copy(backup, copy)
            return _contents(backup, copy)
    except OSError as error:
        raise UnavailableError(f"{backup} cannot be copied beside itself: {error.strerror}") from error


def restore(backup: Path, url: str) -> tuple[Contents, Path | None]:
    """Check a backup and put it in the place of the database; return what it holds and what went aside.

    A recorder that is running goes on with the restored database.
    """
    found = check(backup)
    path = _sqlite(url)
    successor = path.with_name(f".{path.name}.restored")
    database_files.copy(backup, successor)
    prepared(f"sqlite:///{successor}").dispose()
    branched(successor, held_by(path))
    if path.exists():
        aside = database_files.aside(path, "replaced")
        database_files.replace(path, successor, aside)
        return found, aside
    successor.replace(path)
    database_files.sync_folder(path.parent)
    return found, None


def _sqlite(url: str) -> Path:
    path = database_file(url)
    if path is None:
        raise ConfigurationError("this is for SQLite; PostgreSQL has pg_dump and pg_restore")
    return path


def _vacuum_into(source: Path, target: Path) -> None:
    """One read transaction: a backup page by page would start again at every write, for ever."""
    uri = f"{source.absolute().as_uri()}?mode=rw"  # it removes its companions again, as "ro" cannot
    try:
        with closing(sqlite3.connect(uri, uri=True, timeout=30.0)) as connection:
            connection.execute("VACUUM INTO ?", (str(target),))
    except sqlite3.DatabaseError as error:
        kind = DamagedError if is_damage(error) else UnavailableError
        raise kind(f"backup of {source}: {error}") from error


def _contents(backup: Path, copy: Path) -> Contents:
    prepared(f"sqlite:///{copy}").dispose()  # brings it to the present schema, as a recorder would
    with closing(sqlite3.connect(copy)) as connection:
        wrong = [row[0] for row in connection.execute("PRAGMA integrity_check(3)")]
        if wrong != ["ok"]:
            raise DamagedError(f"{backup}: {'; '.join(wrong)}")
        if strays := connection.execute("PRAGMA foreign_key_check").fetchall():
            raise DamagedError(f"{backup}: {len(strays)} rows belong to no run")
        runs, latest = connection.execute("SELECT count(*), max(started) FROM runs").fetchone()
        readings = connection.execute(READINGS).fetchone()[0]
    return Contents(backup, backup.stat().st_size, runs, readings, latest)
