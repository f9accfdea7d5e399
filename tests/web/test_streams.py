"""The live stream on the wire: the same by both ways, and an end to whoever does not read it."""

import asyncio
import json
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from websockets.asyncio.client import connect

from daemon.web.connections import LEAST_READ, WRITE_PATIENCE
from tests.web.cores import LATER, READ, BusyCore, Core, there
from tests.web.documents import check
from tests.web.served import Served, served_by_hand

CHANNELS = 500
"""Of which a look tells some forty kilobytes, and a snapshot a quarter of a megabyte."""


async def test_websocket_and_events_say_the_same_of_the_same_looks(tmp_path: Path) -> None:
    core = Core(tmp_path / "lab", smu1=READ, smu2=READ)
    said: list[Any] = []
    async with there(core), served_by_hand(tmp_path, core) as page:
        await page.live.look()
        async with (
            connect(f"ws://127.0.0.1:{page.port}/api/v1/live", additional_headers=page.bearer) as stream,
            httpx.AsyncClient(base_url=f"http://127.0.0.1:{page.port}", headers=page.bearer) as client,
            client.stream("GET", "/api/v1/live/events") as answer,
        ):
            assert answer.headers["content-type"].startswith("text/event-stream")
            events = answer.aiter_lines()

            async def told() -> None:
                line, end = [await anext(events) for _ in range(2)]
                assert (line[:6], end) == ("data: ", "")
                message = await stream.recv()
                assert message == line[6:]
                said.append(json.loads(message))

            await told()
            core.says("idle", smu1=READ, smu2=LATER)
            await page.live.look()
            await told()
            core.says("paused", smu1=READ, smu2=LATER)
            await page.live.look()
            await told()
            core.says("paused", smu2=LATER)
            await page.live.look()
            await told()
    for message in said:
        check(message, message["kind"].capitalize())
    assert [each["kind"] for each in said] == ["snapshot", "change", "change", "snapshot"]
    assert [each["number"] for each in said] == [1, 2, 3, 4]
    assert [[row[0] for row in each["values"]] for each in said] == [[0, 1], [1], [], [0]]
    assert [[channel["state"] for channel in each["channels"]] for each in said] == [
        ["idle", "idle"],
        [],
        ["paused", "paused"],
        ["paused"],
    ]


class HandedTime(asyncio.SelectorEventLoop):
    """A loop whose clock is put forward by hand."""

    ahead = 0.0

    def time(self) -> float:
        return super().time() + self.ahead


async def passes(seconds: float) -> None:
    """Let so many seconds have passed, and what was due by then happen."""
    loop = asyncio.get_running_loop()
    assert isinstance(loop, HandedTime)
    loop.ahead += seconds
    for _ in range(5):
        await asyncio.sleep(0)


WEBSOCKET = (
    b"GET /api/v1/live HTTP/1.1\r\nhost: 127.0.0.1\r\nauthorization: Bearer %b\r\nconnection: Upgrade\r\n"
    b"upgrade: websocket\r\nsec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
)
EVENTS = b"GET /api/v1/live/events HTTP/1.1\r\nhost: 127.0.0.1\r\nauthorization: Bearer %b\r\n\r\n"


class Reader:
    """A client that takes in what it is told to, and whose system holds no more than a little for it."""

    def __init__(self, wire: socket.socket) -> None:
        self._wire = wire

    async def reads(self, count: int) -> int:
        """Take in so many bytes; return how many there were before the end."""
        loop, taken = asyncio.get_running_loop(), 0
        while taken < count and (piece := await loop.sock_recv(self._wire, min(4096, count - taken))):
            taken += len(piece)
        return taken

    async def is_cut(self) -> bool:
        """Read on, and say whether that comes to an end: what waits is far less than four million bytes."""
        try:
            async with asyncio.timeout(10):
                return await self.reads(4_000_000) < 4_000_000
        except ConnectionResetError:
            return True


@asynccontextmanager
async def read_by(page: Served, request: bytes) -> AsyncIterator[Reader]:
    """Ask for the stream with a client that reads nothing by itself."""
    with socket.socket() as wire:
        wire.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8 * 1024)
        wire.setblocking(False)
        loop = asyncio.get_running_loop()
        await loop.sock_connect(wire, ("127.0.0.1", page.port))
        await loop.sock_sendall(wire, request % page.token.encode())
        yield Reader(wire)


async def looks(page: Served, count: int) -> None:
    """Look so often; each look has something to say of every channel."""
    for _ in range(count):
        await page.live.look()
        await asyncio.sleep(0)


Claim = Callable[[Served, Reader], Awaitable[None]]


def claimed(claim: Claim, request: bytes, folder: Path) -> None:
    """Put a claim to a page and a client, at a time that is handed in."""

    async def all_of_it() -> None:
        core = BusyCore(folder / "lab", CHANNELS)
        async with there(core), served_by_hand(folder, core) as page, read_by(page, request) as reader:
            while not page.live.watchers:
                await asyncio.sleep(0)
            await claim(page, reader)

    with asyncio.Runner(loop_factory=HandedTime) as runner:
        runner.run(all_of_it())


BOTH = pytest.mark.parametrize("request_", [WEBSOCKET, EVENTS], ids=["websocket", "events"])


@BOTH
def test_who_reads_nothing_is_cut_and_costs_no_more_meanwhile_than_one_message(
    request_: bytes, tmp_path: Path
) -> None:
    async def claim(page: Served, reader: Reader) -> None:
        await looks(page, 8)
        before = page.unread()
        await looks(page, 24)
        assert page.unread() == before
        assert 0 < max(before) < 600_000
        await passes(WRITE_PATIENCE - 5)
        assert page.live.watchers == 1
        await passes(6)
        assert page.unread() == []
        assert await reader.is_cut()
        while page.live.watchers:
            await looks(page, 1)  # its place is free with the next message at the latest

    claimed(claim, request_, tmp_path)


@BOTH
def test_who_reads_slowly_is_kept_and_told_everything_once_there_is_room(
    request_: bytes, tmp_path: Path
) -> None:
    async def claim(page: Served, reader: Reader) -> None:
        await looks(page, 16)
        for _ in range(6):  # two minutes of one who takes in two kilobytes a second
            assert await reader.reads(2 * LEAST_READ) == 2 * LEAST_READ
            await passes(WRITE_PATIENCE - 1)
            await looks(page, 1)
            assert page.live.watchers == 1
        await passes(2 * WRITE_PATIENCE)
        assert await reader.is_cut()

    claimed(claim, request_, tmp_path)
