"""The core under five hundred clients that mean no good: how late it is beside how late it is without."""

import asyncio
import itertools
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import partial

from daemon.bench.laboratory import Laboratory, Racks, laboratory, load_protocol
from daemon.bench.page import Page, page_of
from daemon.bench.processes import Busy, resident_bytes
from daemon.bench.row import Row, Settings, quantile
from daemon.bench.tap import Tap
from daemon.errors import UnavailableError
from daemon.requests import Queue

RACKS = Racks(16, 64, 0.1)
CLIENTS = 500
TIMES = 2
"""How often each is measured, with and without, by turns: what else the machine does falls on both."""

UNCHANGED = 1.5
"""Times as late: what two measurements of the same thing differ by on a machine with other work."""

_SETTLING = 5.0  # seconds until every client has done its worst once
_SHORTEST = 8.0
_START = 60.0
_APART = 0.05  # seconds between the questions of two ticks; those of one come together


@dataclass(slots=True)
class Found:
    """Seconds, each list of one kind of delay; as many as were seen."""

    lateness: list[float] = field(default_factory=list)
    trips: list[float] = field(default_factory=list)
    answers: list[float] = field(default_factory=list)
    page: list[float] = field(default_factory=list)
    busy: list[float] = field(default_factory=list)


async def page_hostile(settings: Settings) -> list[Row]:
    """The core and the page with and without 500 hostile connections: lateness, trips, answers."""
    length = max(_SHORTEST, min(settings.seconds, 60.0))
    highs, amperes = _crossings(2 * TIMES * (length + _SETTLING))
    protocols = dict.fromkeys(RACKS.names, load_protocol(RACKS.sample, 7200.0, amperes=1e-3))
    for channel, high in zip(RACKS.names, highs, strict=False):
        protocols[channel] = load_protocol(RACKS.sample, 7200.0, amperes=amperes, high=high)
    without, under = Found(), Found()
    async with (
        Tap(highs) as tap,
        laboratory(settings.folder / "hostile", RACKS, settings.broker, {RACKS.instruments[0]: tap}) as lab,
        page_of(lab) as page,
    ):
        await lab.submit_all(dict(reversed(protocols.items())))
        before = resident_bytes(page.pid)
        for _ in range(TIMES):
            await _measured(lab, page, tap, length, without)
            async with _besieged(lab, page):
                await asyncio.sleep(_SETTLING)
                await _measured(lab, page, tap, length, under)
        grown = resident_bytes(page.pid) - before
    return _rows(without, under, grown, 2 * TIMES * length)


def _crossings(seconds: float) -> tuple[list[float], float]:
    """Return where each channel of a rack trips, and the current with which all have by then, one by one."""
    low, high, farads = 1.55, 2.62, 3.0
    highs = [low + (high - low) * number / RACKS.channels for number in range(RACKS.channels)]
    return highs, farads * (high - low) / seconds


@asynccontextmanager
async def _besieged(lab: Laboratory, page: Page) -> AsyncIterator[None]:
    """Let the hostile clients do what they do while inside."""
    arguments = [str(CLIENTS), str(page.port), page.token, str(lab.places.socket)]
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "daemon.bench.siege", *arguments),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    try:
        if process.stdin is None or process.stdout is None:
            raise UnavailableError("the hostile clients have no pipes")
        async with asyncio.timeout(_START):
            if not await process.stdout.readline():
                raise UnavailableError("the hostile clients did not start")
        yield
        process.stdin.close()
    finally:
        if process.returncode is None and process.stdin is not None and not process.stdin.is_closing():
            process.kill()
        await process.wait()


async def _measured(lab: Laboratory, page: Page, tap: Tap, seconds: float, found: Found) -> None:
    """Look for a while, asking the core and the page something small all the time."""
    questions, trips = len(tap.questions), len(tap.delays)
    busy, ends = Busy(), time.monotonic() + seconds
    while time.monotonic() < ends:
        found.answers.append(await _asked(lab))
        found.page.append(await _fetched(page))
        await asyncio.sleep(0.05)
    found.lateness += lateness(tap.questions[questions:], RACKS.sample)
    found.trips += tap.delays[trips:]
    spent, passed = busy.elapsed()
    found.busy.append(spent / passed)


async def _asked(lab: Laboratory) -> float:
    began = time.monotonic()
    await lab.ask(Queue(channel=RACKS.names[0]))
    return time.monotonic() - began


async def _fetched(page: Page) -> float:
    """Return how long the page takes to answer somebody honest."""
    began = time.monotonic()
    reader, writer = await asyncio.open_connection("127.0.0.1", page.port)
    writer.write(b"GET /healthz HTTP/1.1\r\nhost: 127.0.0.1\r\nconnection: close\r\n\r\n")
    await reader.read()
    writer.close()
    return time.monotonic() - began


def lateness(moments: list[float], interval: float) -> list[float]:
    """Return how late each tick began, beside the schedule on which the most punctual ones are.

    The schedule is `interval` seconds from tick to tick; the questions of one tick come together.
    """
    ticks = [now for before, now in itertools.pairwise([-1.0, *moments]) if now - before > _APART]
    if not ticks:
        return []
    off = [_off(tick - ticks[0], interval) for tick in ticks]
    punctual = quantile(off, 0.05)
    return [max(0.0, each - punctual) for each in off]


def _off(passed: float, interval: float) -> float:
    return passed - interval * round(passed / interval)


def _rows(without: Found, under: Found, grown: int, seconds: float) -> list[Row]:
    busy = f"{max(without.busy):.2f} without and {max(under.busy):.2f} with"
    note = (
        f"{len(without.lateness)} and {len(under.lateness)} ticks, {len(without.trips)} and "
        f"{len(under.trips)} trips, seen on the wire; processors busy, all processes: {busy}"
    )
    row = partial(Row, seconds=seconds, note=note)
    rows: list[Row] = []
    kinds = (
        ("core's lateness", without.lateness, under.lateness),
        ("limit trip to off on the wire", without.trips, under.trips),
        ("core's answer", without.answers, under.answers),
        ("page's answer", without.page, under.page),
    )
    for name, quiet, loud in kinds:
        promised = 0.02 if quiet is without.trips else None
        rows.append(row(f"{CLIENTS} hostile connections: {name}, p99", quantile(loud, 0.99), "s", promised))
        ratio = quantile(loud, 0.99) / quantile(quiet, 0.99)
        of_core = quiet is not without.page
        rows.append(
            row(f"{name}, p99, beside none", ratio, "of without", UNCHANGED if of_core else None, 1.0)
        )
    rows.append(row(f"{CLIENTS} hostile connections: growth of the page", grown / 1e6, "MB", 50.0))
    return rows
