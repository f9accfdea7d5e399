"""The resistance that shows where a current changes: leads, contacts, and what of a cell answers at once."""

import math
from dataclasses import dataclass, field
from typing import NamedTuple

from daemon.guards.guard import Look
from protocols.errors import GuardError
from protocols.lab import with_prefix
from protocols.reading import Reading
from protocols.setpoint import AtRest, Current

SMALLEST_CHANGE = 1e-5
"""Amperes; a smaller change turns the noise of a voltmeter into ohms."""

SOON = 0.25
"""Seconds after the change: later a cell has begun to polarise."""

BEFORE = 5.0
"""Seconds by which the reading before may be older; what a current does to a cell meanwhile is little."""

ANOTHER = 1.5
"""A resistance that differs by this factor from the last one is another, and worth a note."""


class Resistance(NamedTuple):
    """What showed at one change of current, in ohms and amperes."""

    ohms: float
    before: float
    after: float

    def __str__(self) -> str:
        before, after = (with_prefix(float(f"{each:.4g}"), "A") for each in (self.before, self.after))
        return f"{self.ohms:.3g} ohm at the change from {before} to {after}"


@dataclass(slots=True)
class Contacts:
    """Measures at the first reading of every step. `limit` is the largest resistance allowed, in ohms."""

    limit: float | None
    _last: Reading | None = None
    _known: dict[tuple[int, int], float] = field(default_factory=dict)

    def rested(self, reading: Reading) -> None:
        """Remember a look at the cell at rest that belongs to no step."""
        self._last = reading

    def look(self, look: Look) -> Resistance | None:
        """Return the resistance where it is news; raise `GuardError` where it is too large."""
        found = self._shown(look) if look.before is None else None
        # under a held voltage the current is what answers: it would tell of the cell, not of the leads
        self._last = look.reading if isinstance(look.setpoint, Current | AtRest) else None
        if found is None:
            return None
        if self.limit is not None and not found.ohms <= self.limit:
            raise GuardError(f"contact resistance: {found}, at most {self.limit:.3g} ohm was wanted")
        return found if self._is_news(found) else None

    def _shown(self, look: Look) -> Resistance | None:
        now, before = look.reading, self._last
        if before is None or not isinstance(look.setpoint, Current | AtRest) or not look.since <= SOON:
            return None
        if not 0.0 <= now.time - before.time <= BEFORE + SOON:
            return None
        change = now.current - before.current
        if not abs(change) >= SMALLEST_CHANGE:
            return None
        return Resistance(abs((now.voltage - before.voltage) / change), before.current, now.current)

    def _is_news(self, found: Resistance) -> bool:
        """Whether it is the first between these directions of current, or another than the last."""
        directions = (_direction(found.before), _direction(found.after))
        known = self._known.get(directions)
        if known is not None and max(known, found.ohms) <= ANOTHER * max(min(known, found.ohms), 1e-3):
            return False
        self._known[directions] = found.ohms
        return True


def _direction(current: float) -> int:
    return 0 if abs(current) < SMALLEST_CHANGE else int(math.copysign(1.0, current))
