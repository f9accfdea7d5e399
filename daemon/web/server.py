"""The HTTP server of the page: uvicorn, with an end to every wait a client could cause."""

import asyncio
import contextlib
import logging
import socket
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import ClassVar

import h11
import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

from daemon.errors import ConfigurationError
from daemon.web.app import served
from daemon.web.settings import Settings

HEAD_PATIENCE = 10.0
"""Seconds in which the head of a request must have arrived."""

WRITE_PATIENCE = 20.0
"""Seconds a client may leave what it was sent unread."""

MOST_SILENT = 256
"""Connections that have not yet said what they want; with one more, the oldest of them ends.

Who has something to say does so within milliseconds, so that however many hold connections open
for nothing, they only push each other out.
"""

MESSAGE = 4096
"""Bytes of the longest WebSocket message a client may send."""


class _Impatient:
    """The end of a wait of a connection: aborts it, at once, whatever is still to be sent."""

    def __init__(self) -> None:
        self._timer: asyncio.TimerHandle | None = None

    def begin(self, transport: asyncio.Transport, seconds: float) -> None:
        """Wait from now on."""
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(seconds, transport.abort)

    def end(self) -> None:
        """What was waited for has come."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None


class BoundedHttp(H11Protocol):
    """A connection whose client can be neither slow to ask nor slow to listen for long."""

    silent: ClassVar[dict["BoundedHttp", None]] = {}

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._asking, self._listening = _Impatient(), _Impatient()
        self._wait_for_head()

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        if self.transport.get_protocol() is not self or self.conn.their_state is not h11.IDLE:
            self._heard()
        else:
            self._wait_for_head()

    def connection_lost(self, exc: Exception | None) -> None:
        self._heard()
        self._listening.end()
        super().connection_lost(exc)

    def pause_writing(self) -> None:
        super().pause_writing()
        self._listening.begin(self.transport, WRITE_PATIENCE)

    def resume_writing(self) -> None:
        super().resume_writing()
        self._listening.end()

    def _wait_for_head(self) -> None:
        if len(self.silent) >= MOST_SILENT and self not in self.silent:
            next(iter(self.silent)).transport.abort()
        self.silent.setdefault(self)
        self._asking.begin(self.transport, HEAD_PATIENCE)

    def _heard(self) -> None:
        self.silent.pop(self, None)
        self._asking.end()


class BoundedWebSocket(WebSocketsSansIOProtocol):
    """A WebSocket whose client cannot leave what it was sent unread for long."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._listening = _Impatient()

    def connection_lost(self, exc: Exception | None) -> None:
        self._listening.end()
        super().connection_lost(exc)

    def pause_writing(self) -> None:
        super().pause_writing()
        self._listening.begin(self.transport, WRITE_PATIENCE)

    def resume_writing(self) -> None:
        super().resume_writing()
        self._listening.end()


class Server(uvicorn.Server):
    """Says when it is ready, and leaves signals to who runs it."""

    def __init__(self, config: uvicorn.Config, ready: Callable[[], None]) -> None:
        super().__init__(config)
        self._ready = ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self.started:
            self._ready()

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Nothing: the process is told to stop by `stopped`."""
        yield


async def serve(settings: Settings, ready: Callable[[str], None], stopped: asyncio.Event) -> None:
    """Serve the page until `stopped`; `ready` is told where it is.

    Raises `ConfigurationError` where it cannot listen.
    """
    logging.getLogger("uvicorn.error").setLevel(logging.WARNING)  # it tells of every connection
    listening = _listening(settings)
    settings = replace(settings, port=listening.getsockname()[1])
    config = uvicorn.Config(
        served(settings),
        http=BoundedHttp,
        ws=BoundedWebSocket,
        ws_max_size=MESSAGE,
        ws_max_queue=4,
        ws_per_message_deflate=False,  # eight times the work, for a page on the lab's own network
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=settings.behind_proxy,
        timeout_keep_alive=15,
        timeout_graceful_shutdown=2,
        h11_max_incomplete_event_size=16 * 1024,
        ssl_certfile=settings.certificate,
        ssl_keyfile=settings.key,
    )
    server = Server(config, lambda: ready(settings.url))

    async def stop() -> None:
        await stopped.wait()
        server.should_exit = True

    stopping = asyncio.create_task(stop(), name="stopping")
    try:
        await server.serve([listening])
    finally:
        stopping.cancel()
        listening.close()


def _listening(settings: Settings) -> socket.socket:
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    found = socket.socket(family, socket.SOCK_STREAM)
    try:
        found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        found.bind((settings.host, settings.port))
        found.listen(1024)
    except OSError as error:
        found.close()
        raise ConfigurationError(
            f"cannot listen on {settings.host}:{settings.port}: {error.strerror}; is it taken? see --port"
        ) from error
    found.setblocking(False)
    return found
