"""Voltages that no cell can reach from the reading before."""

from dataclasses import dataclass

from daemon.guards.guard import Guard, Look
from protocols.setpoint import AtRest, Current

CAPACITANCE = 1e-5
"""Farads: half a square centimetre of bare metal. No electrode is charged faster, however empty."""

RESISTANCE = 1e3
"""Ohms that the resistance between the sense leads stays below; matters where the current changes."""

RELAXATION = 0.1
"""Volts per second by which a voltage may move against its current, or without one."""


@dataclass(frozen=True, slots=True)
class Jump(Guard):
    """The voltage moved by more than `jump` volts that the current cannot account for.

    With the current the smallest capacitance may be charged, against it a cell only relaxes. Under a
    held voltage there is nothing to judge here.
    """

    jump: float

    def objection(self, look: Look) -> str | None:
        reading, before = look.reading, look.before
        if before is None or not isinstance(look.setpoint, Current | AtRest):
            return None
        seconds = max(0.0, reading.time - before.time)
        moved = reading.voltage - before.voltage
        allowed = self.jump + RELAXATION * seconds + RESISTANCE * abs(reading.current - before.current)
        if moved * reading.current > 0.0:
            allowed += abs(reading.current) * seconds / CAPACITANCE
        if abs(moved) > allowed:
            return (
                f"implausible jump: voltage {before.voltage:.4f} V to {reading.voltage:.4f} V "
                f"in {seconds:.3g} s at {reading.current:.3g} A, at most {allowed:.3g} V can be explained"
            )
        return None
