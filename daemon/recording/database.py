"""A results database, opened so that what it says is kept is kept."""

import sqlite3
import time
from pathlib import Path

from sqlalchemy import URL, Connection, Engine, create_engine, event, make_url
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import ArgumentError, NoSuchModuleError
from sqlalchemy.pool import ConnectionPoolEntry

from daemon.errors import ConfigurationError, DamagedError, UnavailableError

WRITER = (
    "PRAGMA journal_mode = WAL",
    "PRAGMA synchronous = FULL",  # an acknowledged reading survives a power cut
    "PRAGMA cache_size = -65536",  # 64 MiB: every run's last page stays at hand
    "PRAGMA wal_autocheckpoint = 4000",  # a page dirtied by many commits is written back once
    "PRAGMA journal_size_limit = 67108864",
)
READER = ("PRAGMA query_only = ON", "PRAGMA cache_size = -16384")


def open_database(url: str, *, write: bool, patience: float = 2.0) -> Engine:
    """Return an engine for a SQLite or PostgreSQL URL, or for the path of a SQLite file.

    `patience` is how long (seconds) SQLite waits for somebody else's transaction. Raises
    `ConfigurationError` for a URL that cannot be used and, for reading, `UnavailableError`
    where there is no such file yet.
    """
    target = _target(url)
    if target.drivername == "postgresql":
        target = target.set(drivername="postgresql+psycopg")
    if target.get_backend_name() == "sqlite":
        if not write and not Path(target.database or "").is_file():
            raise UnavailableError(f"there is no results database at {target.database}")
        engine = create_engine(
            target.update_query_dict({"timeout": target.query.get("timeout", str(patience))})
        )
        _make_explicit(engine, write)
        return engine
    try:
        return create_engine(target, pool_pre_ping=True)
    except (ModuleNotFoundError, NoSuchModuleError) as error:
        name = target.drivername
        raise ConfigurationError(
            f"database {name!r}: {error}; wanted sqlite, or postgresql with its extra"
        ) from error


def database_file(url: str) -> Path | None:
    """Return the file of a SQLite database; None for a database that is kept by a server."""
    target = _target(url)
    return Path(target.database or "") if target.get_backend_name() == "sqlite" else None


def is_damage(error: BaseException | None) -> bool:
    """Return whether SQLite says that the file itself is damaged, or no database at all."""
    code = getattr(error, "sqlite_errorcode", None)
    return code is not None and code & 0xFF in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)


def _target(url: str) -> URL:
    try:
        return make_url(url if "://" in url else f"sqlite:///{url}")
    except ArgumentError as error:
        raise ConfigurationError(
            f"database {url!r}: wanted sqlite:///file or postgresql+psycopg://…"
        ) from error


def _make_explicit(engine: Engine, write: bool) -> None:
    """Let SQLite begin transactions when told, not when it sees fit: so DDL too is inside them."""

    @event.listens_for(engine, "connect")
    def set_up(connection: DBAPIConnection, _: ConnectionPoolEntry) -> None:
        if isinstance(connection, sqlite3.Connection):
            connection.isolation_level = None
            for pragma in WRITER if write else READER:
                _execute_patiently(connection, pragma)

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        connection.exec_driver_sql("BEGIN IMMEDIATE" if write else "BEGIN")


def _execute_patiently(connection: sqlite3.Connection, pragma: str, patience: float = 2.0) -> None:
    """Execute it, again while it is locked: SQLite itself does not wait to change the journal's mode."""
    ends = time.monotonic() + patience
    while True:
        try:
            connection.execute(pragma)
            return
        except sqlite3.DatabaseError as error:
            if is_damage(error):
                raise DamagedError(f"results database: {error}") from error
            if not isinstance(error, sqlite3.OperationalError) or time.monotonic() > ends:
                raise UnavailableError(f"results database: {error}") from error
        time.sleep(0.01)
