"""Clients that mean no good, in a process of their own: slow, silent, noisy, unknown, for as long as asked.

    python -m daemon.bench.siege 500 PORT TOKEN SOCKET

says `ready` once all have tried to connect, and goes on until its standard input ends. One in five
is at the core's own socket, which only the lab's own users can reach, the others at the page. Whoever
is thrown out comes back a second later. It is nice to other processes, so that what is measured
beside it is what its connections cost, not what its own work does.
"""

import asyncio
import contextlib
import os
import sys
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from itertools import cycle, islice
from pathlib import Path

from daemon.places import socket_address

PAUSE = 1.0
"""Seconds between two misdeeds of one client."""

LARGE = 64 * 1024
_APART = 0.005  # seconds between two connections: all at once would fill the queue of who listens

Misdeed = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Page:
    """What is done to the page by who holds a token, and by who does not."""

    token: str

    def misdeeds(self) -> Sequence[Misdeed]:
        """Return one of each kind."""
        return (
            silent,
            self.slow_to_ask,
            self.never_reads_a_file,
            self.never_reads_the_stream,
            self.never_reads_events,
            self.large_head,
            self.guesses_tokens,
            self.asks_and_asks,
            self.talks_instead_of_listening,
            self.stream_without_a_token,
        )

    async def slow_to_ask(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for byte in _head("/api/v1/channels"):
            await _say(writer, bytes((byte,)))
            await asyncio.sleep(PAUSE)

    async def never_reads_a_file(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await _say(writer, _head("/static/app.js") * 50)
        await silent(reader, writer)

    async def never_reads_the_stream(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        await _say(writer, self._stream(self.token))
        await silent(reader, writer)

    async def never_reads_events(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await _say(writer, _head("/api/v1/live/events", self.token))
        await silent(reader, writer)

    async def large_head(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await _say(writer, _head("/")[:-2] + b"x: " + b"x" * LARGE + b"\r\n\r\n")
        await reader.read()

    async def guesses_tokens(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await _each_answered(reader, writer, _head("/api/v1/channels", "guessed"))

    async def asks_and_asks(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await _each_answered(reader, writer, _head("/api/v1/session", self.token))

    async def talks_instead_of_listening(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        await _say(writer, self._stream(self.token))
        ping = b"\x89\x80\x00\x00\x00\x00"
        while not reader.at_eof():
            await _say(writer, ping * 200)
            await reader.read(LARGE)
            await asyncio.sleep(PAUSE)

    async def stream_without_a_token(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        await _each_answered(reader, writer, self._stream("guessed"))

    def _stream(self, token: str) -> bytes:
        upgrade = (
            b"connection: Upgrade\r\nupgrade: websocket\r\nsec-websocket-version: 13\r\n"
            b"sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
        )
        return _head("/api/v1/live", token)[:-2] + upgrade


async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Say nothing more, and read nothing, until the other end has had enough."""
    while not writer.is_closing():  # noqa: ASYNC110 - the other end tells nobody but the socket
        await asyncio.sleep(PAUSE)


async def nonsense(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Say what is no request."""
    await _each_answered(reader, writer, b'{"do": "nothing"}\n')


async def endless_line(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Begin a request and never end it."""
    while not reader.at_eof():
        await _say(writer, b"x" * LARGE)
        await asyncio.sleep(PAUSE)


async def never_reads_an_answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Ask for everything again and again, and read none of it."""
    while not writer.is_closing():
        await _say(writer, b'{"do": "glances"}\n')
        await asyncio.sleep(PAUSE)


CORE: Sequence[Misdeed] = (silent, nonsense, endless_line, never_reads_an_answer)


def _head(path: str, token: str | None = None) -> bytes:
    bearer = f"authorization: Bearer {token}\r\n" if token else ""
    return f"GET {path} HTTP/1.1\r\nhost: 127.0.0.1\r\n{bearer}\r\n".encode()


async def _say(writer: asyncio.StreamWriter, what: bytes) -> None:
    writer.write(what)
    await writer.drain()


async def _each_answered(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, what: bytes) -> None:
    while not reader.at_eof():
        await _say(writer, what)
        await reader.read(LARGE)
        await asyncio.sleep(PAUSE)


async def _returning(
    connect: Callable[[], Awaitable[tuple[asyncio.StreamReader, asyncio.StreamWriter]]], misdeed: Misdeed
) -> None:
    """Do it for ever, connecting anew whenever thrown out."""
    while True:
        with contextlib.suppress(OSError):
            reader, writer = await connect()
            try:
                await misdeed(reader, writer)
            finally:
                writer.transport.abort()
        await asyncio.sleep(PAUSE)


async def besiege(number: int, port: int, token: str, socket: str) -> None:
    """Do all of it with so many clients until standard input ends."""
    page, core = Page(token).misdeeds(), CORE
    at_core = number // 5

    async def to_page() -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        return await asyncio.open_connection("127.0.0.1", port, limit=LARGE)

    async def to_core() -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        return await asyncio.open_unix_connection(socket_address(Path(socket)), limit=LARGE)

    clients = []
    for misdeed in islice(cycle(page), number - at_core):
        clients.append(asyncio.create_task(_returning(to_page, misdeed)))
        await asyncio.sleep(_APART)
    for misdeed in islice(cycle(core), at_core):
        clients.append(asyncio.create_task(_returning(to_core, misdeed)))
        await asyncio.sleep(_APART)
    print("ready", flush=True)
    await asyncio.to_thread(sys.stdin.read)
    for client in clients:
        client.cancel()
    await asyncio.gather(*clients, return_exceptions=True)


if __name__ == "__main__":
    os.nice(10)
    number, port, token, socket = sys.argv[1:]
    asyncio.run(besiege(int(number), int(port), token, socket))
