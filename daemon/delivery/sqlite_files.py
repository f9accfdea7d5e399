"""SQLite files that must survive: opened durably, checked after a crash, never deleted when damaged.

A file that keeps a `meta` row `open` (1 while in use, 0 once closed in order) is checked page by
page only after a crash.
"""

import sqlite3
from datetime import UTC, datetime
from pathlib import Path

from daemon.errors import ConfigurationError

COMPANIONS = ("", "-wal", "-shm")


def connected(path: Path) -> sqlite3.Connection:
    """Open the file so that a commit is on the disk when it returns (WAL, synchronous=FULL)."""
    connection = sqlite3.connect(path, timeout=0.5, isolation_level=None, check_same_thread=False)
    for pragma in (
        "auto_vacuum = INCREMENTAL",
        "journal_mode = WAL",
        "synchronous = FULL",
        "journal_size_limit = 16777216",
    ):
        connection.execute(f"PRAGMA {pragma}")
    return connection


def require_version(connection: sqlite3.Connection, path: Path, layout: int) -> None:
    """Note the layout of a file of ours; raises `ConfigurationError` for one of a later version."""
    found = int(connection.execute("PRAGMA user_version").fetchone()[0])
    if found > layout:
        raise ConfigurationError(
            f"{path} has layout {found}, wanted {layout} or earlier: a later galvanod wrote it; "
            "use that one, or move the state directory away once no run is open"
        )
    if found < layout:
        connection.execute(f"PRAGMA user_version = {int(layout)}")


def is_sound(path: Path) -> bool:
    """Check every page, unless the file was left in order: then only that it can be read."""
    connection = sqlite3.connect(path, timeout=0.5)
    try:
        if connection.execute("SELECT count(*) FROM sqlite_master WHERE name = 'meta'").fetchone()[0] == 0:
            return True
        row = connection.execute("SELECT value FROM meta WHERE name = 'open'").fetchone()
        if row == (0,):
            return True
        return bool(connection.execute("PRAGMA quick_check(1)").fetchone() == ("ok",))
    except sqlite3.OperationalError:
        raise  # locked or unreadable is not damaged
    except sqlite3.DatabaseError:
        return False
    finally:
        connection.close()


def moved_aside(path: Path) -> Path:
    """Rename a damaged file and its companions; return its new name."""
    stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%SZ")
    target = path.with_name(f"{path.name}.corrupt.{stamp}")
    for suffix in COMPANIONS:
        companion = path.with_name(path.name + suffix)
        if companion.exists():
            companion.rename(target.with_name(target.name + suffix))
    return target
