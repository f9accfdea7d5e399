"""The HTTP server of the page: uvicorn, with an end to every wait a client could cause."""

import asyncio
import contextlib
import errno
import logging
import resource
import socket
from collections.abc import Callable, Iterator
from dataclasses import replace

import uvicorn

from daemon.errors import ConfigurationError
from daemon.web.app import served
from daemon.web.connections import LARGEST_HEAD, BoundedHttp, BoundedWebSocket
from daemon.web.door import Application
from daemon.web.settings import Settings

HANDSHAKE_PATIENCE = 5.0
"""Seconds in which a client must have agreed on encryption."""

UNREAD = 64 * 1024
"""Bytes the system may take in for a client that does not read; Linux doubles it."""

MOST_FILES = 8_192
"""Connections and files at once, where the system lets us."""

PONG_PATIENCE = 120.0
"""Seconds a ping may go unanswered: who reads slowly hears it behind all that was sent before it."""

MESSAGE = 4096
"""Bytes of the longest WebSocket message a client may send."""


class Server(uvicorn.Server):
    """Says when it is ready, and leaves signals to who runs it."""

    def __init__(self, config: uvicorn.Config, ready: Callable[[], None]) -> None:
        super().__init__(config)
        self._ready = ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup([])
        loop = asyncio.get_running_loop()
        for each in sockets or []:
            server = await loop.create_server(
                self._connection,
                sock=each,
                ssl=self.config.ssl,
                backlog=self.config.backlog,
                ssl_handshake_timeout=HANDSHAKE_PATIENCE if self.config.ssl is not None else None,
            )
            self.servers.append(server)
        if self.started:
            self._ready()

    def _connection(self) -> asyncio.Protocol:
        return BoundedHttp(self.config, self.server_state, self.lifespan.state)

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Nothing: the process is told to stop by `stopped`."""
        yield


def configured(application: Application, settings: Settings) -> uvicorn.Config:
    """Return how the application is served: by connections that are bounded in all they can ask."""
    return uvicorn.Config(
        application,
        http=BoundedHttp,
        ws=BoundedWebSocket,
        ws_max_size=MESSAGE,
        ws_max_queue=4,
        ws_ping_timeout=PONG_PATIENCE,
        ws_per_message_deflate=False,  # eight times the work, for a page on the lab's own network
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=settings.behind_proxy,
        timeout_keep_alive=15,
        timeout_graceful_shutdown=2,
        h11_max_incomplete_event_size=LARGEST_HEAD,
        ssl_certfile=settings.certificate,
        ssl_keyfile=settings.key,
    )


async def serve(settings: Settings, ready: Callable[[str], None], stopped: asyncio.Event) -> None:
    """Serve the page until `stopped`; `ready` is told where it is.

    Raises `ConfigurationError` where it cannot listen.
    """
    logging.getLogger("uvicorn.error").setLevel(logging.ERROR)  # it tells of every connection
    _allow_files()
    place = listening(settings)
    settings = replace(settings, port=place.getsockname()[1])
    config = configured(served(settings), settings)
    try:
        config.load()
    except OSError as error:  # of which SSLError is one
        place.close()
        raise ConfigurationError(
            f"certificate {settings.certificate} with key {settings.key}: {error}; wanted PEM files"
        ) from error
    server = Server(config, lambda: ready(settings.url))

    async def stop() -> None:
        await stopped.wait()
        server.should_exit = True

    stopping = asyncio.create_task(stop(), name="stopping")
    try:
        await server.serve([place])
    finally:
        stopping.cancel()
        place.close()


def _allow_files() -> None:
    """Ask the system for more files than the few a process has by default."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = MOST_FILES if hard == resource.RLIM_INFINITY else min(MOST_FILES, hard)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        with contextlib.suppress(OSError, ValueError):  # a sandbox may forbid it
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def listening(settings: Settings) -> socket.socket:
    """Take a place to listen at; raises `ConfigurationError` where there is none."""
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    found = socket.socket(family, socket.SOCK_STREAM)
    try:
        found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        found.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, UNREAD)
        _bind(found, settings)
        found.listen(1024)
    except OSError as error:
        found.close()
        raise ConfigurationError(
            f"cannot listen on {settings.host}:{settings.port}: {error.strerror}; is it taken? see --port"
        ) from error
    found.setblocking(False)
    return found


def _bind(found: socket.socket, settings: Settings) -> None:
    try:
        found.bind((settings.host, settings.port))
    except OSError as error:
        if error.errno != errno.EADDRINUSE or not settings.or_free_port:
            raise
        found.bind((settings.host, 0))
