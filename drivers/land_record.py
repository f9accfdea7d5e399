"""What a LAND result file says, whichever form it has: points in order, each with the step it belongs to."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import NamedTuple


class Point(NamedTuple):
    """One record of the cycler.

    `step` is the how-manieth step begun it belongs to, from 1. Times are seconds, since the test and
    since the step began; `coulombs` and `joules` are the vendor's counters of the step, signed like the
    current. `direction` is +1 in a step that charges, -1 in one that discharges, 0 at rest, None where
    the file does not tell.
    """

    step: int
    time: float
    step_time: float
    volts: float
    amperes: float
    coulombs: float
    joules: float
    direction: int | None
    temperature: float | None = None


class ResultFile(ABC):
    """A file that grows while it is read. What is half written is read the next time."""

    @abstractmethod
    def read(self) -> Sequence[Point]:
        """Return the points that came since the last call. Raises `LinkError` where it cannot be read."""
