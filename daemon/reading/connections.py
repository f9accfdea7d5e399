"""A connection that reads a results database; what the database refuses is an error of ours."""

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import DBAPIError

from daemon.errors import DamagedError, UnavailableError
from daemon.recording.database import is_damage


@contextmanager
def reading(engine: Engine) -> Iterator[Connection]:
    """Connect for as long as the body takes. Raises `DamagedError` and `UnavailableError`."""
    try:
        with engine.connect() as connection:
            yield connection
    except DBAPIError as error:
        if is_damage(error.orig):
            raise DamagedError(f"results database: {error.orig}") from error
        raise UnavailableError(f"results database: {error.orig}{_older(error)}") from error


def _older(error: DBAPIError) -> str:
    """Return what to do where a table or a column is not there: the database is of an earlier version."""
    missing = any(words in str(error.orig) for words in ("no such column", "no such table", "does not exist"))
    return "; it is of an earlier galvanod, whose tables a recorder of this one brings up" if missing else ""
