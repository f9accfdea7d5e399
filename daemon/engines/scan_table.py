"""Where the channels of one instrument sit together: scans at each interval that somebody wishes."""

import asyncio
from collections.abc import Sequence

from daemon.delivery.messages import ScanReadings
from daemon.delivery.outbox import Outbox
from daemon.engines.scans import Scans
from drivers.scan import SamplingScanner, Scanner

TOGETHER = 0.05
"""Seconds between two questions to an instrument that measures by itself, half of what channels that are
read ten times a second wait. An answer then brings several readings: five cost little more than one."""

SHORTEST_PATIENCE = 1.0
LONGEST_PATIENCE = 5.0
"""Seconds a scan may take: three intervals within these, as the guards have it."""


class ScanTable:
    """The scans of one instrument; what they read goes to the outbox under the instrument's name."""

    def __init__(self, instrument: str, scanner: Scanner, places: Sequence[str], outbox: Outbox) -> None:
        self._instrument = instrument
        self._scanner = scanner
        self._places = places
        self._outbox = outbox
        self._scans: dict[float, Scans] = {}
        self._sampling = False  # whether one of them has the instrument's own timer, of which there is one

    def at(self, interval: float) -> Scans:
        """Return the scans every `interval` seconds."""
        if interval not in self._scans:
            self._scans[interval] = self._new(interval)
        return self._scans[interval]

    async def aclose(self) -> None:
        """End all of them."""
        await asyncio.gather(*(scans.aclose() for scans in self._scans.values()))

    def _new(self, interval: float) -> Scans:
        name = f"{self._instrument} every {interval:g} s"

        def record(readings: ScanReadings) -> None:
            self._outbox.put(self._instrument, readings)
            self._outbox.checkpoint_scan(name, lambda: scans.seats.positions().encoded())

        patience = min(LONGEST_PATIENCE, max(SHORTEST_PATIENCE, 3.0 * interval))
        sampler = self._scanner if isinstance(self._scanner, SamplingScanner) else None
        if sampler is None or interval > TOGETHER / 2.0 or self._sampling:
            scans = Scans(name, self._scanner, self._places, interval, patience, record)
            return scans
        self._sampling = True
        scans = Scans(name, sampler, self._places, interval, patience, record, sampler, TOGETHER)
        return scans
