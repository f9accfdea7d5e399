"""The connections of the page: none is silent, slow or noisy for long, and many only push each other out.

What a stop needs is never used up: who has something to say does so within milliseconds, so that
of those who hold connections open for nothing only the newest few stay, and no address crowds out
another.
"""

import asyncio
import json
import socket
import sys
from typing import Any, ClassVar

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

from daemon.web.crowd import Crowd
from daemon.web.neighbourhood import neighbourhood

HEAD_PATIENCE = 10.0
"""Seconds in which the head of a request must have arrived."""

BODY_PATIENCE = 12.0
"""Seconds for its body; the door, which has words for it, gives up a little earlier."""

WRITE_PATIENCE = 20.0
"""Seconds a client may leave what it was sent unread."""

LEAST_READ = 16 * 1024
"""Bytes that, taken meanwhile, have it waited for once more: who is slow is not who has gone."""

MOST_SILENT = 384
"""Connections that have not yet said all of what they want, or nothing more."""

MOST_SLOW = 192
"""Connections that leave unread what they were sent."""

PIECE = 4 * 1024
"""Bytes looked at together, so that a head is judged before what follows it is read."""

LARGEST_HEAD = 16 * 1024
"""Bytes the head of a request may have."""


def _refusal(status: int, title: str, detail: str) -> bytes:
    """Return a problem document as the bytes of an answer, where no application is asked."""
    problem = {"type": "about:blank", "title": title, "status": status, "detail": detail, "errors": []}
    head = f"HTTP/1.1 {status} {title}\r\ncontent-type: application/problem+json\r\nconnection: close\r\n\r\n"
    return (head + json.dumps(problem)).encode()


LENGTH_REQUIRED = _refusal(411, "Length Required", "a body without a length; wanted Content-Length")
UNREADABLE = _refusal(
    400,
    "Bad Request",
    f"this cannot be read as a request; wanted HTTP/1.1, with a head of at most {LARGEST_HEAD} bytes",
)

NOISE = 16 * 1024
"""Bytes a WebSocket's client may send at once: it has nothing to say but that it is there."""

NOISE_PER_SECOND = 256.0
"""Bytes it may go on sending; an answer to our ping is a few every twenty seconds."""

_TCP_INFO = getattr(socket, "TCP_INFO", None)
_BYTES_ACKED, _INFO_LENGTH = 120, 128
"""Where an unsigned number of eight bytes stands in the structure `tcp_info`."""


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


class _Unread:
    """The wait for a client to read what it was sent: aborts one that takes next to nothing."""

    def __init__(self) -> None:
        self._timer: asyncio.TimerHandle | None = None
        self._taken = 0

    def begin(self, transport: asyncio.Transport) -> None:
        """Wait from now on."""
        if self._timer is None:
            self._taken = _taken(transport)
            self._timer = asyncio.get_running_loop().call_later(WRITE_PATIENCE, self._judge, transport)

    def end(self) -> None:
        """There is room again."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _judge(self, transport: asyncio.Transport) -> None:
        self._timer = None
        if _taken(transport) - self._taken < LEAST_READ:
            transport.abort()
        else:
            self.begin(transport)


class BoundedHttp(H11Protocol):
    """A connection whose client can be neither slow to ask nor slow to listen for long."""

    silent: ClassVar[Crowd] = Crowd(MOST_SILENT)
    slow: ClassVar[Crowd] = Crowd(MOST_SLOW)

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._where = _where(transport)
        self._asking, self._listening = _Impatient(), _Unread()
        self._awaited: object = None
        self._wait_for(h11.IDLE)

    def data_received(self, data: bytes) -> None:
        for start in range(0, len(data), PIECE):
            super().data_received(data[start : start + PIECE])
            if self._sends_pieces():
                self.transport.write(LENGTH_REQUIRED)
                self.transport.close()
            if self.transport.is_closing():
                return
        state = self.conn.their_state
        if self.transport.get_protocol() is not self or state not in (h11.IDLE, h11.SEND_BODY):
            self._heard()
        elif state is not self._awaited:
            self._wait_for(state)

    def send_400_response(self, msg: str) -> None:
        if self.conn.our_state in (h11.IDLE, h11.SEND_RESPONSE):
            self.transport.write(UNREADABLE)
        self.transport.close()

    def on_response_complete(self) -> None:
        super().on_response_complete()
        if not self.transport.is_closing():
            self.silent.enter(self.transport, self._where)

    def connection_lost(self, exc: Exception | None) -> None:
        self._heard()
        self._listening.end()
        self.slow.leave(self.transport)
        super().connection_lost(exc)

    def pause_writing(self) -> None:
        super().pause_writing()
        self._listening.begin(self.transport)
        self.slow.enter(self.transport, self._where)

    def resume_writing(self) -> None:
        super().resume_writing()
        self._listening.end()
        self.slow.leave(self.transport)

    def _sends_pieces(self) -> bool:
        """Whether a body without a length is under way: each of its pieces may be one byte long."""
        under_way = self.conn.their_state is h11.SEND_BODY and self.conn.our_state is h11.SEND_RESPONSE
        return under_way and any(name == b"transfer-encoding" for name, _ in self.headers)

    def _wait_for(self, state: object) -> None:
        self._awaited = state
        self._asking.end()
        self._asking.begin(self.transport, HEAD_PATIENCE if state is h11.IDLE else BODY_PATIENCE)
        self.silent.enter(self.transport, self._where)

    def _heard(self) -> None:
        self._awaited = None
        self._asking.end()
        self.silent.leave(self.transport)


class BoundedWebSocket(WebSocketsSansIOProtocol):
    """A WebSocket whose client can neither leave what it was sent unread nor say much."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._listening = _Unread()
        self._quiet = float(NOISE)
        self._heard_at = asyncio.get_running_loop().time()

    def data_received(self, data: bytes) -> None:
        now = asyncio.get_running_loop().time()
        self._quiet = min(float(NOISE), self._quiet + (now - self._heard_at) * NOISE_PER_SECOND) - len(data)
        self._heard_at = now
        if self._quiet < 0.0:  # pings too are noise: each is answered
            self.transport.abort()
            return
        super().data_received(data)

    def connection_lost(self, exc: Exception | None) -> None:
        self._listening.end()
        BoundedHttp.slow.leave(self.transport)
        super().connection_lost(exc)

    def pause_writing(self) -> None:
        super().pause_writing()
        self._listening.begin(self.transport)
        BoundedHttp.slow.enter(self.transport, _where(self.transport))

    def resume_writing(self) -> None:
        super().resume_writing()
        self._listening.end()
        BoundedHttp.slow.leave(self.transport)


def _where(transport: asyncio.Transport) -> str:
    peer: Any = transport.get_extra_info("peername")
    return neighbourhood(peer[0]) if peer else "?"


def _taken(transport: asyncio.Transport) -> int:
    """Return how many bytes the client's system has confirmed: `tcpi_bytes_acked` of linux/tcp.h.

    The transport's own buffer would not do: encrypted, what waits is in two of them.
    """
    if _TCP_INFO is None:
        return 0
    try:
        found = transport.get_extra_info("socket").getsockopt(socket.IPPROTO_TCP, _TCP_INFO, _INFO_LENGTH)
    except OSError:  # it is being closed
        return 0
    return int.from_bytes(found[_BYTES_ACKED:_INFO_LENGTH], sys.byteorder)
