"""Failed log-ins: who guesses is made to wait; who holds a valid token never is."""

from collections import OrderedDict, deque

ALLOWED = 5
"""Failures of one address within `WITHIN` that are answered at once."""

WITHIN = 60.0
"""Seconds."""

MOST = 4_096
"""Addresses remembered; beyond it the one that failed longest ago is forgotten."""


class Attempts:
    """Counts failures by address. Only a failure asks it: no valid token waits, a stop least of all."""

    def __init__(self) -> None:
        self._failures: OrderedDict[str, deque[float]] = OrderedDict()

    def failed(self, address: str, now: float) -> float:
        """Note a failure at `now` (seconds); return the seconds after which another try is answered, or 0."""
        times = self._failures.setdefault(address, deque(maxlen=ALLOWED))
        self._failures.move_to_end(address)
        if len(self._failures) > MOST:
            self._failures.popitem(last=False)
        if len(times) == ALLOWED and now - times[0] < WITHIN:
            return WITHIN - (now - times[0])
        times.append(now)
        return 0.0
