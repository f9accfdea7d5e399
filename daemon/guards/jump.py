"""Voltages that no cell can reach from the reading before."""

from dataclasses import dataclass

from daemon.guards.guard import Guard, Look
from protocols.setpoint import AtRest, Current

CAPACITANCE = 1e-5
"""Farads: half a square centimetre of bare metal. No electrode is charged faster."""

RESISTANCE = 1e3
"""Ohms that the resistance between the sense leads stays below; matters where the current changes."""

STEEPER = 4.0
"""How much faster than just before a voltage may move with its current: an electrode that runs empty
turns up steeply, but it does turn."""

RELAXATION = 0.1
"""Volts per second by which a voltage may move against its current, or without one, until more is known."""


@dataclass(slots=True)
class Jump(Guard):
    """The voltage moved by more than `jump` volts that the current cannot account for.

    Against its current a cell only relaxes, and ever more slowly: however far apart the readings are,
    half a volt is seen. With its current it may go on as it went, and steeper. Where how it went is not
    known yet, or readings in between were left out, it may relax fast, and the smallest capacitance may
    be charged. Under a held voltage there is nothing to judge here.
    """

    jump: float
    _rate: float | None = None  # volts per second before the last reading

    def objection(self, look: Look) -> str | None:
        reading, before = look.reading, look.before
        if before is None or not isinstance(look.setpoint, Current | AtRest):
            self._rate = None
            return None
        seconds = max(0.0, reading.time - before.time)
        moved = reading.voltage - before.voltage
        allowed = self.jump + self._relaxed(look, seconds)
        allowed += RESISTANCE * abs(reading.current - before.current)
        if moved * reading.current > 0.0:
            allowed += self._with_current(look, seconds)
        self._rate = abs(moved) / seconds if seconds else None
        if abs(moved) > allowed:
            return (
                f"implausible jump: voltage {before.voltage:.4f} V to {reading.voltage:.4f} V "
                f"in {seconds:.3g} s at {reading.current:.3g} A, at most {allowed:.3g} V can be explained"
            )
        return None

    def _relaxed(self, look: Look, seconds: float) -> float:
        if self._rate is None or look.interval is None:
            return RELAXATION * seconds
        return min(RELAXATION, STEEPER * self._rate) * seconds

    def _with_current(self, look: Look, seconds: float) -> float:
        if self._rate is None or look.interval is None:
            return abs(look.reading.current) * seconds / CAPACITANCE
        return STEEPER * self._rate * seconds
