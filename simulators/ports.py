"""Where clients find a simulated instrument: an address that stays the same while its port comes and goes."""

import asyncio
import shutil
import tempfile
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable
from pathlib import Path

from simulators.streams import Listener, PtyStream, cancelled, new_pseudo_terminal
from simulators.wired import Stream

Converse = Callable[[Stream], Awaitable[None]]


class Port(ABC):
    """`address` is a PyVISA resource string, a URL or a device path."""

    address: str

    @abstractmethod
    async def come(self) -> None:
        """Let clients in, from now on or again."""

    @abstractmethod
    def go(self) -> None:
        """Throw every client out, and let nobody in."""

    @abstractmethod
    def reset(self) -> None:
        """Throw every client out; who comes again is let in."""

    @abstractmethod
    async def aclose(self) -> None:
        """Let go of everything."""


class TcpPort(Port):
    """A raw socket on 127.0.0.1."""

    def __init__(self, converse: Converse, port: int) -> None:
        self._listener = Listener(converse, port)
        self.address = f"TCPIP0::127.0.0.1::{self._listener.port}::SOCKET"

    async def come(self) -> None:
        await self._listener.listen()

    def go(self) -> None:
        self._listener.go()

    def reset(self) -> None:
        self._listener.reset()

    async def aclose(self) -> None:
        await self._listener.aclose()


class SocketPort(TcpPort):
    """The same, for clients that need no VISA to open it."""

    def __init__(self, converse: Converse, port: int) -> None:
        super().__init__(converse, port)
        self.address = f"tcp://127.0.0.1:{self._listener.port}"


class PtyPort(Port):
    """A pseudo-terminal behind a symbolic link, as udev makes them for serial ports.

    The link is what does not change: each terminal has a name of its own. A serial port knows no
    connections, so a reset is the plug pulled and put back.
    """

    def __init__(self, converse: Converse, name: str) -> None:
        self._converse = converse
        self._folder = Path(tempfile.mkdtemp(prefix="galvanod-"))
        self._link = self._folder / name
        self.address = str(self._link)
        self._stream: PtyStream | None = None
        self._conversations: set[asyncio.Task[None]] = set()

    async def come(self) -> None:
        self._plug_in()

    def go(self) -> None:
        self._link.unlink(missing_ok=True)
        if self._stream is not None:
            self._stream.cut()
            self._stream = None

    def reset(self) -> None:
        if self._stream is not None:
            self.go()
            self._plug_in()

    async def aclose(self) -> None:
        self.go()
        await cancelled(self._conversations)
        shutil.rmtree(self._folder, ignore_errors=True)

    def _plug_in(self) -> None:
        self._stream = new_pseudo_terminal()
        self._link.symlink_to(self._stream.path)
        task = asyncio.create_task(self._talk(self._stream), name=f"{self._link.name} conversation")
        self._conversations.add(task)
        task.add_done_callback(self._conversations.discard)

    async def _talk(self, stream: Stream) -> None:
        await self._converse(stream)
