"""A rack whose cells one can predict by hand: a scan is a second of their lives."""

import asyncio
from collections.abc import Callable, Sequence

import numpy as np

from daemon.delivery.messages import Item, Readings, RunEnded, ScanReadings, StepEnded
from daemon.engines.gate import Gate
from daemon.engines.scans import Scans
from daemon.engines.sitting import Place
from daemon.engines.stepped import SteppedEngine
from daemon.host.heartbeat import Heartbeat
from daemon.running.logbook import Logbook
from daemon.running.run import Run
from drivers.scan import SamplingScanner, Scan, Scanner
from protocols.limits import Limits
from protocols.plan import PlannedRepeat, PlannedStep
from tests.daemon.plans import plan
from tests.daemon.stepped_bench import JumpClock, LinearCell

SAMPLE = 1.0
"""Seconds a scan moves the cells' clock on; between two scans less than a millisecond passes."""


class LinearRack(Scanner):
    """One cell at place "1"; `before_scan` is told the number of the scan that is about to be."""

    def __init__(self, clock: JumpClock, cell: LinearCell) -> None:
        self.clock = clock
        self.cell = cell
        self.scans = 0
        self.before_scan: Callable[[int], None] = lambda number: None
        self.distorted = 0.0
        """Volts that the next scans show too much."""
        self.frozen = False
        """Whether every reading shows what the one before did."""
        self._last = (0.0, 0.0)

    async def scan(self, places: Sequence[str]) -> Scan:
        await asyncio.sleep(0)
        self.scans += 1
        self.before_scan(self.scans)
        self.clock.time += SAMPLE - 0.002  # measuring takes the rest
        reading = await self.cell.measure(within=SAMPLE)
        if not self.frozen:
            self._last = reading.voltage + self.distorted, reading.current
        voltage, current = np.array(self._last).reshape(2, 1)
        return Scan(reading.time, voltage, current, np.array([True]))


class SamplingRack(LinearRack, SamplingScanner):
    """The same rack with a timer of its own: a question brings five seconds of the cells' lives."""

    async def samples(self, places: Sequence[str], interval: float) -> Sequence[Scan]:
        return [await self.scan(places) for _ in range(5)]


class RackRig:
    """One run on the rack, everything it wrote kept in a list."""

    def __init__(
        self,
        limits: Limits,
        *steps: PlannedStep | PlannedRepeat,
        charge: float = 1800.0,
        sampling: bool = False,
    ) -> None:
        self.clock = JumpClock()
        self.cell = LinearCell(self.clock, charge)
        sampler = SamplingRack(self.clock, self.cell) if sampling else None
        self.rack = sampler or LinearRack(self.clock, self.cell)
        self.items: list[Item] = []
        self.gate = Gate()
        logbook = Logbook("run-1", self.items.append)
        self.scans = Scans("rack", self.rack, ["1"], 0.0005, 1.0, self.items.append, sampler)
        place = Place(lambda interval: self.scans, "1", Heartbeat("rack-1", 1.0))
        self.engine = SteppedEngine(
            self.cell, self.clock, limits, SAMPLE, logbook, self.gate, guards=None, place=place
        )
        self.run = Run(
            "run-1",
            "rack-1",
            plan(limits, *steps),
            "linear",
            self.engine,
            logbook,
            self.gate,
            self.items.append,
            lambda position: None,
        )

    async def conduct(self) -> "RackRig":
        self.run.task = asyncio.ensure_future(self.run.conduct())
        await self.run.task
        await self.scans.aclose()
        return self

    @property
    def ended(self) -> list[StepEnded]:
        return [item for item in self.items if isinstance(item, StepEnded)]

    @property
    def over(self) -> RunEnded:
        [item] = [item for item in self.items if isinstance(item, RunEnded)]
        return item

    @property
    def rows(self) -> list[tuple[int, float, float, float]]:
        """Number, time, voltage and capacity of every reading kept, in the order they were put."""
        return [row for item in self.items for row in _rows(item)]


def _rows(item: Item) -> list[tuple[int, float, float, float]]:
    match item:
        case Readings():
            return [
                (number, row.time, row.voltage, row.capacity)
                for number, row in enumerate(item.rows, item.first)
            ]
        case ScanReadings():
            columns = [np.frombuffer(c) for c in (item.times, item.voltages, item.capacities)]
            return list(zip(np.frombuffer(item.numbers, "<i8"), *columns, strict=True))
    return []
