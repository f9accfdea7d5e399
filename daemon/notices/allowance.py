"""How many notices somebody gets: of a storm the first few at once, the others together."""

from collections import deque

MOST = 10
"""Notices within `WITHIN`."""

WITHIN = 600.0
"""Seconds."""


class Allowance:
    """Lets a few through at once, and more as those grow old."""

    def __init__(self, most: int = MOST, within: float = WITHIN) -> None:
        self._times: deque[float] = deque(maxlen=most)
        self._within = within

    def wait(self, now: float) -> float:
        """Return the seconds until one more may go (of a clock that never goes back); 0 where it may."""
        if len(self._times) < (self._times.maxlen or 0):
            return 0.0
        return max(0.0, self._times[0] + self._within - now)

    def scarce(self, now: float) -> bool:
        """Whether only one more may go for now."""
        most = self._times.maxlen or 0
        return sum(now - time < self._within for time in self._times) >= most - 1

    def take(self, now: float) -> None:
        """One goes now."""
        self._times.append(now)
