"""Answers that the wire lost: a few are asked for again, many are a fault."""

from collections import deque

from drivers.errors import LinkError

MOST = 3
"""Losses within `WINDOW` that are a fault."""

WINDOW = 10.0
"""Seconds."""


class Losses:
    """The latest losses of one channel."""

    def __init__(self) -> None:
        self._times: deque[float] = deque(maxlen=MOST)

    def count(self, time: float, error: LinkError) -> None:
        """Note a loss at `time` (seconds that only grow); raise the error if it is one too many."""
        self._times.append(time)
        if len(self._times) == MOST and time - self._times[0] <= WINDOW:
            raise error
