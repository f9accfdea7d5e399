"""The way of a results database from any earlier schema to the present one."""

from pathlib import Path

from sqlalchemy import Connection, create_engine, inspect, text
from sqlalchemy.engine import Engine

from daemon.errors import ConfigurationError

HEAD = "0008"
"""The revision this version of galvanod reads and writes."""

_LOCK = 0x67616C76  # PostgreSQL advisory lock: any number, the same for every galvanod


def upgrade(engine: Engine | str) -> None:
    """Bring the database to `HEAD`; does nothing, quickly, where it is there already.

    All of it happens in one transaction, so that an interrupted upgrade is as none. Raises
    `ConfigurationError` for a database written by a later galvanod.
    """
    if isinstance(engine, str):
        engine = create_engine(engine)
    with engine.begin() as connection:
        if connection.dialect.name == "postgresql":
            connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
        found = revision(connection)
        if found == HEAD:
            return
        _run_alembic(connection, found)


def revision(connection: Connection) -> str | None:
    """Return the revision a database is at, None for an empty one."""
    if not inspect(connection).has_table("alembic_version"):
        return None
    return connection.execute(text("SELECT version_num FROM alembic_version")).scalar()


def _run_alembic(connection: Connection, found: str | None) -> None:
    from alembic.command import upgrade as run  # half a second: only where there is something to do
    from alembic.config import Config
    from alembic.script import ScriptDirectory

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent).replace("%", "%%"))
    config.attributes["connection"] = connection
    known = {script.revision for script in ScriptDirectory.from_config(config).walk_revisions()}
    if found is not None and found not in known:
        raise ConfigurationError(
            f"the results database is at revision {found!r}, wanted {HEAD!r} or earlier:"
            " it was written by a later galvanod"
        )
    run(config, HEAD)
