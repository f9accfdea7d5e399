"""How a source with a limit holds a cell: one quantity driven, the other left free within bounds."""

import math
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache

from simulators.leads import Load

LONGEST_STEP = 60.0
"""Seconds driven at once where a bound might be crossed, so that a short excursion is not missed by much."""

CROSSING = 1e-6
"""Seconds to which the moment of a crossing is found."""


class Driven(StrEnum):
    """The quantity a source holds."""

    CURRENT = "current"
    VOLTAGE = "voltage"


@dataclass(frozen=True, slots=True)
class Regime:
    """Hold `value` (ampere or volt), which is right while the other quantity is in `low..high`.

    `limited` says that this is the limit at work and not the level asked for.
    """

    driven: Driven
    value: float
    low: float = -math.inf
    high: float = math.inf
    limited: bool = False

    def drive(self, load: Load, seconds: float) -> float:
        """Hold it for `seconds`; return the other quantity at the end."""
        if self.driven is Driven.CURRENT:
            return load.drive_current(self.value, seconds)
        return load.drive_voltage(self.value, seconds)

    def excess(self, other: float) -> float:
        """Return how far outside its bounds the other quantity is; 0 inside."""
        return max(self.low - other, other - self.high, 0.0)


Regimes = tuple[Regime, ...]
"""The ways one setting of a source may have to work, the wanted one first."""

DISCONNECTED: Regimes = (Regime(Driven.CURRENT, 0.0),)


@lru_cache(maxsize=64)
def current_source(amperes: float, voltage_limit: float, current_ceiling: float) -> Regimes:
    """A current, clamped at ±`voltage_limit`; a cell beyond the clamp is fought with up to the ceiling.

    The clamp is symmetric: it holds a cell that would go above +limit or below -limit by passing
    less current than asked for or, if the cell itself is beyond it, current the other way.
    """
    ceiling = max(current_ceiling, abs(amperes))
    return (
        Regime(Driven.CURRENT, amperes, -voltage_limit, voltage_limit),
        Regime(Driven.VOLTAGE, voltage_limit, -ceiling, amperes, limited=True),
        Regime(Driven.VOLTAGE, -voltage_limit, amperes, ceiling, limited=True),
        Regime(Driven.CURRENT, -ceiling, voltage_limit, math.inf, limited=True),
        Regime(Driven.CURRENT, ceiling, -math.inf, -voltage_limit, limited=True),
    )


@lru_cache(maxsize=64)
def voltage_source(volts: float, current_limit: float) -> Regimes:
    """A voltage, with no more than ±`current_limit` spent on it."""
    return (
        Regime(Driven.VOLTAGE, volts, -current_limit, current_limit),
        Regime(Driven.CURRENT, current_limit, -math.inf, volts, limited=True),
        Regime(Driven.CURRENT, -current_limit, volts, math.inf, limited=True),
    )


class Source:
    """A source at work on a load, always in exactly one regime; disconnected until told otherwise."""

    def __init__(self, load: Load) -> None:
        self._load = load
        self._regimes = DISCONNECTED
        self.regime = DISCONNECTED[0]

    def apply(self, load: Load, regimes: Regimes) -> bool:
        """Act otherwise from now on; return whether it was anything new."""
        if load is self._load and regimes == self._regimes:
            return False
        self._load = load
        self._regimes = regimes
        self.regime = self._choose()
        return True

    def live(self, seconds: float) -> None:
        """Let the load live for `seconds`, changing regime at the moments it must be changed."""
        shortest = CROSSING
        while seconds > 0:
            step = min(seconds, self._longest_step())
            lived = self._step(step, shortest)
            if lived < step:
                shortest *= 2  # regimes that chase each other get fewer turns, so that this ends
            seconds -= lived

    def look(self) -> tuple[float, float]:
        """Return voltage and current at the terminals now."""
        before = self._load.state()
        other = self.regime.drive(self._load, 0.0)
        self._load.restore(before)
        if self.regime.driven is Driven.CURRENT:
            return other, self.regime.value
        return self.regime.value, other

    def _longest_step(self) -> float:
        return math.inf if math.isinf(self.regime.low) and math.isinf(self.regime.high) else LONGEST_STEP

    def _step(self, seconds: float, shortest: float) -> float:
        """Live for `seconds`, or until just after a bound was crossed; return how long it was."""
        before = self._load.state()
        if not self.regime.excess(self.regime.drive(self._load, seconds)):
            return seconds
        crossing = self._crossing(before, seconds, shortest)
        self.regime = self._choose()
        return crossing

    def _crossing(self, before: object, seconds: float, shortest: float) -> float:
        """Find when a bound was crossed, by bisection; leave the load just after it."""
        inside, outside = 0.0, seconds
        while outside - inside > shortest:
            middle = (inside + outside) / 2
            self._load.restore(before)
            if self.regime.excess(self.regime.drive(self._load, middle)):
                outside = middle
            else:
                inside = middle
        self._load.restore(before)
        self.regime.drive(self._load, outside)
        return outside

    def _choose(self) -> Regime:
        """Return the first regime that is right at this instant, or the one least wrong."""
        before = self._load.state()
        excesses = []
        for regime in self._regimes:
            excesses.append(regime.excess(regime.drive(self._load, 0.0)))
            self._load.restore(before)
            if not excesses[-1]:
                return regime
        return self._regimes[min(range(len(excesses)), key=excesses.__getitem__)]
