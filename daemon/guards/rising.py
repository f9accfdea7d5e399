"""A held voltage whose current grows again: something else than the cell takes it."""

from collections import deque
from dataclasses import dataclass, field

from daemon.guards.guard import Guard, Look
from daemon.guards.obedience import SMALLEST_CURRENT
from protocols.setpoint import Setpoint, Voltage

AVERAGED = 3
"""Readings whose mean counts as a current: the lowest of single ones would be noise's."""

NOTHING = 0.02
"""Of the largest current of the hold: of a smaller rise one cannot say that it is one."""


@dataclass(slots=True)
class Rising(Guard):
    """The charging current under a held voltage has risen by more than `share` above its lowest.

    A cell that charges takes less and less: more means a soft short, a leak, or an electrolyte that
    comes apart. A discharging current is left alone: nucleation lets it grow.
    """

    share: float
    settle: float
    readings: int = 3
    _held: Setpoint | None = None
    _currents: deque[float] = field(default_factory=lambda: deque(maxlen=AVERAGED))
    _lowest: float = 0.0
    _largest: float = 0.0

    def minds(self, setpoint: Setpoint) -> bool:
        """Whether it looks at all at what happens under this set value."""
        return isinstance(setpoint, Voltage)

    def objection(self, look: Look) -> str | None:
        current = look.reading.current
        if not isinstance(look.setpoint, Voltage) or look.since <= self.settle:
            self._held = None
            return None
        if look.setpoint != self._held:
            self._held, self._largest, self._lowest = look.setpoint, 0.0, float("inf")
            self._currents.clear()
        self._currents.append(current)
        self._largest = max(self._largest, current)
        if len(self._currents) == AVERAGED:
            self._lowest = min(self._lowest, max(0.0, sum(self._currents) / AVERAGED))
        allowed = self._lowest * (1.0 + self.share) + NOTHING * self._largest + SMALLEST_CURRENT
        if not current > allowed:
            return None
        return (
            f"rising current: {current:.4g} A under {look.reading.voltage:.4f} V held, after it had fallen "
            f"to {self._lowest:.4g} A; a soft short, a leak or a side reaction?"
        )
