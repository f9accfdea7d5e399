"""One client's talk with an instrument over a wire that carries whole messages, as HiSLIP and VXI-11 do."""

import asyncio
from collections.abc import Awaitable, Callable

from simulators.wired import Stream

Converse = Callable[[Stream], Awaitable[None]]

Say = Callable[[bytes], Awaitable[None]]
"""Takes bytes of an answer as they come; a newline ends one."""


class Conversation:
    """Can be begun afresh, as a device clear does: whatever the instrument was about is forgotten."""

    def __init__(self, converse: Converse, say: Say) -> None:
        self._converse = converse
        self._say = say
        self._begin()

    def hear(self, data: bytes, ends: bool) -> None:
        """Hand bytes to the instrument; where they end a message without a newline, that is added."""
        if ends and not data.endswith(b"\n"):
            data += b"\n"
        self._stream.heard.put_nowait(data)

    async def clear(self) -> None:
        """Forget what was asked and not answered, and begin afresh."""
        await self.aclose()
        self._begin()

    async def aclose(self) -> None:
        """End it, whatever it was about."""
        self._task.cancel()
        await asyncio.wait([self._task])

    def _begin(self) -> None:
        self._stream = _MessageStream(self._say)
        self._task = asyncio.create_task(self._talk(self._stream), name="conversation in messages")

    async def _talk(self, stream: Stream) -> None:
        await self._converse(stream)


class _MessageStream(Stream):
    """The instrument's end; it reads empty only never, because who hangs up cancels the conversation."""

    def __init__(self, say: Say) -> None:
        self.heard: asyncio.Queue[bytes] = asyncio.Queue()
        self._say = say

    async def read(self) -> bytes:
        return await self.heard.get()

    async def write(self, data: bytes) -> None:
        await self._say(data)


async def asked(converse: Converse, question: bytes) -> bytes:
    """Ask the instrument something beside any other conversation, as a serial poll does."""
    answer: asyncio.Queue[bytes] = asyncio.Queue()
    beside = Conversation(converse, answer.put)
    try:
        beside.hear(question, ends=True)
        said = b""
        while not said.endswith(b"\n"):
            said += await answer.get()
        return said.strip()
    finally:
        await beside.aclose()


class Exactly:
    """Reads as many bytes as are wanted from a stream of chunks."""

    def __init__(self, stream: Stream) -> None:
        self._stream = stream
        self._rest = b""

    async def read(self, size: int) -> bytes:
        """Return the next `size` bytes. Raises `EOFError` where the client is gone before."""
        while len(self._rest) < size:
            data = await self._stream.read()
            if not data:
                raise EOFError
            self._rest += data
        taken, self._rest = self._rest[:size], self._rest[size:]
        return taken
