"""Clients of the page's live stream: so many WebSockets that read what they are sent."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from itertools import cycle, islice
from typing import NamedTuple

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

LARGEST = 16 * 1024 * 1024
"""Bytes of a snapshot."""


class Count(NamedTuple):
    """What all of them were sent until now."""

    messages: int
    bytes: int


@dataclass(slots=True)
class Audience:
    """`snapshot` is the size of the first message, which says everything."""

    snapshot: int = 0
    _messages: int = 0
    _bytes: int = 0

    def count(self) -> Count:
        """Return what has come."""
        return Count(self._messages, self._bytes)

    async def listen(self, client: ClientConnection) -> None:
        """Read until the client is closed."""
        try:
            while True:
                message = await client.recv(decode=False)
                self._messages += 1
                self._bytes += len(message)
                self.snapshot = max(self.snapshot, len(message))
        except ConnectionClosed:
            return


@asynccontextmanager
async def audience(url: str, tokens: Sequence[str], number: int) -> AsyncIterator[Audience]:
    """Follow the live stream with so many clients while inside, each token by as many as the others."""
    found = Audience()
    stream = f"ws{url.removeprefix('http')}api/v1/live"
    bearers = [{"authorization": f"Bearer {token}"} for token in tokens]
    async with AsyncExitStack() as stack:
        clients = [
            await stack.enter_async_context(
                connect(stream, additional_headers=bearer, compression=None, max_size=LARGEST)
            )
            for bearer in islice(cycle(bearers), number)
        ]
        listening = [asyncio.create_task(found.listen(client), name="listening") for client in clients]
        try:
            yield found
        finally:
            for task in listening:
                task.cancel()
            await asyncio.gather(*listening, return_exceptions=True)
