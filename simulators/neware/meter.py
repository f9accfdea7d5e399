"""The converters of a channel: what its cell looks like in its records."""

from collections.abc import Iterator
from math import inf, nan
from random import Random

from simulators.cells.base import Cell
from simulators.faults.terminals import Terminals
from simulators.neware.drive import Seen

RANGES = (1e-4, 1e-3, 1e-2, 1e-1)
"""Current ranges, full scale in amperes: a 5 V 100 mA channel with four of them. Assumed."""

VOLTS = 5.0

STEPS = 2.0**23
"""A converter of 24 bits spans plus and minus full scale."""

GAIN = 50e-6
OFFSET = 1e-5
"""Standard deviations of what is drawn once per channel: share of the value, and of full scale."""

VOLTAGE_NOISE = 20e-6
CURRENT_NOISE = 3e-6
"""Volts, and share of the range: as neighbouring records of a real channel scatter."""

_BLOCK = 4096


class Converter:
    """One quantity in one range: gain, offset, noise, clipping and rounding, in that order."""

    def __init__(self, full: float, noise: float, errors: Random, scatter: Iterator[float]) -> None:
        self._gain = 1.0 + errors.gauss(0.0, GAIN)
        self._offset = errors.gauss(0.0, OFFSET) * full
        self._noise = noise
        self._limit = 1.02 * full
        self._step = full / STEPS
        self._scatter = scatter

    def converted(self, true: float) -> float:
        value = self._gain * true + self._offset + self._noise * next(self._scatter)
        if not -self._limit <= value <= self._limit:
            value = -self._limit if value < 0.0 else self._limit
        return round(value / self._step) * self._step


class Meter:
    """Measures in the smallest range that holds the current, with the errors of its seed."""

    def __init__(self, cell: Cell, seed: int) -> None:
        errors, scatter = Random(f"neware errors/{seed}"), _scatter(seed)
        self._terminals = Terminals(cell)
        self._voltage = Converter(VOLTS, VOLTAGE_NOISE, errors, scatter)
        self._currents = [Converter(full, CURRENT_NOISE * full, errors, scatter) for full in RANGES]
        self._ranged = nan, self._currents[-1]  # the latest current, and the converter of its range

    def measured(self, seen: Seen) -> Seen:
        """Return what is read where this is at the terminals."""
        if self._terminals.faulty:
            return self._misled(seen)
        volts, amperes = seen
        if amperes != self._ranged[0]:  # through a step of constant current it is the same
            self._ranged = amperes, self._range(amperes)
        return Seen(self._voltage.converted(volts), self._ranged[1].converted(amperes))

    def _misled(self, seen: Seen) -> Seen:
        voltage, current = self._terminals.voltage, self._terminals.current
        volts = voltage.shown(self._voltage.converted(voltage.sensed(seen.volts)))
        sensed = current.sensed(seen.amperes)
        return Seen(volts, current.shown(self._range(sensed).converted(sensed)))

    def _range(self, amperes: float) -> Converter:
        size = abs(amperes) * (1.0 - 1e-6)
        for full, converter in zip((*RANGES[:-1], inf), self._currents, strict=True):
            if size <= full:
                return converter
        return self._currents[-1]


def _scatter(seed: int) -> Iterator[float]:
    """Yield normal deviates, the same for the same seed; they come around after a block of them."""
    gauss = Random(f"neware noise/{seed}").gauss
    block = [
        gauss(0.0, 1.0) for _ in range(_BLOCK - 1)
    ]  # odd: voltage and current never meet theirs again soon
    while True:
        yield from block
