"""The core's control socket: who may open it may ask anything, so the file's mode is the lock."""

import asyncio
import contextlib
import logging
import pwd
import socket
import struct
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import msgspec

from daemon.errors import ConfigurationError
from daemon.places import socket_address
from daemon.requests import LARGEST, Request, Trouble
from protocols.errors import GalvanodError, ProtocolError

_log = logging.getLogger(__name__)
_decoder = msgspec.json.Decoder(Request)

Answer = Callable[[Request, str], Awaitable[Any]]
"""Answers one request of somebody; an async iterator as the answer is sent event by event."""


@asynccontextmanager
async def listening(path: Path, answer: Answer) -> AsyncIterator[None]:
    """Serve the socket at `path`; the directory that holds it decides who may come in."""
    conversations: set[asyncio.Task[None]] = set()

    async def meet(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        if task is not None:
            conversations.add(task)
            task.add_done_callback(conversations.discard)
        await _converse(reader, writer, answer)

    path.unlink(missing_ok=True)
    try:
        server = await asyncio.start_unix_server(meet, socket_address(path), limit=LARGEST)
    except OSError as error:
        raise ConfigurationError(f"cannot listen at {path}: {error.strerror}") from error
    path.chmod(0o660)
    try:
        yield
    finally:
        server.close()
        for task in conversations:
            task.cancel()
        await asyncio.gather(*conversations, return_exceptions=True)
        path.unlink(missing_ok=True)


async def _converse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, answer: Answer) -> None:
    """Answer line after line until the client is gone."""
    who = _user(writer)
    try:
        while line := await _line(reader):
            async for reply in _replies(line, answer, who):
                writer.write(msgspec.json.encode(reply) + b"\n")
                await writer.drain()
    except (ConnectionError, asyncio.CancelledError):
        pass
    finally:
        writer.close()
        with contextlib.suppress(ConnectionError, asyncio.CancelledError):
            await writer.wait_closed()


async def _line(reader: asyncio.StreamReader) -> bytes:
    """Return the next line; empty at the end, or when a line is too long to be a request."""
    try:
        return await reader.readline()
    except ValueError:
        return b""


async def _replies(line: bytes, answer: Answer, who: str) -> AsyncIterator[dict[str, Any]]:
    try:
        request = _decoder.decode(line)
        result = await answer(request, _person(request, who))
        if isinstance(result, AsyncIterator):
            async for event in result:
                yield {"event": event}
            result = None
        yield {"ok": result}
    except msgspec.MsgspecError as error:
        yield {"error": Trouble("RequestError", f"the request cannot be read: {error}", 64)}
    except GalvanodError as error:
        yield {"error": trouble(error)}
    except Exception as error:  # the core must outlive whatever a request can do to it
        _log.exception("a request failed")
        yield {"error": Trouble(type(error).__name__, str(error), 70)}


def _person(request: Request, who: str) -> str:
    """Name who asks: where a process does so for somebody, both."""
    person = "".join(letter for letter in request.by[:64] if letter.isprintable())
    return f"{person} by {who}" if person else who


def _user(writer: asyncio.StreamWriter) -> str:
    """Name the Unix user at the other end, as the kernel knows it."""
    connection: socket.socket = writer.get_extra_info("socket")
    credentials = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i"))
    _, user, _ = struct.unpack("3i", credentials)
    try:
        return pwd.getpwuid(user).pw_name
    except KeyError:
        return f"user {user}"


def trouble(error: GalvanodError) -> Trouble:
    """Return the error as the socket carries it, each problem of a file with its place."""
    problems = error.problems if isinstance(error, ProtocolError) else ()
    return Trouble(
        kind=type(error).__name__,
        message=str(error),
        exit_status=error.exit_status,
        problems=[
            {
                "file": problem.place.file,
                "line": problem.place.line,
                "column": problem.place.column,
                "seen": problem.seen,
                "wanted": problem.wanted,
            }
            for problem in problems
        ],
    )
