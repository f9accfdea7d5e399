"""A results database as this version of galvanod writes it."""

from sqlalchemy import Engine

from daemon.migrations import upgrade
from daemon.recording.database import open_database
from daemon.recording.database_errors import translated


def prepared(url: str) -> Engine:
    """Open the database for writing, made or brought to the present schema first.

    Raises `ConfigurationError` for a URL or a later schema that cannot be used.
    """
    engine = open_database(url, write=True)
    with translated(url):
        upgrade(engine)
    return engine
