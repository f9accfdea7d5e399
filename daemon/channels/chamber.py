"""One chamber of the bench: its cable and its driver, watched by a task of its own."""

import asyncio
import contextlib
import logging
from collections.abc import Callable, Mapping
from typing import Any

from daemon.channels.chamber_file import ChamberEntry
from daemon.channels.instrument import lock_file
from daemon.guards.chamber import SAME, ChamberInterlock
from daemon.host.locks import owned
from drivers import registry
from drivers.chamber import Chamber
from drivers.clock import Clock, WallClock
from drivers.errors import InstrumentError, RefusedError
from drivers.finding import Finding
from drivers.links.opening import open_link
from drivers.rehearsal import RehearsalClock
from protocols.errors import GalvanodError

_log = logging.getLogger(__name__)

LOOK_SECONDS = 2.0
"""Between two looks of the watch; a rehearsed chamber is looked at more often."""

REHEARSED_LOOK_SECONDS = 0.2

LEAP = 10.0
"""Seconds the watch lets a rehearsed chamber live from look to look while nobody else does."""


class BenchChamber:
    """Opened when it is first looked at; an unreachable one is tried again at every look.

    `rehearsal` is where the time of a simulated one is held. What runs want of it is kept here: they
    never wait for the chamber, whose answers come when they come.
    """

    def __init__(self, entry: ChamberEntry, address: str, rehearsal: str | None = None) -> None:
        self.entry = entry
        self.address = address
        self.interlock = ChamberInterlock(entry.name, entry.tolerance)
        self.trouble: str | None = None
        """Why it could not be looked at; None when it could."""
        self._rehearsal = rehearsal
        self._driver_class = registry.chamber(entry.driver)
        self._driver: Chamber | None = None
        self._clock: Clock = WallClock()
        self._resources = contextlib.AsyncExitStack()
        self._one_at_a_time = asyncio.Lock()
        self._asked = asyncio.Event()
        self._keepers: dict[str, float] = {}
        self._looked: list[Callable[[], None]] = []
        self._held = 0

    @property
    def rehearsed(self) -> bool:
        """Whether its time only passes as far as somebody lets it."""
        return self._rehearsal is not None

    def refusal(self, celsius: float, run: str | None = None) -> str | None:
        """Return what is wanted instead of a temperature it cannot be at for a run, or None."""
        for keeper, kept in self._keepers.items():
            if keeper != run and abs(kept - celsius) > SAME:
                return f"{kept:g} degC, at which chamber {self.entry.name} is kept for run {keeper}"
        if self._driver is not None and not self._driver.rating.holds(celsius):
            return f"{self._driver.rating} degC, the limits of chamber {self.entry.name}"
        return None

    def ask(self, run: str, celsius: float) -> None:
        """Want a temperature for a run; does not wait. Raises `RefusedError` while another wants another."""
        refusal = self.refusal(celsius, run)
        if refusal is not None:
            raise RefusedError(f"{celsius:g} degC; wanted {refusal}")
        self._keepers[run] = celsius
        if self.interlock.wanted is None or abs(self.interlock.wanted - celsius) > SAME:
            self.interlock.ask(celsius)
            self._asked.set()

    def enter(self, looked: Callable[[], None]) -> None:
        """A run is in it from now on: `looked` is called after every look."""
        self._looked.append(looked)

    def leave(self, run: str, looked: Callable[[], None]) -> None:
        """A run has left it; the chamber stays as it is, what was wanted of it is wanted no more."""
        self._looked.remove(looked)
        self._keepers.pop(run, None)
        if not self._keepers:
            self.interlock.wanted = None

    def holding(self, change: int) -> None:
        """One run more, or less, waits for it to be back; a rehearsed one then lives by itself."""
        self._held += change

    async def watch(self) -> None:
        """Look at it again and again, and tell it what is wanted; until cancelled."""
        while True:
            await self.look()
            self._asked.clear()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self._interval):
                    await self._asked.wait()
            if self.rehearsed and self._held:
                await self.live_until(self.interlock.moment + LEAP)

    async def look(self) -> None:
        """Look at it once, after telling it what is wanted where it was not told."""
        async with self._one_at_a_time:
            try:
                await self._look()
                self.trouble = None
            except (GalvanodError, OSError) as error:
                self._complain(str(error))
                await self._let_go()
                self.interlock.lost(str(error), await self._now())
        for looked in list(self._looked):
            try:
                looked()
            except (
                GalvanodError
            ) as error:  # one run's record takes nothing: the others are judged all the same
                _log.error("chamber %s: %s", self.entry.name, error)

    async def live_until(self, moment: float) -> float:
        """Let a rehearsed chamber's time pass up to `moment`, look, and return its time; else do nothing."""
        if not self.rehearsed or self._driver is None:
            return moment
        with contextlib.suppress(InstrumentError):
            if moment > await self._clock.now():
                await self._clock.sleep_until(moment)
        await self.look()
        return await self._now()

    async def now(self) -> float:
        """Return the time it lives in, opening it first where that has not been done."""
        if self._driver is None:
            await self.look()
        return await self._now()

    async def aclose(self) -> None:
        """Let go of the cable; the chamber goes on as it was told."""
        async with self._one_at_a_time:
            await self._let_go()

    def facts(self) -> Mapping[str, Any]:
        """Return what a person wants to know of it, as plain data."""
        state = self.interlock.latest
        return {
            "chamber": self.entry.name,
            "driver": self.entry.driver,
            "address": self.address,
            "channels": list(self.entry.channels),
            "instrument": self._driver.identity._asdict() if self._driver is not None else None,
            "temperature": self.interlock.temperature(),
            "set_point": state.set_point if state is not None else None,
            "mode": state.mode.value if state is not None else None,
            "alarms": list(state.alarms) if state is not None else [],
            "wanted": self.interlock.wanted,
            "there": self.interlock.there,
            "complaint": self.interlock.complaint,
            "trouble": self.trouble,
            "simulated": self.entry.simulation is not None,
        }

    def findings(self) -> list[Finding]:
        """Return what a person should know of it, as of the last look."""
        if self.trouble is not None:
            return [Finding(f"chamber {self.entry.name}: {self.trouble}", wrong=True)]
        state = self.interlock.latest
        if state is None:
            return [Finding(f"chamber {self.entry.name} has not been looked at yet")]
        where = (
            f"chamber {self.entry.name}: {state.temperature:g} degC, set to {state.set_point:g}, {state.mode}"
        )
        complaint = self.interlock.complaint
        return [Finding(where if complaint is None else f"{where}; {complaint}", complaint is not None)]

    async def _look(self) -> None:
        driver = self._driver or await self._open()
        wanted = self.interlock.wanted
        if wanted is not None and not self.interlock.told:
            try:
                await driver.hold(wanted)
            except RefusedError as error:
                self.interlock.refused = str(error)
            self.interlock.told = True
        self.interlock.seen(await driver.state(), await self._clock.now())

    async def _open(self) -> Chamber:
        async with contextlib.AsyncExitStack() as stack:
            stack.enter_context(owned(lock_file(self.address), self.address))
            link = await open_link(self.address, self._driver_class.link_options)
            stack.push_async_callback(link.aclose)
            self._driver = await self._driver_class.open(link)
            if self._rehearsal is not None:
                self._clock = clock = await RehearsalClock.connect(self._rehearsal)
                stack.push_async_callback(clock.aclose)
            self._resources = stack.pop_all()
        return self._driver

    async def _let_go(self) -> None:
        self._driver = None
        resources, self._resources = self._resources, contextlib.AsyncExitStack()
        await resources.aclose()

    async def _now(self) -> float:
        if self.rehearsed and self._driver is None:
            return self.interlock.moment
        try:
            return await self._clock.now()
        except InstrumentError:
            return self.interlock.moment

    @property
    def _interval(self) -> float:
        """Seconds to the next look; a rehearsed chamber that is waited for lives at its own speed."""
        simulation = self.entry.simulation
        if simulation is None:
            return LOOK_SECONDS
        return min(REHEARSED_LOOK_SECONDS, LEAP / simulation.speed) if self._held else REHEARSED_LOOK_SECONDS

    def _complain(self, trouble: str) -> None:
        if trouble != self.trouble:
            _log.warning("chamber %s: %s", self.entry.name, trouble)
        self.trouble = trouble
