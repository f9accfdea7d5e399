"""A lead that came off: no current where one is set, or where a held voltage should drive one."""

from dataclasses import dataclass

from daemon.guards.guard import AT_ONCE, Guard, Look
from protocols.reading import Flags
from protocols.setpoint import Current, Voltage

HARDLY = 0.2
"""Of the set current: less than this is none."""

SMALLEST_SET = 1e-8
"""Amperes; of less one cannot tell whether it flows."""

DRIVING = 0.02
"""Volts between the held voltage and the open-circuit voltage that make any cell take a current."""

COLLAPSE = 1000.0
"""No cell lets its current fall by this factor from one reading to the next once it has settled."""


@dataclass(frozen=True, slots=True)
class Clamped(Guard):
    """The instrument's clamp, beyond every end, holds the voltage of a set current."""

    def objection(self, look: Look) -> str | None:
        if not isinstance(look.setpoint, Current) or not look.reading.flags & Flags.CLAMPED:
            return None
        return (
            f"open lead or empty cell: the clamp holds {look.reading.voltage:.4f} V, "
            f"{look.reading.current:.4g} A of {look.setpoint.amperes:.4g} A flow"
        )


@dataclass(frozen=True, slots=True)
class OpenUnderCurrent(Guard):
    """Hardly any of a set current flows."""

    def objection(self, look: Look) -> str | None:
        if not isinstance(look.setpoint, Current) or look.since < AT_ONCE:
            return None
        wanted, seen = look.setpoint.amperes, look.reading.current
        if abs(wanted) > SMALLEST_SET and abs(seen) < HARDLY * abs(wanted):
            return (
                f"open lead: {seen:.4g} A flow where {wanted:.4g} A was set, "
                f"voltage {look.reading.voltage:.4f} V"
            )
        return None


@dataclass(frozen=True, slots=True)
class NoCurrentAtFirst(Guard):
    """A held voltage drives no current from its beginning on, though the cell stood at another voltage.

    Only the beginning tells: later in a hold, no current may mean that the cell has arrived. The first
    reading tells already, or a hold that ends when its current is small would be over.
    """

    lead_current: float
    settle: float

    def objection(self, look: Look) -> str | None:
        if not isinstance(look.setpoint, Voltage) or look.open_circuit is None or look.since > self.settle:
            return None
        driving = abs(look.setpoint.volts - look.open_circuit) > DRIVING
        return _nothing_flows(look, self.lead_current) if driving else None


@dataclass(frozen=True, slots=True)
class CurrentCollapsed(Guard):
    """The current under a held voltage is gone from one reading to the next."""

    lead_current: float
    settle: float

    def objection(self, look: Look) -> str | None:
        if not isinstance(look.setpoint, Voltage) or look.before is None or look.since <= self.settle:
            return None
        flowed = abs(look.before.current) > COLLAPSE * self.lead_current
        return _nothing_flows(look, self.lead_current) if flowed else None


def _nothing_flows(look: Look, lead_current: float) -> str | None:
    seen, voltage = look.reading.current, look.reading.voltage
    if abs(seen) <= lead_current:
        return (
            f"open lead: {seen:.2g} A flow under {voltage:.4f} V, more than {lead_current:.2g} A was wanted"
        )
    return None
