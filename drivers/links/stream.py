"""A link over a byte stream that the event loop itself can watch: TCP and serial share it."""

import asyncio
from abc import abstractmethod

from drivers.errors import LinkError, SilenceError
from drivers.links import Link, LinkOptions
from drivers.links.lines import LineBuffer


class StreamLink(Link):
    """Lines in, lines out. Writing never waits for somebody who listens.

    A question (`query`) has the line to itself from its first byte to its answer. Lines that were
    here before a question was asked cannot be its answer and are dropped.
    """

    def __init__(self, address: str, options: LinkOptions) -> None:
        self.address = address
        self._options = options
        self._buffer = LineBuffer(options.answer_terminator or options.terminator, options.longest)
        self._arrived = asyncio.Event()
        self._asking = asyncio.Lock()
        self._sending = asyncio.Lock()
        self._opening = asyncio.Lock()
        self._closed = False
        self._lost: LinkError | None = None
        self._owed = False  # an answer may still be on its way

    @abstractmethod
    def _is_open(self) -> bool:
        """Whether there is a port to talk to."""

    @abstractmethod
    async def _open(self) -> None:
        """Open the port; bytes go to `_received`, its end to `_vanished`. Raises `LinkError`."""

    @abstractmethod
    async def _send(self, data: bytes) -> None:
        """Send bytes. Raises `LinkError`."""

    @abstractmethod
    def _close(self) -> None:
        """Let go of the port."""

    @abstractmethod
    async def _settle(self) -> None:
        """See to it that an answer still on its way is never taken for the next one."""

    async def open(self) -> None:
        """Open the port now rather than with the first message. Raises `LinkError`."""
        await self._open_if_needed()

    async def write(self, message: str) -> None:
        async with self._sending:
            await self._ready()
            await self._send((message + self._options.terminator).encode("ascii"))

    async def read(self, deadline: float | None = None) -> str:
        async with self._asking:
            await self._open_if_needed()
            return await self._next_line("a line", deadline)

    async def read_lines(self, deadline: float) -> list[str]:
        async with self._asking:
            await self._open_if_needed()
            try:
                async with asyncio.timeout(deadline):
                    await self._wait_for_line()
            except TimeoutError:
                return []
            return self._buffer.take()

    async def query(self, message: str, deadline: float | None = None) -> str:
        async with self._asking:
            await self._ask(message)
            return await self._next_line(repr(message), deadline)

    async def aclose(self) -> None:
        self._closed = True
        self._close()
        self._arrived.set()

    async def _ask(self, message: str) -> None:
        async with self._sending:
            await self._ready()
            self._buffer.clear()
            self._owed = True
            await self._send((message + self._options.terminator).encode("ascii"))

    async def _next_line(self, asked: str, deadline: float | None) -> str:
        seconds = self._options.deadline if deadline is None else deadline
        self._owed = True  # until it is here: a cancelled wait leaves it so
        try:
            async with asyncio.timeout(seconds):
                await self._wait_for_line()
        except TimeoutError as error:
            raise SilenceError(f"{self.address}: {asked}: no answer within {seconds:g} s") from error
        self._owed = False
        return self._buffer.next()

    async def _wait_for_line(self) -> None:
        while not self._buffer:
            self._raise_loss()
            self._arrived.clear()
            await self._arrived.wait()

    async def _ready(self) -> None:
        self._raise_loss()
        if self._owed and self._is_open():
            await self._settle()
        self._owed = False
        await self._open_if_needed()

    async def _open_if_needed(self) -> None:
        if not self._buffer:
            self._raise_loss()
        async with self._opening:
            if not self._is_open():
                self._buffer.clear()
                await self._open()

    def _raise_loss(self) -> None:
        """Tell a loss once; the next call opens the port anew."""
        if self._closed:
            raise LinkError(f"{self.address}: the link is closed")
        lost, self._lost = self._lost, None
        if lost is not None:
            raise LinkError(*lost.args) from lost

    def _received(self, data: bytes) -> None:
        self._buffer.feed(data)
        if self._buffer:
            self._arrived.set()

    def _vanished(self, why: str) -> None:
        if self._is_open():
            self._close()
            self._lost = LinkError(f"{self.address}: the port is gone: {why}")
            self._arrived.set()
