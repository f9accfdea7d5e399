"""Readings that do not live: the same values again and again, or a clock that stands."""

from dataclasses import dataclass

from daemon.guards.guard import Guard, Look

FLOWING = 1e-6
"""Amperes; at rest a reading may well stay the same."""


@dataclass(frozen=True, slots=True)
class Frozen(Guard):
    """Voltage and current are the same to the last digit while a current flows."""

    readings: int

    def objection(self, look: Look) -> str | None:
        reading, before = look.reading, look.before
        if before is None or not abs(reading.current) >= FLOWING:
            return None
        if (reading.voltage, reading.current) != (before.voltage, before.current):
            return None
        return (
            f"frozen readings: {reading.voltage:.9g} V and {reading.current:.9g} A "
            f"{self.readings + 1} times in a row; a living cell's last digits move"
        )


@dataclass(slots=True)
class StandingClock(Guard):
    """The instrument's time does not pass: what it sends is old, and no step would ever end by time.

    A clock told with few digits stands for a while: what counts is how long the core has waited.
    """

    patience: float
    _waited: float = 0.0

    def objection(self, look: Look) -> str | None:
        if look.before is None or look.interval is None or look.reading.time > look.before.time:
            self._waited = 0.0
            return None
        self._waited += look.interval
        if self._waited > self.patience:
            return f"stale: the instrument's clock stands at {look.reading.time:.9g} s"
        return None


@dataclass(frozen=True, slots=True)
class Late(Guard):
    """More time passed since the reading before than a cell may go unwatched."""

    patience: float

    def objection(self, look: Look) -> str | None:
        if look.before is None or look.interval is None:
            return None
        passed, wanted = look.reading.time - look.before.time, look.interval + self.patience
        if passed > wanted:
            return f"stale: {passed:.3g} s passed without a reading, at most {wanted:.3g} s was wanted"
        return None
