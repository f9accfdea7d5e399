"""The page's memory before sixty-four clients of which some read nothing: after a while it grows no more."""

import asyncio
import contextlib
import os
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from daemon.bench import siege
from daemon.bench.audience import audience
from daemon.bench.processes import resident_bytes
from daemon.host.child import Child
from daemon.places import Places
from daemon.web.tokens import Scope, Tokens
from tests.web.cores import BusyCore, there

LOOKS = int(os.environ.get("GALVANOD_LOOKS", "1800"))
"""Looks at the core, one a second."""

CHANNELS = 1024
READ, UNREAD = 44, 20
"""Clients that read, and those that leave everything unread and come back when they are cut."""

ROOM = 4_000_000
"""Bytes by which the second half of the looks may exceed the first: what an allocator does by itself."""

Neglect = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@pytest.mark.timeout(4 * 3600)
async def test_memory_levels_off_whoever_leaves_everything_unread(tmp_path: Path) -> None:
    core = BusyCore(tmp_path / "lab", CHANNELS)
    async with there(core), serving(tmp_path, core) as (web, tokens):
        alone = resident_bytes(web.pid or 0)
        async with audience(web.said[0]["web"], tokens[:2], READ) as told, neglected(web, tokens[2]):
            seen = [resident_bytes(web.pid or 0) async for _ in asked(core, LOOKS)]
            before = told.count().messages
            assert before > READ * LOOKS * 0.9
    settled = seen[len(seen) // 5 :]
    halves = settled[: len(settled) // 2], settled[len(settled) // 2 :]
    shown = [f"{max(half) / 1e6:.1f} MB" for half in halves]
    print(
        f"\n{LOOKS} looks at {CHANNELS} channels, {READ} clients that read and {UNREAD} that do not:", end=" "
    )
    print(
        f"{alone / 1e6:.1f} MB with nobody, then at most {shown[0]}, later {shown[1]}; {before} messages read"
    )
    assert max(halves[1]) - max(halves[0]) < ROOM


@asynccontextmanager
async def serving(folder: Path, core: BusyCore) -> AsyncIterator[tuple[Child, list[str]]]:
    """Run `galvanod web` while inside; yields it and three tokens."""
    places = Places(folder)
    tokens = [Tokens.of(places.tokens).create(f"client-{number}", Scope.VIEW) for number in range(3)]
    arguments = ["web", "--state", str(folder), "--core", f"lab={core.path}", "--port", "0", "--json"]
    web = Child("web", arguments, folder / "web.log")
    await web.start()
    try:
        yield web, tokens
    finally:
        await web.stop()


@asynccontextmanager
async def neglected(web: Child, token: str) -> AsyncIterator[None]:
    """Follow the stream both ways with clients that read none of it, while inside."""
    port = int(web.said[0]["web"].rstrip("/").rpartition(":")[2])
    page = siege.Page(token)
    ways: tuple[Neglect, ...] = (page.never_reads_the_stream, page.never_reads_events)
    clients = [asyncio.create_task(returning(port, ways[number % 2])) for number in range(UNREAD)]
    try:
        yield
    finally:
        for client in clients:
            client.cancel()
        await asyncio.gather(*clients, return_exceptions=True)


async def returning(port: int, way: Neglect) -> None:
    """Connect, read nothing until thrown out, and connect again."""
    while True:
        with contextlib.suppress(OSError):
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            try:
                await way(reader, writer)
            finally:
                writer.transport.abort()
        await asyncio.sleep(1.0)


async def asked(core: BusyCore, times: int) -> AsyncIterator[int]:
    """Yield each time the core is asked, so often."""
    first = core.asked
    while core.asked < first + times:
        before = core.asked
        while core.asked == before:
            await asyncio.sleep(0.1)
        yield core.asked
