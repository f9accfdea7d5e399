"""A rack of source-measure channels with channel lists, driven over plain SCPI on one TCP link.

The wire is that of the simulated rack, which is no product: this driver is there to put load on
everything behind it, and to show what a driver of a mainframe looks like. Channels are "1", "2", ….
"""

from collections.abc import Sequence
from typing import ClassVar, Self

import numpy as np

from drivers.base import Driver, Identity
from drivers.deadman import Deadman, DeadmanKind
from drivers.errors import LinkError, RefusedError
from drivers.links import Link, LinkOptions
from drivers.rack_channel import RackChannel
from drivers.rack_wire import AMPERES, VOLTS, Measured, Wire
from drivers.scan import SamplingScanner, Scan
from protocols.limits import Bound, Limits, Range
from protocols.plan import PlannedStep
from protocols.techniques import ChamberTemperature, Impedance

TIMER = 1e-6
"""Seconds to which the rack's timer is told."""

RATING = Limits(
    voltage=Range(Bound(-VOLTS, "rack"), Bound(VOLTS, "rack")),
    current=Range(Bound(-AMPERES, "rack"), Bound(AMPERES, "rack")),
)


class Rack(Driver, SamplingScanner):
    """One mainframe and the channels it has."""

    link_options: ClassVar[LinkOptions] = LinkOptions(deadline=2.0)
    many_channels: ClassVar[bool] = True

    deadman: Deadman = Deadman(DeadmanKind.INSTRUMENT, 5.0)
    """Each channel opens its own circuit when nobody has measured it for so long."""

    def __init__(self, identity: Identity, wire: Wire, places: Sequence[str]) -> None:
        self.identity = identity
        self.rating = RATING
        self._channels = {place: RackChannel(wire, place, self.deadman) for place in places}
        self.channels = self._channels
        self._wire = wire
        self._sampled = 0  # the number of the last sample taken over from the rack's own timer

    def adopt(self, deadman: Deadman) -> None:
        super().adopt(deadman)
        for channel in self._channels.values():
            channel.deadman = deadman

    @classmethod
    def refusal(cls, step: PlannedStep) -> str | None:
        match step.technique:
            case Impedance():
                return "a rack measures no impedance spectra"
            case ChamberTemperature():
                return "a rack sets no chamber temperature"
        return None

    @classmethod
    async def open(cls, link: Link) -> Self:
        identity = await _identity(link)
        wire = Wire(link, f"rack {identity.serial} at {link.address}")
        return cls(identity, wire, await wire.places())

    async def scan(self, places: Sequence[str]) -> Scan:
        return _scan(await self._wire.measure(places), self._expected(places))

    async def samples(self, places: Sequence[str], interval: float) -> Sequence[Scan]:
        sampled = await self._wire.sampled(self._sampled, places)
        if abs(sampled.interval - interval) > TIMER:
            await self._wire.sample_every(interval)
            self._sampled = 0
            return [await self.scan(places)]
        if sampled.first:
            self._sampled = sampled.first + len(sampled.measured) - 1
        expected = self._expected(places)
        return [_scan(measured, expected) for measured in sampled.measured]

    def _expected(self, places: Sequence[str]) -> str:
        return "".join([self._channels[place].letter for place in places])


def _scan(measured: Measured, expected: str) -> Scan:
    """Return a scan; plain is what stands as its letter is expected to be."""
    time, voltage, current, letters = measured
    states, wanted = (np.frombuffer(text.encode(), dtype="S1") for text in (letters, expected))
    return Scan(time, voltage, current, states == wanted)


async def _identity(link: Link) -> Identity:
    answer = await link.query("*IDN?")
    parts = [part.strip() for part in answer.split(",")]
    if len(parts) != 4:
        raise LinkError(f"{link.address}: *IDN? answered {answer!r}; wanted maker, model, serial, firmware")
    if parts[:2] != ["GALVANOD", "SIMULATED RACK"]:
        raise RefusedError(f"{link.address}: a {parts[0]} {parts[1]} answered; wanted a rack of ours")
    return Identity(*parts)
