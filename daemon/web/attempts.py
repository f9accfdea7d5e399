"""Failed log-ins: who guesses is made to wait; who holds a valid token never is."""

from collections import OrderedDict, deque

from daemon.web.neighbourhood import neighbourhood

ALLOWED = 5
"""Failures of one neighbourhood within `WITHIN` that are answered at once."""

WITHIN = 60.0
"""Seconds."""

MOST = 4_096
"""Neighbourhoods remembered; beyond it the one that failed longest ago is forgotten."""


class Attempts:
    """Counts failures by where they come from. Only a failure asks it: no valid token ever waits."""

    def __init__(self) -> None:
        self._failures: OrderedDict[str, deque[float]] = OrderedDict()

    def failed(self, address: str, now: float) -> float:
        """Note a failure at `now` (seconds); return the seconds after which another try is answered, or 0."""
        where = neighbourhood(address)
        times = self._failures.setdefault(where, deque(maxlen=ALLOWED))
        self._failures.move_to_end(where)
        if len(self._failures) > MOST:
            self._failures.popitem(last=False)
        if len(times) == ALLOWED and now - times[0] < WITHIN:
            return WITHIN - (now - times[0])
        times.append(now)
        return 0.0
