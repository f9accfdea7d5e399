"""When each token was last used: to find those that nobody needs any more."""

from collections.abc import Mapping
from datetime import datetime
from pathlib import Path

from daemon import small_file
from daemon.web.tokens import Token

SELDOM = 60.0
"""Seconds between writings: the file may be that much behind."""


class TokenUse:
    """Keeps the moments in a file, which outlasts a restart."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._used = dict(last_used(path))
        self._written: datetime | None = None

    def note(self, name: str, now: datetime) -> None:
        """A token was used."""
        self._used[name] = now.isoformat(timespec="seconds")
        if self._written is None or (now - self._written).total_seconds() > SELDOM:
            self._written = now
            small_file.write(self._path, self._used)

    def forget(self, name: str) -> None:
        """A token is no more; another of the same name was never used."""
        if self._used.pop(name, None) is not None:
            small_file.write(self._path, self._used)

    def last(self, token: Token) -> str | None:
        """Return the moment (UTC, ISO 8601) it was last used; None for never."""
        return use_of(token, self._used)


def use_of(token: Token, used: Mapping[str, str]) -> str | None:
    """Return when a token was used, of those by name: not when one before it was that had its name."""
    moment = used.get(token.name)
    begins = datetime.fromisoformat(token.created).replace(microsecond=0)  # uses are kept to the second
    return None if moment is None or datetime.fromisoformat(moment) < begins else moment


def last_used(path: Path) -> Mapping[str, str]:
    """Return the moments by the tokens' names, as they were last written."""
    found = small_file.read(path)
    if not isinstance(found, Mapping):
        return {}
    return {str(name): str(moment) for name, moment in found.items()}
