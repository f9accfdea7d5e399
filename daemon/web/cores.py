"""The cores behind the page: each is asked over its own control socket."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any

import msgspec

from daemon.client import AnswerError
from daemon.errors import UnavailableError, UnknownError
from daemon.places import socket_address
from daemon.requests import (
    Acknowledge,
    Audit,
    Channels,
    Check,
    Clear,
    Instruments,
    Pause,
    Queue,
    Request,
    Safe,
    Stop,
    Studies,
    Study,
    StudyDraft,
    Trouble,
)
from daemon.web.checks import Checks

PATIENCE = 60.0
"""Seconds for an answer; a submission opens an instrument."""

LOOKING = 15.0
"""Seconds for what a core only has to look up: who waits longer had better know that it does not answer."""

LOOKS = (Audit, Channels, Instruments, Queue, Studies, Study)

LONGEST_LINE = 64 * 1024 * 1024
"""Bytes an answer may have; the plan of a long protocol is large."""

MOST_AT_ONCE = 32
"""Questions under way per core: however many people ask, a core sees no more."""

URGENT = (Pause, Stop, Safe, Clear, Acknowledge)
"""What never waits behind other questions."""


class Reply(msgspec.Struct):
    """One line of an answer; exactly one field is there."""

    ok: msgspec.Raw = msgspec.Raw()
    event: msgspec.Raw = msgspec.Raw()
    error: Trouble | None = None


_reply = msgspec.json.Decoder(Reply)


class Cores:
    """Asks the core that a name belongs to."""

    def __init__(self, sockets: Mapping[str, Path]) -> None:
        self._sockets = dict(sockets)
        self._room = {name: asyncio.Semaphore(MOST_AT_ONCE) for name in sockets}
        self._checks = {name: Checks() for name in sockets}

    @property
    def names(self) -> list[str]:
        """The names of the cores."""
        return list(self._sockets)

    def of_run(self, run: str) -> str:
        """Return the core whose run this is: a run is called after its core."""
        return self._of(run, "-", "run")

    def of_study(self, study: str) -> str:
        """Return the core whose study this is: a study is called after its core."""
        return self._of(study, "-s", "study")

    def _of(self, name: str, sign: str, what: str) -> str:
        core, _, number = name.rpartition(sign)
        if core in self._sockets and number.isascii() and number.isdecimal():
            return core
        called = " or ".join(f"{each}{sign}1" for each in self._sockets)
        raise UnknownError(f"there is no {what} {name[:80]!r} here; it would be called {called}, …")

    def named(self, core: str | None) -> str:
        """Return the core that somebody names; the first one where none is named."""
        return core if core is not None else self.names[0]

    async def ask(self, core: str, request: Request, patience: float | None = None) -> Any:
        """Return the answer as plain data; raises `AnswerError` with what the core refused for."""
        if patience is None:
            patience = LOOKING if isinstance(request, LOOKS) else PATIENCE
        reply = await self._first(core, request, patience)
        return msgspec.json.decode(reply.ok)

    async def events(self, core: str, request: Request, patience: float) -> AsyncIterator[msgspec.Raw]:
        """Yield what a core has to say in several pieces, undecoded, all within `patience` seconds."""
        async with self._conversation(core, request, patience) as lines:
            async for reply in lines:
                if reply.ok:
                    return
                yield reply.event
        raise UnavailableError(f"core {core} hung up in the middle of its answer")

    async def _first(self, core: str, request: Request, patience: float) -> Reply:
        async with self._conversation(core, request, patience) as lines:
            async for reply in lines:
                return reply
        raise UnavailableError(f"core {core} hung up without an answer")

    @contextlib.asynccontextmanager
    async def _conversation(
        self, core: str, request: Request, patience: float
    ) -> AsyncIterator[AsyncIterator[Reply]]:
        path = self._socket(core)
        try:
            async with asyncio.timeout(patience), self._place(core, request):
                reader, writer = await asyncio.open_unix_connection(socket_address(path), limit=LONGEST_LINE)
                try:
                    writer.write(msgspec.json.encode(request) + b"\n")
                    await writer.drain()
                    yield _replies(reader)
                finally:
                    writer.close()
        except TimeoutError as error:
            raise UnavailableError(f"core {core} did not answer within {patience:g} s") from error
        except OSError as error:
            raise UnavailableError(f"core {core} is not there ({error.strerror or error})") from error

    def _place(self, core: str, request: Request) -> contextlib.AbstractAsyncContextManager[None]:
        """A place in the queue of the core's questions; what is urgent takes none, checks have their own."""
        match request:
            case Check() | StudyDraft():
                return self._checks[core].turn(request.by)
            case _ if isinstance(request, URGENT):
                return contextlib.nullcontext()
        return self._room[core]

    def _socket(self, core: str) -> Path:
        try:
            return self._sockets[core]
        except KeyError:
            raise UnknownError(
                f"there is no core {core[:80]!r}; there are {', '.join(self._sockets)}"
            ) from None


async def _replies(reader: asyncio.StreamReader) -> AsyncIterator[Reply]:
    while line := await reader.readline():
        reply = _reply.decode(line)
        if reply.error is not None:
            raise AnswerError(reply.error)
        yield reply
