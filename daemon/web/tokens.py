"""Tokens: who may use the page and the API, and for what; only their digests are kept."""

import contextlib
import fcntl
import hashlib
import hmac
import json
import logging
import os
import re
import secrets
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Self

import msgspec

from daemon import small_file
from daemon.errors import ConfigurationError, ServiceError, UnknownError

_log = logging.getLogger(__name__)

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
    """The tokens of a file, read again whenever it changes, so that a revoked one ends at once.

    A file that can no longer be read changes nobody: those of before hold, so that whoever
    could stop a run still can.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._seen: tuple[int, int, int] | None = None
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
        with self._changing() as tokens:
            if any(token.name == name for token in tokens):
                raise ServiceError(
                    f"there is a token {name!r} already; revoke or rotate it, or take another name"
                )
            secret, token = _made(name, scope, expires.isoformat() if expires is not None else None)
            self._write([*tokens, token])
        return secret

    def renewed(self, name: str, scope: Scope) -> str:
        """Make a token in the place of the one of that name, if there is one; return its secret."""
        with self._changing() as tokens:
            secret, token = _made(name, scope, None)
            self._write([*(each for each in tokens if each.name != name), token])
        return secret

    def rotated(self, name: str) -> str:
        """Give a token another secret and return it; what the one of before began ends at once."""
        with self._changing() as tokens:
            before = _named(name, tokens)
            secret, token = _made(name, before.scope, before.expires)
            self._write([token if each is before else each for each in tokens])
        return secret

    def revoke(self, name: str) -> None:
        """Take a token away; what it was logged in with ends with the next request."""
        with self._changing() as tokens:
            before = _named(name, tokens)
            self._write([token for token in tokens if token is not before])

    @contextlib.contextmanager
    def _changing(self) -> Iterator[list[Token]]:
        """Yield the tokens as they are now, which nobody else changes meanwhile."""
        self._path.parent.mkdir(parents=True, exist_ok=True)
        lock = os.open(self._path.with_name(f".{self._path.name}.lock"), os.O_RDWR | os.O_CREAT, 0o640)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield sorted(_read(self._path), key=lambda token: token.name)
        finally:
            os.close(lock)

    def _current(self) -> Mapping[str, Token]:
        try:
            stat = self._path.stat()
        except FileNotFoundError:
            self._seen, self._by_digest = None, {}
            return self._by_digest
        seen = (stat.st_mtime_ns, stat.st_ino, stat.st_size)
        if seen != self._seen:
            self._seen = seen
            try:
                self._by_digest = {token.digest: token for token in _read(self._path)}
            except ConfigurationError as error:
                _log.error("the tokens of before hold: %s", error)
        return self._by_digest

    def _write(self, tokens: list[Token]) -> None:
        text = json.dumps(msgspec.to_builtins(tokens), indent=1) + "\n"
        small_file.replace(self._path, text.encode(), 0o640)

    @classmethod
    def of(cls, path: Path) -> Self:
        """Return the tokens of a file, having read it once. Raises `ConfigurationError`."""
        _read(path)
        return cls(path)


def _made(name: str, scope: Scope, expires: str | None) -> tuple[str, Token]:
    secret = secrets.token_urlsafe(32)
    return secret, Token(
        name, scope, _digest(secret), datetime.now(UTC).isoformat(timespec="seconds"), expires
    )


def _named(name: str, tokens: list[Token]) -> Token:
    """Return the token of that name. Raises `UnknownError`."""
    for token in tokens:
        if token.name == name:
            return token
    known = ", ".join(token.name for token in tokens) or "none"
    raise UnknownError(f"there is no token {name[:80]!r}; there are: {known}")


def _digest(secret: str) -> str:
    """A secret is 256 random bits: one round of a hash is as good as many."""
    return hashlib.sha256(secret.encode("utf-8", "surrogateescape")).hexdigest()


def _read(path: Path) -> list[Token]:
    try:
        found = msgspec.json.decode(path.read_bytes(), type=list[Token])
        for token in found:
            if token.expires is not None and datetime.fromisoformat(token.expires).tzinfo is None:
                raise ValueError(f"{token.expires!r} is in no time zone")
    except FileNotFoundError:
        return []
    except (OSError, ValueError) as error:
        raise ConfigurationError(f"{path}: {error}; wanted what `galvanod token` writes") from error
    return found
