"""One driver on its simulated instrument, with a cell whose voltage anybody can work out in his head."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from importlib.metadata import entry_points
from typing import Any, Self

from drivers import registry
from drivers.base import Channel, Driver, Program, ProgrammedChannel, SteppedChannel
from drivers.links import Link
from drivers.links.opening import address_of, open_link
from drivers.rehearsal import RehearsalClock
from protocols.conditions import Comparison, Quantity, Relation
from protocols.limits import Bound, Limits, Range
from protocols.plan import Ceiling, PlannedStep
from protocols.recording import Recording
from protocols.techniques import ConstantCurrent, Technique

SIMULATORS = "galvanod.simulators"

REST = 1.5
"""Volts at which the cell stands at first."""

WIDE = (0.0, 2.6)
"""Volts: a window the cell does not leave in these trials."""

DEADLINE = 0.5
"""Seconds a link waits for an answer here: what is lost on purpose is not waited for long."""

PATIENCE = 60.0
"""Seconds a claim may take; one that takes longer hangs."""

NOTHING = 2e-5
"""Coulombs; less passes through anything that is open."""


_RATINGS: dict[str, Limits] = {}
"""By the name of the driver; asked for once."""


class ContractError(AssertionError):
    """A driver does not keep a promise; the message says what was seen and what was wanted."""


class NotApplicable(Exception):  # noqa: N818 - it is no error
    """The family says that it cannot do what the claim is about."""


def registered() -> list[str]:
    """Return the names of all installed drivers that have a simulator of the same name, sorted."""
    simulated = entry_points(group=SIMULATORS).names
    return [name for name in registry.names() if name in simulated]


@dataclass(slots=True)
class Trial:
    """A driver opened on its simulated instrument, whose time is held.

    `amperes` is a hundredth of the rating, at most 0.1 A; `farads` is the cell's capacitance: 3 F, or
    100 F for that.
    """

    driver_class: type[Driver]
    address: str
    driver: Driver
    link: Link
    clock: RehearsalClock
    amperes: float
    farads: float

    @property
    def channel(self) -> Channel:
        """Its first channel."""
        return self.driver.placed(None)

    def stepped(self) -> SteppedChannel:
        """Return the channel where it is stepped. Raises `NotApplicable`."""
        if not isinstance(self.channel, SteppedChannel):
            raise NotApplicable("its channels are programmed, not stepped")
        self._need_a_source()
        return self.channel

    def programmed(self) -> ProgrammedChannel:
        """Return the channel where it is programmed. Raises `NotApplicable`."""
        if not isinstance(self.channel, ProgrammedChannel):
            raise NotApplicable("its channels are stepped, not programmed")
        self._need_a_source()
        return self.channel

    def limits(self, low: float = WIDE[0], high: float = WIDE[1]) -> Limits:
        """Return a window in volts, and twice the trial's current either way."""
        most = 2.0 * self.amperes
        return Limits(
            voltage=Range(Bound(low, "cell"), Bound(high, "cell")),
            current=Range(Bound(-most, "cell"), Bound(most, "cell")),
        )

    def step(self, technique: Technique, seconds: float) -> PlannedStep:
        """Return a step of so many seconds, with a reading every tenth of them."""
        end = Comparison(Quantity.TIME, Relation.AT_LEAST, seconds, f"time >= {seconds:g} s")
        return PlannedStep(
            "1", 1, "charge", technique, "", end, Recording(every=seconds / 10.0), Ceiling(10 * seconds, 1e3)
        )

    def charging(self, seconds: float, high: float = WIDE[1]) -> Program:
        """Return a program that charges the cell with the trial's current."""
        step = self.step(ConstantCurrent(self.amperes), seconds)
        return Program(step, self.limits(high=high), sample=seconds / 20.0)

    async def nothing_flows(self, when: str, seconds: float = 1000.0) -> None:
        """Raise `ContractError` if anything passes through the cell in so many seconds."""
        before = await self.clock.charge()
        await self.clock.sleep_until(await self.clock.now() + seconds)
        passed = await self.clock.charge() - before
        must(abs(passed) <= NOTHING, f"{when}, {passed:.3g} C pass the cell in {seconds:g} s; wanted none")

    async def reopened(self) -> Self:
        """Let go of the cable as a core that dies does, and open it again; the driver stays the old one."""
        await self.link.aclose()
        self.link = await _link(self.driver_class, self.address)
        return self

    def _need_a_source(self) -> None:
        step = self.step(ConstantCurrent(self.amperes), 60.0)
        refusal = self.driver_class.refusal(step) or self.channel.refusal(step)
        if refusal is not None:
            raise NotApplicable(f"it sources no current: {refusal}")


@asynccontextmanager
async def trial(name: str, speed: float = 1e6) -> AsyncIterator[Trial]:
    """Serve the simulator of that name and open the driver of that name on it."""
    driver_class = registry.driver(name)
    async with asyncio.timeout(PATIENCE), AsyncExitStack() as stack:
        if name not in _RATINGS:
            _RATINGS[name] = await _rating(name, driver_class)
        rating = _RATINGS[name].current.high
        most = 1.0 if rating is None else rating.value
        amperes = min(most / 100.0, 0.1)
        cell, farads = ("supercapacitor/3f", 3.0) if amperes <= 0.02 else ("supercapacitor/100f", 100.0)
        served = await stack.enter_async_context(_served(name, cell, speed))
        address = address_of(served.address)
        link = await _link(driver_class, address)
        clock = await RehearsalClock.connect(served.rehearsal)
        stack.push_async_callback(clock.aclose)
        found = Trial(driver_class, address, await driver_class.open(link), link, clock, amperes, farads)
        stack.push_async_callback(_let_go, found)
        yield found


def must(kept: bool, otherwise: str) -> None:
    """Raise `ContractError` unless a promise is kept."""
    if not kept:
        raise ContractError(otherwise)


async def _rating(name: str, driver_class: type[Driver]) -> Limits:
    """Return what the instrument can do, by asking one that is there for nothing else."""
    async with _served(name, "supercapacitor/3f", 1.0) as served:
        link = await _link(driver_class, address_of(served.address))
        try:
            return (await driver_class.open(link)).rating
        finally:
            await link.aclose()


@asynccontextmanager
async def _served(name: str, cell: str, speed: float) -> AsyncIterator[Any]:
    """Serve the simulator; one that takes no such cell drives none, and has nothing to be held to here."""
    async with AsyncExitStack() as stack:
        try:
            served = await stack.enter_async_context(_simulator(name).serve(cell=cell, speed=speed, seed=1))
        except ValueError as error:
            raise NotApplicable(str(error)) from error
        yield served


async def _link(driver_class: type[Driver], address: str) -> Link:
    return await open_link(address, replace(driver_class.link_options, deadline=DEADLINE))


async def _let_go(found: Trial) -> None:
    await found.link.aclose()


def _simulator(name: str) -> Any:
    """Find a simulated instrument by entry point: nothing imports the simulators."""
    [point] = entry_points(group=SIMULATORS, name=name)
    return point.load()
