"""Looking at many channels at a time, where an instrument can."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Column = NDArray[np.float64]


class Scan(NamedTuple):
    """What the channels of a list showed, in the order of the list; SI, as in `Reading`.

    `time` is the one moment the instrument gives for all of them, on the timeline of their readings.
    `plain` tells of each channel whether nothing else is to be said: no flag, and its output as set.
    """

    time: float
    voltage: Column
    current: Column
    plain: NDArray[np.bool_]


class Scanner(ABC):
    """Reads several channels of one instrument with one question."""

    @abstractmethod
    async def scan(self, places: Sequence[str]) -> Scan:
        """Look at the cells at these places. Where the instrument has a dead-man, this renews it.

        Raises `LinkError` where no whole answer came.
        """


class SamplingScanner(Scanner):
    """One whose instrument measures all of its channels by a timer of its own, and remembers."""

    @abstractmethod
    async def samples(self, places: Sequence[str], interval: float) -> Sequence[Scan]:
        """Return what was measured every `interval` seconds since it was asked last, oldest first.

        The first question sets the timer, and so does one that finds it set otherwise. None is told
        twice, and none left out but where nobody asked for so long that the instrument forgot.
        Renews a dead-man, raises `LinkError` as `scan` does.
        """
