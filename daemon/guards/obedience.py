"""Set values that do not arrive: wrong sign, or outside a band around what was set."""

from dataclasses import dataclass

from daemon.guards.guard import AT_ONCE, Guard, Look
from protocols.reading import Flags
from protocols.setpoint import AtRest, Current, Voltage

SMALLEST_CURRENT = 1e-7
"""Amperes that any instrument may be off by, however little was set."""

REST_SHARE = 0.005
"""Of the window's largest current: a source keeps its range at rest, and its offset with it."""

CONTRARY = 0.1
"""Of the set current: flowing against it, this is no offset."""


@dataclass(frozen=True, slots=True)
class WrongSign(Guard):
    """A current flows against the one that was set: leads crossed, or a command misunderstood."""

    def objection(self, look: Look) -> str | None:
        if not isinstance(look.setpoint, Current) or look.since < AT_ONCE:
            return None
        wanted, seen = look.setpoint.amperes, look.reading.current
        if seen * wanted < 0.0 and abs(seen) > CONTRARY * abs(wanted) + SMALLEST_CURRENT:
            return f"wrong sign of current: {seen:.4g} A flows, {wanted:.4g} A was set"
        return None


@dataclass(frozen=True, slots=True)
class Disobedience(Guard):
    """The set value was given time to settle and is still not there."""

    settle: float
    current_band: float
    voltage_band: float
    rest_band: float
    readings: int = 2

    def objection(self, look: Look) -> str | None:
        reading = look.reading
        if look.since < self.settle or reading.flags & Flags.CLAMPED:
            return None
        match look.setpoint:
            case Current(wanted):
                band = self.current_band * abs(wanted) + SMALLEST_CURRENT
                return _missed("current", reading.current, wanted, band, "A")
            case AtRest():
                return _missed("current", reading.current, 0.0, self.rest_band + SMALLEST_CURRENT, "A")
            case Voltage(wanted):
                band = self.voltage_band * (1.0 + abs(wanted))
                return _missed("voltage", reading.voltage, wanted, band, "V")
        return None


def _missed(name: str, seen: float, wanted: float, band: float, unit: str) -> str | None:
    if abs(seen - wanted) > band:
        return f"set point not obeyed: {name} {seen:.6g} {unit}, {wanted:.6g} ± {band:.2g} {unit} was set"
    return None
