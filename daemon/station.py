"""One channel of the bench: its instrument, opened when needed, and the run it holds."""

import asyncio
import contextlib
import hashlib
import math
import tempfile
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from daemon.bench_file import InstrumentEntry
from daemon.errors import BusyError
from daemon.heartbeat import CHANNEL_PATIENCE, Heartbeat
from daemon.locks import owned
from daemon.parked import Parked
from daemon.run import Run
from drivers import registry
from drivers.base import Channel, Driver, Identity, Program
from drivers.clock import Clock, WallClock
from drivers.deadman import Deadman
from drivers.links import Link
from drivers.links.opening import open_link
from drivers.rehearsal import RehearsalClock
from protocols.errors import GalvanodError
from protocols.limits import Limits


@dataclass(frozen=True, slots=True)
class Pending:
    """The program an instrument may still be running, and who it was when it was given it."""

    identity: Identity
    tag: str
    program: Program


class Station:
    """A channel and what is known of it. `address` and `rehearsal` are where its instrument is."""

    def __init__(self, entry: InstrumentEntry, address: str, rehearsal: str | None) -> None:
        self.entry = entry
        self.address = address
        self.rehearsal = rehearsal
        self.run: Run | Parked | None = None
        self.trouble: str | None = None
        """Why the instrument could not be opened; None when it could."""
        self.driver_class = registry.driver(entry.driver)
        self.heartbeat = Heartbeat(entry.name, CHANNEL_PATIENCE)
        self._opening = asyncio.Lock()
        self._free = asyncio.Event()
        self._free.set()
        self._origin: float | None = None
        self._claim = asyncio.Lock()
        self._resources = contextlib.AsyncExitStack()
        self._driver: Driver | None = None
        self._clock: Clock = WallClock()

    @property
    def name(self) -> str:
        return self.entry.name

    @property
    def busy(self) -> bool:
        return self.run is not None and not self.run.over

    @asynccontextmanager
    async def claimed(self) -> AsyncIterator[None]:
        """Have the channel to oneself while a run is prepared; `BusyError` if it has a run."""
        async with self._claim:
            if self.run is not None and not self.run.over:
                raise BusyError(f"channel {self.name} is busy with run {self.run.name} on {self.run.cell}")
            yield

    @asynccontextmanager
    async def alone(self) -> AsyncIterator[None]:
        """Decide alone about what the channel holds."""
        async with self._claim:
            yield

    async def opened(self) -> Driver:
        """Return the instrument, opening it first where that has not been done."""
        await self._free.wait()
        return await self._opened(None)

    def reserve(self) -> None:
        """Let nobody open the instrument but `reattached`: opening would stop what it may be running."""
        self._free.clear()

    async def reattached(self, pending: Pending | None) -> float | None:
        """Open the instrument undisturbed if it still runs the pending program, else as ever.

        Returns the moment the program's own time was nought; None where it does not run.
        """
        try:
            await self._opened(pending)
        finally:
            self._free.set()
        return self._origin

    async def _opened(self, pending: Pending | None) -> Driver:
        async with self._opening:
            if self._driver is None:
                self._driver = await self._open(pending)
            return self._driver

    @property
    def speed(self) -> float:
        """Seconds its cell lives per second; nobody knows where it lives as fast as it can: then 1."""
        simulation = self.entry.simulation
        return simulation.speed if simulation is not None and math.isfinite(simulation.speed) else 1.0

    @property
    def clock(self) -> Clock:
        """The time the instrument lives in."""
        return self._clock

    @property
    def deadman(self) -> Deadman:
        """What opens the circuit without us.

        A simulated instrument's clock stands still while we think, so looking at it more often
        than was wished would protect nothing and take the speed out of a rehearsal.
        """
        declared = self.driver_class.deadman
        return declared if self.entry.simulation is None else declared.at_least(3.0 * self.entry.sample)

    @property
    def sample(self) -> float:
        """Seconds between readings: the wish of the bench file, short enough to renew a dead-man."""
        longest = self.deadman.longest_interval
        return self.entry.sample if longest is None else min(self.entry.sample, longest)

    async def limits(self) -> Limits:
        """The channel's window: what the bench file allows and the instrument can do."""
        return Limits.intersection([self.entry.window, (await self.opened()).rating])

    async def channel(self) -> Channel:
        """Return the channel itself."""
        return next(iter((await self.opened()).channels.values()))

    async def aclose(self) -> None:
        """Disconnect the cell and let go of the instrument; a program that goes on by itself is left to."""
        leave = isinstance(self.run, Run) and self.run.autonomous and not self.run.over
        async with self._opening:
            driver, self._driver = self._driver, None
            try:
                if driver is not None and not leave:
                    for channel in driver.channels.values():
                        await channel.off()
            finally:
                await self._resources.aclose()

    def facts(self) -> Mapping[str, Any]:
        """Return what a person wants to know of the channel, as plain data."""
        identity = self._driver.identity._asdict() if self._driver is not None else None
        return {
            "channel": self.name,
            "driver": self.entry.driver,
            "address": self.address,
            "instrument": identity,
            "simulated": self.entry.simulation.cell if self.entry.simulation is not None else None,
            "deadman": str(self.deadman),
            "trouble": self.trouble,
            "state": self.run.state.value if self.run is not None and self.busy else self._idle_state(),
            "run": self.run.name if self.run is not None and self.busy else None,
            "last_run": self.run.name if self.run is not None else None,
            "cell": self.run.cell if self.run is not None else None,
            "latest": dict(self.run.latest) if self.run is not None else {},
        }

    def _idle_state(self) -> str:
        return "unreachable" if self.trouble else "idle"

    async def _open(self, pending: Pending | None) -> Driver:
        async with contextlib.AsyncExitStack() as stack:
            try:
                stack.enter_context(owned(_lock_file(self.address), self.address))
                link: Link = await open_link(self.address, self.driver_class.link_options)
                stack.push_async_callback(link.aclose)
                driver = await self._driver_on(link, pending)
                driver.adopt(self.deadman)
                if self.rehearsal is not None:
                    self._clock = await RehearsalClock.connect(self.rehearsal)
                    stack.push_async_callback(self._clock.aclose)
            except GalvanodError as error:
                self.trouble = str(error)
                raise
            self.trouble = None
            self._resources = stack.pop_all()
            return driver

    async def _driver_on(self, link: Link, pending: Pending | None) -> Driver:
        self._origin = None
        if pending is not None:
            found = await self.driver_class.attach(link, pending.identity, pending.tag, pending.program)
            if found is not None:
                driver, self._origin = found
                return driver
        return await self.driver_class.open(link)


def _lock_file(address: str) -> Path:
    """One instrument, one owner on this machine, whatever the state directory."""
    digest = hashlib.sha256(address.encode()).hexdigest()[:16]
    return Path(tempfile.gettempdir()) / f"galvanod-instrument-{digest}.lock"
