"""A cell that warms up faster than its surroundings could make it."""

from collections import deque
from dataclasses import dataclass, field

from daemon.guards.guard import Guard, Look
from protocols.setpoint import AtRest

WINDOW = 60.0
"""Seconds over which a rise is judged: a thermometer's noise is no heat."""

SPACING = 0.5
"""Seconds between the readings that are remembered."""


@dataclass(slots=True)
class Heating(Guard):
    """The temperature rises by more than `rate` (K/s) makes in a minute, however fast it got there.

    At rest nothing is said: there is no circuit to open, and a chamber may be on its way.
    """

    rate: float
    readings: int = 2
    _warmth: deque[tuple[float, float]] = field(default_factory=deque)

    def objection(self, look: Look) -> str | None:
        now, warmth = look.reading.time, look.reading.temperature
        if warmth is None:
            return None
        coolest = self._coolest(now, warmth)
        rise, allowed = warmth - coolest, self.rate * WINDOW
        if isinstance(look.setpoint, AtRest) or not rise > allowed:
            return None
        return (
            f"heating: {coolest:.1f} to {warmth:.1f} degC within {WINDOW:g} s, "
            f"a rise of {allowed:.3g} K was allowed"
        )

    def _coolest(self, now: float, warmth: float) -> float:
        if self._warmth and now < self._warmth[-1][0]:  # another timeline
            self._warmth.clear()
        if not self._warmth or now - self._warmth[-1][0] >= SPACING:
            self._warmth.append((now, warmth))
        while now - self._warmth[0][0] > WINDOW:
            self._warmth.popleft()
        return min(warmth for _, warmth in self._warmth) if self._warmth else warmth
