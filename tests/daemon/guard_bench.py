"""Runs on simulated instruments, through their drivers and wires, in one process and in no time."""

import math
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import NamedTuple

from daemon.delivery.messages import Item, Readings
from daemon.engines.engine import Engine
from daemon.engines.gate import Gate
from daemon.engines.programmed import ProgrammedEngine
from daemon.engines.stepped import SteppedEngine
from daemon.guards import DEFAULT, Guards, Thresholds
from daemon.running.logbook import Logbook
from daemon.running.planning import planned
from daemon.running.run import Run
from daemon.sources import cell_source, protocol_source
from drivers.base import Driver, ProgrammedChannel, SteppedChannel
from drivers.emstat4 import EmStat4
from drivers.keithley2450 import Keithley2450
from drivers.links.opening import open_link
from drivers.rehearsal import RehearsalClock
from protocols.limits import Limits
from protocols.plan import Plan, PlannedRepeat, PlannedStep
from simulators.cells.base import Cell
from simulators.cells.library import make_cell
from simulators.emstat4 import EmStat4 as SimulatedEmStat4
from simulators.instrument import Served, SimulatedInstrument
from simulators.keithley2450 import Keithley2450 as SimulatedKeithley2450
from simulators.server import serve


class Pair(NamedTuple):
    """A simulated instrument, the driver written for the real one, and the kind of link between them."""

    simulated: type[SimulatedInstrument]
    driver: type[Driver]
    scheme: str


PAIRS = {
    "keithley2450": Pair(SimulatedKeithley2450, Keithley2450, "visa://"),
    "emstat4": Pair(SimulatedEmStat4, EmStat4, "serial://"),
}


class Bench:
    """One simulated instrument, opened by its driver, and the run on it."""

    def __init__(self, served: Served, channel: SteppedChannel | ProgrammedChannel, rating: Limits) -> None:
        self.served = served
        self.channel = channel
        self.rating = rating
        self.clock: RehearsalClock
        self.longest_interval: float | None = None
        self.items: list[Item] = []

    def run(self, plan: Plan, sample: float, thresholds: Thresholds = DEFAULT) -> Run:
        """Return a run, ready to be conducted, that writes into `items`."""
        sample = min(sample, self.longest_interval or sample)
        logbook, gate = Logbook("run-1", self.items.append), Gate()
        guards = Guards(thresholds, plan.limits, sample)
        engine: Engine
        if isinstance(self.channel, SteppedChannel):
            engine = SteppedEngine(self.channel, self.clock, plan.limits, sample, logbook, gate, guards)
        else:
            engine = ProgrammedEngine(self.channel, plan.limits, sample, logbook, gate, guards)
        return Run(
            "run-1", "one", plan, "cell", engine, logbook, gate, self.items.append, lambda position: None
        )

    @property
    def rows(self) -> int:
        return sum(len(item.rows) for item in self.items if isinstance(item, Readings))


@asynccontextmanager
async def bench(
    instrument: str, cell: str | Cell, seed: int = 1, faults: Sequence[str] = ()
) -> AsyncIterator[Bench]:
    """Serve an instrument with the cell in it, as fast as its data is taken."""
    pair = PAIRS[instrument]
    inside = make_cell(cell, seed) if isinstance(cell, str) else cell
    async with serve(pair.simulated, cell=inside, speed=math.inf, seed=seed, faults=faults) as served:
        link = await open_link(pair.scheme + served.address, pair.driver.link_options)
        clock = await RehearsalClock.connect(served.rehearsal)
        try:
            opened = await pair.driver.open(link)
            found = Bench(served, next(iter(opened.channels.values())), opened.rating)
            found.clock, found.longest_interval = clock, pair.driver.deadman.longest_interval
            yield found
        finally:
            await clock.aclose()
            await link.aclose()


def ready_plan(protocol: str, cell: str, rating: Limits, variables: Mapping[str, str]) -> Plan:
    """Resolve a ready protocol for a ready cell, every repeat done once."""
    a, b = protocol_source(protocol), cell_source(cell)
    plan = planned(a.text, a.file, b.text, b.file, rating, variables).plan
    return replace(plan, steps=tuple(map(_once, plan.steps)))


def _once(entry: PlannedStep | PlannedRepeat) -> PlannedStep | PlannedRepeat:
    if isinstance(entry, PlannedRepeat):
        return replace(entry, times=1, until=None, steps=tuple(map(_once, entry.steps)))
    return entry
