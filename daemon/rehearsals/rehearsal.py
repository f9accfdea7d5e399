"""A rehearsal: this protocol on a simulated cell like this one, through driver, wire and core, at once.

It lives in a service of its own in a directory of its own, gently and within bounds, and leaves
nothing behind: never the lab's core, broker or database.
"""

import asyncio
import contextlib
import os
import resource
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from daemon.client import ask
from daemon.errors import UnavailableError, UnknownError
from daemon.places import Places
from daemon.reading.results import Results
from daemon.recording.database import open_database
from daemon.rehearsals.bench import CHANNEL, DEFAULT_FAMILY, bench_text, require_family
from daemon.rehearsals.outcome import CUT_SHORT, Account, outcome
from daemon.rehearsals.stand_in import StandIn, stand_in
from daemon.requests import Request, Runs, Stop, Submit
from daemon.running.planning import Planned, planned
from daemon.sources import Source
from daemon.up import Plan, service
from protocols.forecast import Forecast, forecast
from protocols.limits import Limits
from protocols.techniques import ChamberTemperature

SECONDS = 20.0
"""Wall-clock seconds a rehearsal's run may take; what is not reached is carried on."""

LONGEST = 600.0

LOOK = 0.5
"""Seconds between two looks at the run."""

SETTLING = 40.0
"""Seconds, at most, for the last readings to be recorded and figured by a machine that is busy."""

NICENESS = 15
MEMORY = 2 << 30
"""Bytes of data each process of a rehearsal may hold."""
LARGEST_FILE = 1 << 30

SEED = 1

Say = Callable[[Mapping[str, Any]], None]
"""Hears what is known so far."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is to be rehearsed. `window` is what the real channel allows."""

    protocol: Source
    cell: Source
    variables: Mapping[str, str] = field(default_factory=dict)
    family: str = DEFAULT_FAMILY
    window: Limits = field(default_factory=Limits)
    seconds: float = SECONDS


@dataclass(frozen=True, slots=True)
class _Conducted:
    """A run of a rehearsal that has begun, and what of it is known beforehand."""

    places: Places
    run: str
    found: Planned
    expected: Forecast
    like: StandIn
    family: str


async def rehearse(wanted: Wanted, say: Say) -> dict[str, Any]:
    """Rehearse, telling `say` what is known so far about twice a second; return what came of it.

    Raises, before anything is started, `ProtocolError` for a mistake in protocol or cell,
    `ServiceError` where no simulated cell is like the cell, `UnknownError` for a family there is not.
    """
    require_family(wanted.family)
    found = await asyncio.to_thread(planned, *wanted.protocol, *wanted.cell, wanted.window, wanted.variables)
    like = stand_in(found.cell)
    _live_gently()
    with tempfile.TemporaryDirectory(prefix="galvanod-rehearsal-", ignore_cleanup_errors=True) as folder:
        places = Places(Path(folder))
        async with _serving(places, wanted, found, like):
            run = await _begun(places, wanted)
            expected = forecast(found.plan, found.cell)
            conducted = _Conducted(places, run, found, expected, like, wanted.family)
            return await _conduct(conducted, wanted.seconds, say)


@contextlib.asynccontextmanager
async def _serving(places: Places, wanted: Wanted, found: Planned, like: StandIn) -> AsyncIterator[None]:
    """Run core, broker, recorder and the simulated instrument while inside."""
    chamber = any(isinstance(step.technique, ChamberTemperature) for step in found.plan.each_step())
    bench = places.state / "bench.yaml"
    bench.write_text(bench_text(wanted.family, like.cell, wanted.window, SEED, chamber))
    async with service(Plan(places, bench, core=CHANNEL)):
        yield


async def _begun(places: Places, wanted: Wanted) -> str:
    request = Submit(*wanted.protocol, *wanted.cell, CHANNEL, wanted.variables)
    answer = await _ask(places, request)
    return str(answer["run"])


async def _conduct(conducted: _Conducted, seconds: float, say: Say) -> dict[str, Any]:
    """Follow the run to its end, or to the end of its time, and tell of it until everything is there."""
    began, reader = time.monotonic(), _Reader(conducted)
    try:
        while (account := await _account(conducted, began)).state == "running":
            if account.wall > seconds:
                account = await _cut_short(conducted, began, seconds)
                break
            if (known := await asyncio.to_thread(reader.known, account)) is not None:
                say(known)
            await asyncio.sleep(LOOK)
        await _settled(reader, conducted.run)
        known = await asyncio.to_thread(reader.known, account)
    finally:
        reader.close()
    if known is None:
        raise UnavailableError("nothing of the rehearsal was recorded; it may be tried again")
    return known


async def _account(conducted: _Conducted, began: float) -> Account:
    runs = await _ask(conducted.places, Runs())
    run = next(each for each in runs if each["run"] == conducted.run)
    wall = time.monotonic() - began
    return Account(run["state"], run["reason"], run["readings"], wall)


async def _cut_short(conducted: _Conducted, began: float, seconds: float) -> Account:
    """Stop a run whose time is over, unless it has just ended."""
    reason = f"rehearsed for {seconds:g} s; the rest is carried on from there"
    account = await _account(conducted, began)
    if account.state == "running":
        await _ask(conducted.places, Stop(conducted.run, reason))
        account = Account(CUT_SHORT, reason, account.readings, account.wall)
    return account


async def _settled(reader: "_Reader", run: str) -> None:
    """Wait until the run's readings are recorded and figured, or for as long as is worth it."""
    ends = time.monotonic() + SETTLING
    while not await asyncio.to_thread(reader.settled, run) and time.monotonic() < ends:  # noqa: ASYNC110
        await asyncio.sleep(0.1)


class _Reader:
    """Reads what the recorder has recorded so far."""

    def __init__(self, conducted: _Conducted) -> None:
        self._conducted = conducted
        self._engine = open_database(conducted.places.default_database, write=False)

    def known(self, account: Account) -> dict[str, Any] | None:
        """Return what is known; None while nothing of the run is recorded."""
        c = self._conducted
        try:
            found = outcome(self._engine, c.run, c.found.plan, c.expected, account)
        except (UnavailableError, UnknownError):
            return None
        return found | {
            "protocol": c.found.plan.name,
            "cell": c.found.cell.name,
            "model": {"cell": c.like.cell, "words": c.like.words, "family": c.family, "seed": SEED},
        }

    def settled(self, run: str) -> bool:
        """Whether the run's stop record has arrived and its figures cover it."""
        return Results(self._engine).all_figured([run])

    def close(self) -> None:
        self._engine.dispose()


async def _ask(places: Places, request: Request) -> Any:
    return await asyncio.to_thread(ask, places.socket, request)


def _live_gently() -> None:
    """Stand back behind everything else on this machine, within bounds; the processes begun inherit it."""
    os.environ["OPENBLAS_NUM_THREADS"] = "1"
    with contextlib.suppress(OSError):  # a sandbox may forbid it, and bounds us itself
        os.setpriority(os.PRIO_PROCESS, 0, NICENESS)
    for what, most in ((resource.RLIMIT_DATA, MEMORY), (resource.RLIMIT_FSIZE, LARGEST_FILE)):
        with contextlib.suppress(OSError, ValueError):
            resource.setrlimit(what, (most, most))
