"""What a guard is: an objection to what is seen of a cell."""

from abc import ABC, abstractmethod
from typing import NamedTuple

from protocols.reading import Reading
from protocols.setpoint import Setpoint

AT_ONCE = 0.02
"""Seconds after which a current that was set flows, in any instrument we know of."""


class Look(NamedTuple):
    """A reading and what was asked for when it was taken.

    `since` is the time in seconds since the set value was first applied, `before` the reading before
    this one under the same step, both by the instrument's clock. `setpoint` and `open_circuit` (volts)
    are None where only the instrument knows them. `interval` is how long the core meant to wait since
    `before`; None where the instrument chooses what it sends.
    """

    reading: Reading
    setpoint: Setpoint | None
    since: float
    before: Reading | None = None
    open_circuit: float | None = None
    interval: float | None = None


class Guard(ABC):
    """One thing that must not be. Written so that what is no number is left to the window, which trips."""

    readings: int = 1
    """How many readings in a row must be objected to before the circuit is opened."""

    @abstractmethod
    def objection(self, look: Look) -> str | None:
        """Return what was seen and what was wanted, or None where nothing is wrong. Does not wait."""
