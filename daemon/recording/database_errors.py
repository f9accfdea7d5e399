"""What a database refuses, in errors of ours: try again, mend the file, or leave this content out."""

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import make_url
from sqlalchemy.exc import (
    DataError,
    DBAPIError,
    IntegrityError,
    InterfaceError,
    NotSupportedError,
    OperationalError,
    ProgrammingError,
    StatementError,
)

from daemon.errors import DamagedError, ServiceError, UnavailableError
from daemon.recording.database import is_damage


class UnstorableError(ServiceError):
    """The database refuses the content itself: writing it again will not help."""


@contextmanager
def translated(url: str) -> Iterator[None]:
    """Raise what the body meets as `UnavailableError`, `DamagedError` or `UnstorableError`."""
    try:
        yield
    except (OperationalError, InterfaceError) as error:
        if is_damage(error.orig):
            raise DamagedError(f"database {safe_url(url)}: {error.orig}") from error
        raise UnavailableError(f"database {safe_url(url)}: {error.orig}") from error
    except (DataError, IntegrityError, ProgrammingError, NotSupportedError) as error:
        raise UnstorableError(f"database {safe_url(url)}: {error.orig}") from error
    except DBAPIError as error:  # a damaged file, an internal error: nothing is wrong with the content
        if is_damage(error.orig):
            raise DamagedError(f"database {safe_url(url)}: {error.orig}") from error
        raise UnavailableError(f"database {safe_url(url)}: {error.orig}") from error
    except (StatementError, ValueError, OverflowError) as error:
        raise UnstorableError(f"database {safe_url(url)}: {error}") from error


def safe_url(url: str) -> str:
    """Return the URL as it may stand in a log: without its password."""
    return make_url(url).render_as_string(hide_password=True) if "://" in url else url
