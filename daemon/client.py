"""Asks the core over its control socket, for the command line."""

import json
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec

from daemon.errors import ServiceError, UnavailableError
from daemon.places import socket_address
from daemon.requests import Request, Trouble

_PATIENCE = 60.0  # seconds for an answer; a submission opens an instrument


class AnswerError(ServiceError):
    """The core refused; carries what it said."""

    def __init__(self, trouble: Trouble) -> None:
        super().__init__(trouble.message)
        self.trouble = trouble

    def within(self, what: str) -> "AnswerError":
        """Return the same error about a part of something larger."""
        trouble = self.trouble
        return AnswerError(msgspec.structs.replace(trouble, message=f"{what}: {trouble.message}"))

    @property
    def exit_status(self) -> int:  # type: ignore[override]
        return self.trouble.exit_status


def ask(path: Path, request: Request, patience: float = _PATIENCE) -> Any:
    """Return the core's answer; raises `AnswerError`, or `UnavailableError` when nobody is there."""
    with _conversation(path, request, patience) as lines:
        for line in lines:
            return _unwrapped(line)["ok"]
    raise UnavailableError(f"the core at {path} hung up without an answer")


def events(path: Path, request: Request) -> Iterator[Any]:
    """Yield the events of a request that has many."""
    with _conversation(path, request, _PATIENCE) as lines:
        for line in lines:
            reply = _unwrapped(line)
            if "event" not in reply:
                return
            yield reply["event"]
    raise UnavailableError(f"the core at {path} went away")


@contextmanager
def _conversation(path: Path, request: Request, patience: float) -> Iterator[Iterator[bytes]]:
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(patience)
        try:
            connection.connect(socket_address(path))
            connection.sendall(msgspec.json.encode(request) + b"\n")
            with connection.makefile("rb") as lines:
                yield iter(lines)
        except OSError as error:
            raise UnavailableError(
                f"no core answers at {path} ({error.strerror or error}); start one with `galvanod up`"
            ) from error


def _unwrapped(line: bytes) -> dict[str, Any]:
    reply: dict[str, Any] = json.loads(line)
    if "error" in reply:
        raise AnswerError(msgspec.convert(reply["error"], Trouble))
    return reply
