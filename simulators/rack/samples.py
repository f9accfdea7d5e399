"""What a rack has measured by its own timer and not yet told: a ring of samples, each of every slot."""

from collections import deque
from collections.abc import Sequence
from typing import NamedTuple

KEPT = 1000
"""Samples remembered; the oldest make room."""

TOLD = 100
"""Samples of one answer."""

MOST_AT_ONCE = 1000
"""Samples that are caught up on; of a rack nobody has spoken to for longer the older ones are missing."""


class Sample(NamedTuple):
    """One measurement of every slot: its moment by the first slot's time, volts, amperes and letters."""

    moment: float
    volts: Sequence[float]
    amperes: Sequence[float]
    letters: str


class Samples:
    """Numbered from 1 since the timer was set."""

    def __init__(self) -> None:
        self.seconds = 0.0
        """Between two samples; 0 where the timer is off."""
        self._zero = 0.0
        self._taken = 0
        self._kept: deque[Sample] = deque(maxlen=KEPT)

    def set(self, seconds: float, now: float) -> None:
        """Begin anew: the first sample is due so many seconds from now."""
        self.seconds, self._zero, self._taken = seconds, now, 0
        self._kept.clear()

    def due(self, now: float) -> Sequence[float]:
        """Return the moments up to now at which a sample has yet to be taken, for `take` in their order."""
        if not self.seconds:
            return ()
        latest = int((now - self._zero) / self.seconds)
        if latest - self._taken > MOST_AT_ONCE:
            self._taken = latest - MOST_AT_ONCE
            self._kept.clear()
        return [self._zero + number * self.seconds for number in range(self._taken + 1, latest + 1)]

    def take(self, sample: Sample) -> None:
        """Remember the next one."""
        self._taken += 1
        self._kept.append(sample)

    def after(self, number: int) -> tuple[int, Sequence[Sample]]:
        """Return samples numbered above `number`, oldest first, and the number of the first (0: none)."""
        oldest = self._taken - len(self._kept) + 1
        first = max(oldest, number + 1)
        if number >= self._taken:
            return 0, ()
        begin = first - oldest
        return first, [self._kept[at] for at in range(begin, min(begin + TOLD, len(self._kept)))]
