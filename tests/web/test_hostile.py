"""Connections that are slow, many, foreign or talkative: they cost only themselves."""

import asyncio
import contextlib
import json
import socket
from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import ClientConnection, connect
from websockets.sync.connection import Connection

from daemon.client import ask
from daemon.requests import Status
from daemon.web.connections import MOST_SILENT
from daemon.web.crowd import Crowd
from daemon.web.live import Watcher
from daemon.web.tokens import Scope, Tokens
from tests.web.service import CELL, PATIENCE, Service, begun, until

SILENT = MOST_SILENT + 144


@contextlib.contextmanager
def silent(url: str, number: int) -> Iterator[list[socket.socket]]:
    """Hold connections open while inside, each of which begins a request and never ends it."""
    where = urlsplit(url)
    held = []
    try:
        for _ in range(number):
            one = socket.create_connection((where.hostname or "", where.port or 80), 30)
            one.sendall(b"GET /api/v1/channels HTTP/1.1\r\nHost: 127")
            held.append(one)
        yield held
    finally:
        for one in held:
            one.close()


def is_closed(one: socket.socket) -> bool:
    """Whether the server has hung up."""
    one.setblocking(False)
    try:
        return one.recv(1) == b""
    except BlockingIOError:
        return False
    except ConnectionError:
        return True


def live(service: Service, token: str | None, host: str = "127.0.0.1", **headers: str) -> ClientConnection:
    """Follow the live stream of the service, which is asked for by this name."""
    if token is not None:
        headers["authorization"] = f"Bearer {token}"
    where = urlsplit(service.url)
    wire = socket.create_connection((where.hostname or "", where.port or 80), PATIENCE)
    return connect(
        f"ws://{host}:{where.port}/api/v1/live",
        sock=wire,
        additional_headers=headers,
        open_timeout=PATIENCE,
        max_size=None,
    )


def test_who_says_nothing_pushes_out_his_like_and_nobody_who_has_something_to_say(service: Service) -> None:
    with silent(service.url, SILENT) as held, service.client() as client, begun(client, "smu10") as run:
        assert client.post(f"/api/v1/runs/{run}/stop", json={"cell": CELL}).status_code == 200
        assert ask(service.places.socket, Status())["core"] == "lab"
        until(lambda: sum(is_closed(one) for one in held) >= SILENT - MOST_SILENT)


@pytest.mark.parametrize(
    ("token", "how"),
    [
        (None, {}),
        ("guessed", {}),
        ("valid", {"origin": "https://evil.example"}),
        ("valid", {"host": "evil.example"}),
    ],
)
def test_a_live_stream_is_for_who_is_known_and_from_our_page(
    service: Service, token: str | None, how: dict[str, str]
) -> None:
    secret = service.token if token == "valid" else token
    with pytest.raises(InvalidStatus) as refused, live(service, secret, **how):
        pass
    assert refused.value.response.status_code == 403


def test_who_talks_instead_of_listening_is_let_go(service: Service) -> None:
    with live(service, service.token) as stream:
        assert json.loads(stream.recv(PATIENCE))["kind"] == "snapshot"
        with pytest.raises(ConnectionClosed):
            _talk(stream)
        assert stream.close_code == 1008


def _talk(stream: Connection) -> None:
    for _ in range(60):
        stream.send("hello?")
    _listen(stream)


def test_who_only_pings_is_cut_off_without_a_word(service: Service) -> None:
    with live(service, service.token) as stream:
        with pytest.raises(ConnectionClosed) as ended:
            _ping(stream)
        assert (ended.value.rcvd, ended.value.sent) == (None, None)


def _ping(stream: Connection) -> None:
    for _ in range(10_000):
        stream.ping()
    _listen(stream)


@pytest.mark.parametrize(
    ("request_", "status"),
    [
        (b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nX: " + b"x" * 40_000 + b"\r\n\r\n", b"400"),
        (b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nHost: evil.example\r\n\r\n", b"400"),
        (b"GET / HTTP/1.1\r\nHost : 127.0.0.1\r\n\r\n", b"400"),
        (b"POST / HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab", b"400"),
        (
            b"POST /api/v1/session HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 3\r\n"
            b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n",
            b"411",
        ),
        (
            b"POST /api/v1/check HTTP/1.1\r\nHost: 127.0.0.1\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n",
            b"411",
        ),
        (b"GET /healthz HTTP/1.0\r\n\r\n", b"421"),
    ],
)
def test_a_request_that_two_could_read_in_two_ways_is_refused_and_its_connection_ends(
    service: Service, request_: bytes, status: bytes
) -> None:
    where = urlsplit(service.url)
    with socket.create_connection((where.hostname or "", where.port or 80), PATIENCE) as one:
        one.sendall(request_)
        said = b""
        with contextlib.suppress(ConnectionResetError):
            while piece := one.recv(65_536):
                said += piece
    assert said.split(b" ", 2)[1] == status
    assert said.count(b"HTTP/1.1 ") == 1, "nothing hidden in it was answered"
    head, body = said.split(b"\r\n\r\n", 1)
    assert b"content-type: application/problem+json" in head
    assert json.loads(body)["status"] == int(status)


class Wire(asyncio.Transport):
    """A transport of which only the end matters."""

    ended = False

    def abort(self) -> None:
        self.ended = True


def test_one_neighbourhood_crowds_out_only_itself() -> None:
    crowd, many, one = Crowd(3), [Wire() for _ in range(6)], Wire()
    crowd.enter(many[0], "192.0.2.1")
    crowd.enter(one, "192.0.2.2")
    for wire in many[1:]:
        crowd.enter(wire, "192.0.2.1")
    assert [wire.ended for wire in many] == [True, True, True, True, False, False]
    assert not one.ended
    assert len(crowd) == 3


def test_a_stream_ends_with_its_token(service: Service) -> None:
    secret = service.token_for("leaver", Scope.VIEW)
    with live(service, secret) as stream:
        stream.recv(PATIENCE)
        Tokens.of(service.places.tokens).revoke("leaver")
        with pytest.raises(ConnectionClosed):
            _listen(stream)
        assert stream.close_code == 4401
    with pytest.raises(InvalidStatus), live(service, secret):
        pass


def _listen(stream: Connection) -> None:
    """Hear what is said, for a minute at most."""
    for _ in range(60):
        stream.recv(PATIENCE)


async def test_who_is_slow_misses_changes_and_is_then_told_everything() -> None:
    watcher = Watcher()
    watcher.tell("change 1", lambda: "everything 1")
    watcher.tell("change 2", lambda: "everything 2")
    watcher.tell("change 3", lambda: "everything 3")  # no room
    assert [await watcher.next(), await watcher.next()] == ["everything 1", "change 2"]
    watcher.tell("change 4", lambda: "everything 4")
    assert await watcher.next() == "everything 4"
