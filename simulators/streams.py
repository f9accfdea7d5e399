"""The bytes between a simulated instrument and one client: TCP or pseudo-terminal."""

import asyncio
import os
import socket
import struct
import tty
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from pathlib import Path

from simulators.wired import Stream

CHUNK = 65536

BACKLOG = 100
"""Clients that may wait to be accepted."""

TURNS_TO_ARRIVE = 8
"""Turns of the event loop until a client it has accepted is one we know of."""


class TcpStream(Stream):
    """One accepted connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer
        connection: socket.socket = writer.get_extra_info("socket")
        with suppress(OSError):  # a client that is gone already is told by `read`
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
        with suppress(OSError):  # it has gone by itself
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self._writer.transport.abort()

    def hang_up(self) -> None:
        """Close the connection once what was written has gone."""
        self._writer.close()

    async def aclose(self) -> None:
        """Hang up, and wait until it is done."""
        self.hang_up()
        with suppress(OSError):
            await self._writer.wait_closed()


Converse = Callable[[TcpStream], Awaitable[None]]


class Listener:
    """A port on 127.0.0.1 that is this one's until closed, whether it listens or not."""

    def __init__(self, converse: Converse, port: int = 0) -> None:
        """Take the port, any free one for 0. Raises `OSError` if it is taken."""
        self._converse = converse
        self._conversations: set[asyncio.Task[None]] = set()
        self._streams: set[TcpStream] = set()
        self._server: asyncio.Server | None = None
        self._open = False
        self._left = asyncio.Event()  # not set between refusing clients and letting go of the socket
        self._left.set()
        self._reserved = _bound(port)
        self.port: int = self._reserved.getsockname()[1]

    async def listen(self) -> None:
        """Accept clients from this very moment on, and converse with each."""
        await self._left.wait()
        self._open = True
        listening = _bound(self.port)
        listening.listen(BACKLOG)
        self._server = await asyncio.start_server(self._accept, sock=listening, backlog=BACKLOG)

    def reset(self) -> None:
        """Reset every connection there is."""
        for stream in tuple(self._streams):
            stream.abort()

    def go(self) -> None:
        """Refuse clients from now on, and reset the connections there are."""
        self._open = False
        self._stop_accepting()
        self.reset()

    async def aclose(self) -> None:
        """Hang up on all, and let go of the port."""
        self._open = False
        self._stop_accepting()
        for _ in range(TURNS_TO_ARRIVE):
            await asyncio.sleep(0)
        await cancelled(self._conversations)
        if self._server is not None:
            await self._server.wait_closed()
        self._reserved.close()

    def _stop_accepting(self) -> None:
        """Close the server after what it accepted in this turn has become a connection.

        A client accepted but not yet told of is dropped unclosed by a server that closes first
        (CPython 3.11 asserts in `Server._attach`, and nobody holds the socket any more).
        """
        if self._server is None or not self._left.is_set():
            return
        loop = asyncio.get_running_loop()
        for listening in self._server.sockets:
            loop.remove_reader(listening.fileno())
        self._left.clear()
        loop.call_soon(self._leave, self._server)  # behind the tasks of those it accepted

    def _leave(self, server: asyncio.Server) -> None:
        server.close()
        self._left.set()

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        stream = TcpStream(reader, writer)
        if not self._open:
            stream.abort()
            return
        self._streams.add(stream)
        task = asyncio.create_task(self._serve(stream), name="conversation")
        self._conversations.add(task)
        task.add_done_callback(lambda ended: self._ended(ended, stream))

    async def _serve(self, stream: TcpStream) -> None:
        await self._converse(stream)
        await stream.aclose()

    def _ended(self, task: asyncio.Task[None], stream: TcpStream) -> None:
        """Hang up however it ended: a task may be cancelled before it has begun."""
        self._conversations.discard(task)
        self._streams.discard(stream)
        stream.hang_up()


def _bound(port: int) -> socket.socket:
    """Return a socket that has the port but does not listen: several may have it until one does."""
    bound = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    try:
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        bound.bind(("127.0.0.1", port))
    except OSError as error:
        bound.close()
        why = (error.strerror or "cannot be bound").lower()
        raise OSError(error.errno, f"port {port} of 127.0.0.1: {why}") from error
    return bound


@asynccontextmanager
async def listening(converse: Converse, port: int = 0) -> AsyncIterator[int]:
    """Accept clients on 127.0.0.1 and converse with each; yield the port. Leaving hangs up on all."""
    listener = Listener(converse, port)
    try:
        await listener.listen()
        yield listener.port
    finally:
        await listener.aclose()


async def cancelled(tasks: set[asyncio.Task[None]]) -> None:
    """Cancel the tasks and wait until they are over; their own errors were already reported."""
    left = list(tasks)
    for task in left:
        task.cancel()
    await asyncio.gather(*left, return_exceptions=True)


class PtyStream(Stream):
    """The instrument's end of a pseudo-terminal; its `path` is what a client opens as a serial port.

    The instrument keeps the client's end open too, so that clients may come and go without the
    line going down (Linux would raise EIO on our end). It reads empty only once the line was cut.
    """

    def __init__(self, ours: int, theirs: int) -> None:
        self.path = os.ttyname(theirs)
        self._ours = ours
        self._theirs = theirs
        self._waiting: set[asyncio.Event] = set()
        self._cut = False

    def cut(self) -> None:
        """Close both ends, as when the plug is pulled: the client sees the port go."""
        if not self._cut:
            self._cut = True
            loop = asyncio.get_running_loop()
            loop.remove_reader(self._ours)
            loop.remove_writer(self._ours)
            for event in self._waiting:
                event.set()
            os.close(self._ours)
            os.close(self._theirs)

    async def read(self) -> bytes:
        while not self._cut:
            try:
                return os.read(self._ours, CHUNK)
            except BlockingIOError:
                await self._readable()
        return b""

    async def write(self, data: bytes) -> None:
        while data and not self._cut:
            try:
                data = data[os.write(self._ours, data) :]
            except BlockingIOError:
                if not self._someone_listens():
                    return  # the line is full and nobody there: a UART drops what is not taken
                with suppress(TimeoutError):
                    await asyncio.wait_for(self._writable(), 0.2)

    async def _readable(self) -> None:
        loop = asyncio.get_running_loop()
        with self._waits() as ready:
            loop.add_reader(self._ours, ready.set)
            try:
                await ready.wait()
            finally:
                if not self._cut:  # cutting has removed it, and the number may be another's by now
                    loop.remove_reader(self._ours)

    async def _writable(self) -> None:
        loop = asyncio.get_running_loop()
        with self._waits() as ready:
            loop.add_writer(self._ours, ready.set)
            try:
                await ready.wait()
            finally:
                if not self._cut:
                    loop.remove_writer(self._ours)

    @contextmanager
    def _waits(self) -> Iterator[asyncio.Event]:
        """Yield an event that is also set when the line is cut."""
        event = asyncio.Event()
        self._waiting.add(event)
        try:
            yield event
        finally:
            self._waiting.discard(event)

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


def new_pseudo_terminal() -> PtyStream:
    """Open a raw pseudo-terminal; `cut` closes it."""
    ours, theirs = os.openpty()
    tty.setraw(ours)
    tty.setraw(theirs)
    os.set_blocking(ours, False)
    return PtyStream(ours, theirs)


@contextmanager
def pseudo_terminal() -> Iterator[PtyStream]:
    """Open a raw pseudo-terminal and close both ends afterwards."""
    stream = new_pseudo_terminal()
    try:
        yield stream
    finally:
        stream.cut()
