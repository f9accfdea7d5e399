"""The lab's page before a thousand live channels: what it costs, and how soon it is there."""

import asyncio
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from urllib.parse import urlsplit

from daemon.bench.audience import audience
from daemon.bench.chromium import Rendered, chromium, rendered
from daemon.bench.laboratory import Laboratory, Racks, laboratory, load_protocol
from daemon.bench.processes import Busy, Usage, somebody_else
from daemon.bench.row import Row, Settings, quantile
from daemon.host.child import Child
from daemon.places import Places
from daemon.web.tokens import Scope, Tokens
from protocols.errors import GalvanodError

RACKS = Racks(16, 64, 1.0)
"""Every channel is read once a second, and every reading differs from the one before."""

CLIENTS = (0, 1, 50)
_PROMISED = {0: None, 1: 0.01, 50: 0.02}

_CURRENT = 1e-3  # amperes: a third of a millivolt a second, for most of an hour
_LEAVING = 2.0  # seconds between audiences, until what is left of one is gone
_RENDERS = 3
_FIRST_BYTES = 20
_TOKENS = 4


@dataclass(frozen=True, slots=True)
class Page:
    """A page that is served: its process, where it is, and tokens that let look: one has few places."""

    pid: int
    url: str
    tokens: Sequence[str]

    @property
    def token(self) -> str:
        """One of them."""
        return self.tokens[0]

    @property
    def port(self) -> int:
        """The port it listens on, of loopback."""
        return urlsplit(self.url).port or 80


@dataclass(frozen=True, slots=True)
class Watched:
    """What an audience of the live stream cost the page, and what each of them was sent."""

    cores: float
    snapshot: int
    bytes_per_second: float
    messages_per_second: float
    note: str


@asynccontextmanager
async def page_of(lab: Laboratory) -> AsyncIterator[Page]:
    """Serve the laboratory's page while inside, as `galvanod up` would: it also announces on the broker."""
    places = Places(lab.places.state.with_name("page"))
    tokens = Tokens.of(places.tokens)
    secrets = [tokens.create(f"bench-{number}", Scope.VIEW) for number in range(_TOKENS)]
    where = ["--state", str(places.state), "--core", f"lab={lab.places.socket}", "--database", lab.database]
    arguments = ["web", *where, "--broker", lab.broker_url, "--port", "0", "--json"]
    web = Child("web", arguments, places.state / "web.log")
    await web.start()
    try:
        yield Page(web.pid or 0, web.said[0]["web"], secrets)
    finally:
        await web.stop()


async def page(settings: Settings) -> list[Row]:
    """The page with 1024 live channels: its share of a processor, and when a browser shows all of them."""
    async with laboratory(settings.folder / "page", RACKS, settings.broker) as lab:
        await lab.submit_all(dict.fromkeys(RACKS.names, load_protocol(RACKS.sample, 7200.0, _CURRENT)))
        async with page_of(lab) as served:
            await asyncio.sleep(_LEAVING)
            first = await _first_bytes(served)
            seen = {number: await _watched(served, number, settings.seconds) for number in CLIENTS}
            renders, why_not = await _renders(served)
    return [
        *(row for number, found in seen.items() for row in _watched_rows(number, found, settings.seconds)),
        Row("page: first byte, median", quantile(first, 0.5), "s", None, seconds=sum(first)),
        *_render_rows(renders, why_not),
    ]


async def _watched(served: Page, number: int, seconds: float) -> Watched:
    """Let so many clients follow the live stream for a while."""
    async with audience(served.url, served.tokens, number) as clients:
        await asyncio.sleep(_LEAVING)
        usage, busy = Usage({"web": served.pid}), Busy()
        began, before = time.monotonic(), clients.count()
        await asyncio.sleep(seconds)
        cores, passed, after = usage.cores()["web"], time.monotonic() - began, clients.count()
    each = max(1, number) * passed
    others = somebody_else(cores * passed, busy)
    return Watched(
        cores,
        clients.snapshot,
        (after.bytes - before.bytes) / each,
        (after.messages - before.messages) / each,
        f"others, the bench itself among them, kept {others:.2f} processors busy",
    )


def _watched_rows(number: int, found: Watched, seconds: float) -> list[Row]:
    row = partial(Row, seconds=seconds, note=found.note)
    who = f"page, 1024 channels, {number} client{'' if number == 1 else 's'}"
    rows = [row(f"{who}: web process", found.cores, "cores", _PROMISED[number])]
    if number == 0:
        return rows
    return [
        *rows,
        row(f"{who}: messages to each", found.messages_per_second, "messages/s", 0.95, None, True),
        row(f"{who}: sent to each", found.bytes_per_second / 1e3, "kB/s", None),
        row(f"{who}: snapshot", found.snapshot / 1e3, "kB", None),
    ]


async def _first_bytes(served: Page) -> list[float]:
    """Return how long the page itself took to begin to come, time after time."""
    taken = []
    for _ in range(_FIRST_BYTES):
        reader, writer = await asyncio.open_connection("127.0.0.1", served.port)
        began = time.perf_counter()
        writer.write(b"GET / HTTP/1.1\r\nhost: 127.0.0.1\r\nconnection: close\r\n\r\n")
        await reader.readexactly(1)
        taken.append(time.perf_counter() - began)
        writer.close()
    return taken


async def _renders(served: Page) -> tuple[list[Rendered], str]:
    """Return what a browser did, time after time with nothing kept; nothing and why where there is none."""
    try:
        async with chromium() as browser:
            cells = RACKS.count * RACKS.channels
            address = f"{served.url}#token={served.token}"
            return [await rendered(browser, address, cells) for _ in range(_RENDERS)], ""
    except (GalvanodError, TimeoutError) as error:
        return [], str(error) or "no browser showed every channel in time"


def _render_rows(renders: list[Rendered], why_not: str) -> list[Row]:
    """Return the best of them: what else the machine does can only make a browser slower."""
    if not renders:
        return [Row("page: first render of 1024 channels", float("nan"), "s", None, note=why_not)]
    each = ", ".join(f"{one.seconds:.2f}" for one in renders)
    note = f"Chromium, nothing kept, logging in included; each time: {each} s"
    best = min(renders, key=lambda one: one.seconds)
    row = partial(Row, seconds=sum(one.seconds for one in renders), note=note)
    return [
        row("page: first render of 1024 channels", best.seconds, "s", 3.0),
        row("page: files until then", best.kilobytes, "kB", None),
        row("page: longest task of a change", min(one.longest_task for one in renders), "s", None),
    ]
