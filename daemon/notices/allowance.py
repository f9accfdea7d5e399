"""How many notices somebody gets: a storm of them is told as one."""

from collections import deque

MOST = 10
"""Notices within `WITHIN`."""

WITHIN = 600.0
"""Seconds."""


class Allowance:
    """Lets a few through at once; the others are counted, and told of with the next that goes through."""

    def __init__(self, most: int = MOST, within: float = WITHIN) -> None:
        self._times: deque[float] = deque(maxlen=most)
        self._within = within
        self.withheld = 0

    def admits(self, now: float) -> bool:
        """Whether one more may go now (seconds of a clock that never goes back)."""
        if len(self._times) == self._times.maxlen and now - self._times[0] < self._within:
            self.withheld += 1
            return False
        self._times.append(now)
        return True

    def taken(self) -> int:
        """Return how many were withheld since this was last asked."""
        withheld, self.withheld = self.withheld, 0
        return withheld
