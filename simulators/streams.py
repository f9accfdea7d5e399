"""The bytes between a simulated instrument and one client: TCP or pseudo-terminal."""

import asyncio
import os
import socket
import struct
import tty
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from pathlib import Path

from simulators.instrument import Stream

CHUNK = 65536


class TcpStream(Stream):
    """One accepted connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer
        connection: socket.socket = writer.get_extra_info("socket")
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    @property
    def gone(self) -> bool:
        """Whether the client has hung up and everything it said was read."""
        return self._reader.at_eof() or self._reader.exception() is not None

    async def read(self) -> bytes:
        try:
            return await self._reader.read(CHUNK)
        except OSError:
            return b""

    async def write(self, data: bytes) -> None:
        with suppress(OSError):  # the client is gone, which `read` will tell
            self._writer.write(data)
            await self._writer.drain()

    def abort(self) -> None:
        """Reset the connection, as a crash or a pulled plug would."""
        connection: socket.socket = self._writer.get_extra_info("socket")
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self._writer.transport.abort()

    async def aclose(self) -> None:
        """Hang up."""
        self._writer.close()
        with suppress(OSError):
            await self._writer.wait_closed()


Converse = Callable[[TcpStream], Awaitable[None]]


@asynccontextmanager
async def listening(converse: Converse, port: int = 0) -> AsyncIterator[int]:
    """Accept clients on 127.0.0.1 and converse with each; yield the port. Leaving hangs up on all."""
    conversations: set[asyncio.Task[None]] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        stream = TcpStream(reader, writer)
        try:
            await converse(stream)
        finally:
            await stream.aclose()

    def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.create_task(serve(reader, writer), name="conversation")
        conversations.add(task)
        task.add_done_callback(conversations.discard)

    server = await asyncio.start_server(accept, "127.0.0.1", port)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        await _cancelled(conversations)
        await server.wait_closed()


async def _cancelled(tasks: set[asyncio.Task[None]]) -> None:
    """Cancel the tasks and wait until they are over; their own errors were already reported."""
    left = list(tasks)
    for task in left:
        task.cancel()
    await asyncio.gather(*left, return_exceptions=True)


class PtyStream(Stream):
    """The instrument's end of a pseudo-terminal; its `path` is what a client opens as a serial port.

    The instrument keeps the client's end open too, so that clients may come and go without the
    line going down (Linux would raise EIO on our end). It never reads empty.
    """

    def __init__(self, ours: int, theirs: int) -> None:
        self.path = os.ttyname(theirs)
        self._ours = ours
        self._theirs = theirs

    async def read(self) -> bytes:
        while True:
            try:
                return os.read(self._ours, CHUNK)
            except BlockingIOError:
                await self._readable()

    async def write(self, data: bytes) -> None:
        while data:
            try:
                data = data[os.write(self._ours, data) :]
            except BlockingIOError:
                if not self._someone_listens():
                    return  # the line is full and nobody there: a UART drops what is not taken
                with suppress(TimeoutError):
                    await asyncio.wait_for(self._writable(), 0.2)

    async def _readable(self) -> None:
        loop = asyncio.get_running_loop()
        ready = asyncio.Event()
        loop.add_reader(self._ours, ready.set)
        try:
            await ready.wait()
        finally:
            loop.remove_reader(self._ours)

    async def _writable(self) -> None:
        loop = asyncio.get_running_loop()
        ready = asyncio.Event()
        loop.add_writer(self._ours, ready.set)
        try:
            await ready.wait()
        finally:
            loop.remove_writer(self._ours)

    def _someone_listens(self) -> bool:
        """Whether any descriptor but our own keeps the client's end open (Linux; others: assume so)."""
        if not Path("/proc/self/fd").exists():
            return True
        own = f"/proc/{os.getpid()}/fd/{self._theirs}"
        return any(target == self.path for fd, target in _open_files() if fd != own)


def _open_files() -> Iterator[tuple[str, str]]:
    """Yield every open descriptor of every process we may look into, and what it is open on."""
    for folder in Path("/proc").glob("[0-9]*/fd"):
        with suppress(OSError):
            for fd in folder.iterdir():
                with suppress(OSError):
                    yield str(fd), str(fd.readlink())


@contextmanager
def pseudo_terminal() -> Iterator[PtyStream]:
    """Open a raw pseudo-terminal and close both ends afterwards."""
    ours, theirs = os.openpty()
    try:
        tty.setraw(ours)
        tty.setraw(theirs)
        os.set_blocking(ours, False)
        yield PtyStream(ours, theirs)
    finally:
        os.close(ours)
        os.close(theirs)
