"""Tokens: who may use the page and the API, and for what; only their digests are kept."""

import hashlib
import hmac
import json
import os
import re
import secrets
from collections.abc import Mapping
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Self

import msgspec

from daemon.errors import ConfigurationError, ServiceError, UnknownError

_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,31}")


class Scope(StrEnum):
    """What a token allows; each scope includes those before it."""

    VIEW = "view"
    SUBMIT = "submit"
    CONTROL = "control"
    ADMIN = "admin"

    def includes(self, other: "Scope") -> bool:
        """Whether who holds this one may do what `other` is for."""
        order = list(Scope)
        return order.index(self) >= order.index(other)


class Token(msgspec.Struct, frozen=True):
    """A token as it is kept: its name, which the audit shows, and the digest of its secret."""

    name: str
    scope: Scope
    digest: str
    created: str  # UTC, ISO 8601
    expires: str | None = None

    def valid(self, now: datetime) -> bool:
        """Whether it has not expired."""
        return self.expires is None or now < datetime.fromisoformat(self.expires)


class Tokens:
    """The tokens of a file, read again whenever it changes, so that a revoked one ends at once."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._seen: tuple[int, int] | None = None
        self._by_digest: Mapping[str, Token] = {}

    def holder(self, secret: str, now: datetime) -> Token | None:
        """Return the token with this secret; None where there is none or it has expired."""
        digest = _digest(secret)
        found = self._current().get(digest)
        if found is None or not hmac.compare_digest(found.digest, digest):
            return None
        return found if found.valid(now) else None

    def still_valid(self, token: Token, now: datetime) -> bool:
        """Whether the token has been neither revoked nor changed since, and has not expired."""
        return self._current().get(token.digest) == token and token.valid(now)

    def all(self) -> list[Token]:
        """Return every token, by name."""
        return sorted(self._current().values(), key=lambda token: token.name)

    def create(self, name: str, scope: Scope, expires: datetime | None = None) -> str:
        """Add a token and return its secret, which is not kept: it is shown once.

        Raises `ServiceError` for a name that is taken or is none.
        """
        if _NAME.fullmatch(name) is None:
            raise ServiceError(
                f"token name {name!r}: wanted 1 to 32 of a-z 0-9 . _ - (it is shown in the audit)"
            )
        tokens = self.all()
        if any(token.name == name for token in tokens):
            raise ServiceError(f"there is a token {name!r} already; revoke it first, or take another name")
        secret = secrets.token_urlsafe(32)
        until = expires.isoformat() if expires is not None else None
        created = datetime.now(UTC).isoformat(timespec="seconds")
        self._write([*tokens, Token(name, scope, _digest(secret), created, until)])
        return secret

    def renewed(self, name: str, scope: Scope) -> str:
        """Make a token in the place of the one of that name, if there is one; return its secret."""
        if any(token.name == name for token in self.all()):
            self.revoke(name)
        return self.create(name, scope)

    def revoke(self, name: str) -> None:
        """Take a token away; what it was logged in with ends with the next request."""
        tokens = self.all()
        if all(token.name != name for token in tokens):
            known = ", ".join(token.name for token in tokens) or "none"
            raise UnknownError(f"there is no token {name!r}; there are: {known}")
        self._write([token for token in tokens if token.name != name])

    def _current(self) -> Mapping[str, Token]:
        try:
            stat = self._path.stat()
        except FileNotFoundError:
            self._seen, self._by_digest = None, {}
            return self._by_digest
        seen = (stat.st_mtime_ns, stat.st_ino)
        if seen != self._seen:
            self._by_digest = {token.digest: token for token in _read(self._path)}
            self._seen = seen
        return self._by_digest

    def _write(self, tokens: list[Token]) -> None:
        partial = self._path.with_name(f".{self._path.name}.partial")
        partial.unlink(missing_ok=True)
        self._path.parent.mkdir(parents=True, exist_ok=True)
        text = json.dumps(msgspec.to_builtins(tokens), indent=1) + "\n"
        with os.fdopen(os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o640), "w") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        partial.replace(self._path)

    @classmethod
    def of(cls, path: Path) -> Self:
        """Return the tokens of a file, having read it once. Raises `ConfigurationError`."""
        tokens = cls(path)
        tokens._current()
        return tokens


def _digest(secret: str) -> str:
    """A secret is 256 random bits: one round of a hash is as good as many."""
    return hashlib.sha256(secret.encode("utf-8", "surrogateescape")).hexdigest()


def _read(path: Path) -> list[Token]:
    try:
        return msgspec.json.decode(path.read_bytes(), type=list[Token])
    except (OSError, msgspec.MsgspecError) as error:
        raise ConfigurationError(f"{path}: {error}; wanted what `galvanod token` writes") from error
