"""The files of a SQLite results database: copied whole, checked, and never deleted."""

import os
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

from daemon.errors import DamagedError, UnavailableError

COMPANIONS = ("-wal", "-shm")


class Identity(NamedTuple):
    """Which file it is, whatever it is called."""

    device: int
    inode: int


def identity(path: Path) -> Identity | None:
    """Return which file is at that path; None where there is none."""
    try:
        status = path.stat()
    except OSError:
        return None
    return Identity(status.st_dev, status.st_ino)


def aside(path: Path, why: str) -> Path:
    """Return the name for a database that makes room: NAME.WHY.MOMENT, of this microsecond."""
    return path.with_name(f"{path.name}.{why}.{datetime.now(UTC):%Y%m%dT%H%M%S.%fZ}")


def check_pages(path: Path) -> None:
    """Read every page of a database; raises `DamagedError` with what is wrong, if anything is."""
    try:
        with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)) as connection:
            found = [row[0] for row in connection.execute("PRAGMA quick_check(3)")]
    except sqlite3.DatabaseError as error:
        raise DamagedError(f"{path}: {error}") from error
    if found != ["ok"]:
        raise DamagedError(f"{path}: {'; '.join(found)}")


def was_left_open(path: Path) -> bool:
    """Return whether whoever wrote the database last did not close it."""
    wal = path.with_name(path.name + "-wal")
    return path.is_file() and wal.is_file() and wal.stat().st_size > 0


def replace(path: Path, successor: Path, aside: Path) -> None:
    """Put `successor` in the place of the database, which goes aside with its companions.

    At no moment is there no database at `path`, lest somebody who opens it makes an empty one.
    """
    with _file_errors(path):
        try:
            os.link(path, aside)
        except OSError:  # a file system without hard links
            path.rename(aside)
        for companion in COMPANIONS:  # SQLite would play an old log into a new database
            with suppress(FileNotFoundError):
                path.with_name(path.name + companion).rename(aside.with_name(aside.name + companion))
        successor.replace(path)
        sync_folder(path.parent)


def copy(source: Path, target: Path) -> None:
    """Copy a database nobody writes; the copy is on the disk when it returns."""
    with _file_errors(target):
        shutil.copyfile(source, target)
        sync(target)


def sync(path: Path) -> None:
    """Return once the file's content is on the disk."""
    with path.open("rb+") as file:
        os.fsync(file.fileno())


def sync_folder(folder: Path) -> None:
    """Return once the names in the folder are on the disk."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def _file_errors(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise UnavailableError(f"{path}: {error.strerror or error}") from error
