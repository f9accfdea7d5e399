"""What an instrument counted of charge or energy, made to count from the start of each step."""

from abc import ABC, abstractmethod
from dataclasses import dataclass

import numpy as np

from protocols.figures.estimate import Array

_BOTH = 0.01
"""A step of which more than this part goes the other way: pulses, a simulated drive."""


class Counter(ABC):
    """A column, or a pair of columns, in coulomb or joule."""

    @abstractmethod
    def within(self, start: int, stop: int, direction: int, own: Array) -> Array:
        """Return what was counted since the step began that has the rows `start` to `stop`.

        Positive what went in, negative what came out; `direction` is that of the step's current,
        for a column that has no sign of its own, and `own` our integral, for where that is of no use.
        """


@dataclass(frozen=True, slots=True)
class StepCounter(Counter):
    """One column without a sign that begins anew with every step (Neware, LAND, Maccor)."""

    values: Array

    def within(self, start: int, stop: int, direction: int, own: Array) -> Array:
        passed = np.diff(own)
        into, out = passed[passed > 0].sum(), -passed[passed < 0].sum()
        both_ways = min(into, out) > _BOTH * max(into, out)
        return own if both_ways else direction * np.abs(self.values[start:stop])


@dataclass(frozen=True, slots=True)
class SignedStepCounter(Counter):
    """One column with a sign that begins anew with every step (our own, `Q charge/discharge`)."""

    values: Array

    def within(self, start: int, stop: int, direction: int, own: Array) -> Array:
        return self.values[start:stop]


@dataclass(frozen=True, slots=True)
class NetCounter(Counter):
    """One column that goes up on charge and down on discharge and never begins anew (`(Q-Qo)`)."""

    values: Array

    def within(self, start: int, stop: int, direction: int, own: Array) -> Array:
        base = self.values[start - 1] if start > 0 else 0.0
        return self.values[start:stop] - base


@dataclass(frozen=True, slots=True)
class PairCounter(Counter):
    """One column for charge and one for discharge, which may begin anew with a step or a cycle.

    A column that did not fall at the start of a step goes on from the step before (Arbin, BDF).
    `fresh` says that each begins anew with every step (LAND).
    """

    charged: Array
    discharged: Array
    fresh: bool = False

    def within(self, start: int, stop: int, direction: int, own: Array) -> Array:
        return self._since(self.charged, start, stop) - self._since(self.discharged, start, stop)

    def _since(self, values: Array, start: int, stop: int) -> Array:
        goes_on = start > 0 and not self.fresh and values[start] >= values[start - 1]
        return values[start:stop] - (values[start - 1] if goes_on else 0.0)
