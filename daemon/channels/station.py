"""One channel of the bench: its place on its instrument, and the run it holds."""

import asyncio
import contextlib
import math
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import asdict
from typing import Any

from daemon.channels.bench_file import ChannelEntry
from daemon.channels.instrument import Instrument, Pending
from daemon.errors import BusyError, UnknownError
from daemon.host.heartbeat import CHANNEL_PATIENCE, Heartbeat
from daemon.running.parked import Parked
from daemon.running.run import Run
from drivers.base import Channel, Driver, Program, ProgrammedChannel
from drivers.clock import Clock, WallClock
from drivers.deadman import Deadman
from drivers.rehearsal import RehearsalClock
from drivers.whole import WholeChannel
from protocols.errors import GalvanodError
from protocols.limits import Limits


class Station:
    """A channel and what is known of it; `rehearsal` is where the time of a simulated one is held."""

    def __init__(self, entry: ChannelEntry, instrument: Instrument, rehearsal: str | None = None) -> None:
        self.entry = entry
        self.instrument = instrument
        self.rehearsal = rehearsal
        self.driver_class = instrument.driver_class
        self.run: Run | Parked | None = None
        self.heartbeat = Heartbeat(entry.name, CHANNEL_PATIENCE)
        self._trouble: str | None = None
        self._opening = asyncio.Lock()
        self._free = asyncio.Event()
        self._free.set()
        self._origin: float | None = None
        self._claim = asyncio.Lock()
        self._channel: Channel | None = None
        self._clock: Clock = WallClock()
        self._resources = contextlib.AsyncExitStack()

    @property
    def name(self) -> str:
        return self.entry.name

    @property
    def address(self) -> str:
        return self.instrument.address

    @property
    def trouble(self) -> str | None:
        """Why the channel could not be opened; None when it could."""
        return self.instrument.trouble or self._trouble

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
            driver, origin = await self.instrument.opened(pending)
            if self._channel is None:
                try:
                    self._channel = await self._taken(driver, origin, pending)
                except GalvanodError as error:
                    self._trouble = str(error)
                    raise
                self._trouble = None
            return driver

    async def _taken(self, driver: Driver, origin: float | None, pending: Pending | None) -> Channel:
        """Take the channel over: running what is pending, or with its circuit open."""
        channel = driver.placed(self.entry.place, self.entry.position)
        self._origin = origin
        if driver.many_channels:
            self._origin = await self._attached(driver, channel, pending)
            if self._origin is None:
                await channel.off()
        if self.rehearsal is not None:
            self._clock = clock = await RehearsalClock.connect(self.rehearsal)
            self._resources.push_async_callback(clock.aclose)
        return channel

    async def _attached(self, driver: Driver, channel: Channel, pending: Pending | None) -> float | None:
        if pending is None or not isinstance(channel, ProgrammedChannel):
            return None
        if driver.identity[:3] != pending.identity[:3]:
            return None  # another instrument: the program is not there, and its channel is made safe
        if isinstance(pending.program, Program):
            return await channel.attach(pending.tag, pending.program)
        if not isinstance(channel, WholeChannel) or pending.taken is None:
            return None
        found = await channel.attach_whole(pending.tag, pending.program, pending.taken)
        return 0.0 if found else None

    @property
    def speed(self) -> float:
        """Seconds its cell lives per second; nobody knows where it lives as fast as it can: then 1."""
        simulation = self.entry.simulation
        return simulation.speed if simulation is not None and math.isfinite(simulation.speed) else 1.0

    @property
    def paced(self) -> bool:
        """Whether its cell lives at a speed that is known beforehand."""
        return self.entry.simulation is None or math.isfinite(self.entry.simulation.speed)

    @property
    def clock(self) -> Clock:
        """The time the instrument lives in."""
        return self._clock

    @property
    def deadman(self) -> Deadman:
        """What opens the circuit without us."""
        return self.instrument.deadman

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
        driver = await self.opened()
        return driver.placed(self.entry.place, self.entry.position)

    async def aclose(self) -> None:
        """Disconnect the cell and let go of the channel; a program that goes on by itself is left to."""
        leave = isinstance(self.run, Run) and self.run.autonomous and not self.run.over
        async with self._opening:
            channel, self._channel = self._channel, None
            try:
                if channel is not None and not leave:
                    await channel.off()
            finally:
                await self._resources.aclose()

    def facts(self) -> Mapping[str, Any]:
        """Return what a person wants to know of the channel, as plain data."""
        driver = self.instrument.driver
        return {
            "channel": self.name,
            "driver": self.entry.driver,
            "address": self.address,
            "on": self.instrument.name,
            "rehearsal": self.rehearsal,
            "place": self.entry.place,
            "window": asdict(self.entry.window),
            "instrument": driver.identity._asdict() if driver is not None else None,
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


def named(stations: Mapping[str, Station], channel: str) -> Station:
    """Return a channel of the bench by its name. Raises `UnknownError` with the names there are."""
    try:
        return stations[channel]
    except KeyError:
        known = ", ".join(stations)
        raise UnknownError(f"there is no channel {channel!r} on this bench; it has {known}") from None
