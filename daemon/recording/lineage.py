"""Which commits a results database holds, and which a copy of it: what an acknowledgement is worth.

Every database has a name of its own and counts its commits. A copy - a backup, and what is built
anew from one - holds those of its origin up to a number, and goes on under another name. So a core
can tell whether what was acknowledged to it is in the database of today, and in a backup.
"""

import sqlite3
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple
from uuid import uuid4

if TYPE_CHECKING:  # the core knows what a mark is, and needs no database for it
    from sqlalchemy import Connection

Holdings = Mapping[str, int]
"""By the name of a database, how many of its commits are in this one."""

ANY = "*"
"""Stands in `Holdings` for every database not named: nothing of any other is held."""

ADVANCE = """
UPDATE lineage SET commits = commits + 1 WHERE ordinal = (SELECT max(ordinal) FROM lineage)
RETURNING name, commits
"""


class Mark(NamedTuple):
    """One commit: the name of the database and the number of the commit in it."""

    database: str
    commits: int


UNMARKED = Mark("", 0)
"""A commit of a recorder that does not number them."""


def is_held(mark: Mark, holdings: Holdings) -> bool:
    """Whether this commit is surely in there."""
    return holdings.get(mark.database, 0) >= mark.commits


def is_lost(mark: Mark, holdings: Holdings) -> bool:
    """Whether this commit ought to be in there and is not; of a database nobody knows one cannot say."""
    known = mark.database in holdings or ANY in holdings
    return known and not is_held(mark, holdings)


def advanced(connection: "Connection") -> Mark:
    """Count one commit, within its transaction."""
    return Mark(*connection.exec_driver_sql(ADVANCE).one())  # at every commit: nothing to compile


def holdings(connection: "Connection") -> Holdings:
    """Return what this database holds."""
    rows = connection.exec_driver_sql("SELECT name, commits FROM lineage")
    return {row.name: row.commits for row in rows}


def held_by(path: Path) -> Holdings:
    """Return what the SQLite file holds; nothing where it does not say."""
    try:
        with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)) as connection:
            return _rows(connection)
    except sqlite3.DatabaseError:
        return {}


def branched(path: Path, origin: Holdings) -> None:
    """Let a copy go on under a name of its own; of `origin` it holds only what it says itself."""
    with closing(sqlite3.connect(path)) as connection, connection:
        for name in origin or (ANY,):
            connection.execute("INSERT INTO lineage VALUES (0, ?, 0) ON CONFLICT DO NOTHING", (name,))
        connection.execute("INSERT INTO lineage SELECT max(ordinal) + 1, ?, 0 FROM lineage", (uuid4().hex,))


def _rows(connection: sqlite3.Connection) -> Holdings:
    return dict(connection.execute("SELECT name, commits FROM lineage"))
