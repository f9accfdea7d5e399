"""A link over TCP: tcp://host:port."""

import asyncio

from drivers.errors import LinkError
from drivers.links import LinkOptions
from drivers.links.stream import StreamLink


class TcpLink(StreamLink):
    """One connection. After a missed deadline it is replaced: a late answer dies with the old one."""

    def __init__(self, address: str, host: str, port: int, options: LinkOptions) -> None:
        super().__init__(address, options)
        self._host, self._port = host, port
        self._transport: asyncio.Transport | None = None

    def _is_open(self) -> bool:
        return self._transport is not None

    async def _open(self) -> None:
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(self._options.deadline):
                self._transport, _ = await loop.create_connection(
                    lambda: _Conversation(self), self._host, self._port
                )
        except (OSError, TimeoutError) as error:
            raise LinkError(f"{self.address}: cannot connect: {error or 'no answer'}") from error

    async def _send(self, data: bytes) -> None:
        if self._transport is None or self._transport.is_closing():
            raise LinkError(f"{self.address}: the connection is closing")
        self._transport.write(data)

    def _close(self) -> None:
        transport, self._transport = self._transport, None
        if transport is not None:
            transport.abort()

    async def _settle(self) -> None:
        self._close()
        self._lost = None


class _Conversation(asyncio.Protocol):
    """Hands what one connection says to its link, for as long as it is the link's connection."""

    def __init__(self, link: TcpLink) -> None:
        self._link = link
        self._transport: asyncio.BaseTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        if self._is_current():
            self._link._received(data)

    def connection_lost(self, exc: Exception | None) -> None:
        if self._is_current():
            self._link._vanished(str(exc) if exc else "closed by the other side")

    def _is_current(self) -> bool:
        return self._link._transport in (None, self._transport)
