"""What a cell looks like through leads that are not as they should be; meanings as in `Cell`."""

from typing import Any

from simulators.leads import LONGEST_SUBSTEP, Load

OPEN_RESISTANCE = 1e12
"""Ohm: what a lead that is off still conducts."""

ITERATIONS = 30
CLOSE_ENOUGH = 1e-12
"""Amperes."""


class _Wrapped:
    """A load around another, whose state is all there is to remember."""

    def __init__(self, load: Load) -> None:
        self._load = load

    def state(self) -> Any:
        return self._load.state()

    def restore(self, state: Any) -> None:
        self._load.restore(state)


class OpenLead(_Wrapped):
    """A lead is off: next to nothing flows, whatever is asked, and the cell rests."""

    def drive_current(self, amperes: float, seconds: float) -> float:
        self._load.drive_current(0.0, seconds)
        return amperes * OPEN_RESISTANCE

    def drive_voltage(self, volts: float, seconds: float) -> float:
        self._load.drive_current(0.0, seconds)
        return volts / OPEN_RESISTANCE


class ReversedLeads(_Wrapped):
    """Plus at minus: what is meant to charge discharges, and the voltage has the other sign."""

    def drive_current(self, amperes: float, seconds: float) -> float:
        return -self._load.drive_current(-amperes, seconds)

    def drive_voltage(self, volts: float, seconds: float) -> float:
        return -self._load.drive_voltage(-volts, seconds)


class Shunt(_Wrapped):
    """A resistance (ohm) across the cell.

    Exact for voltages. A current is shared out between the two at the start of each substep of at
    most a second, which is exact where the voltage does not change and close where it changes slowly.
    """

    def __init__(self, load: Load, resistance: float) -> None:
        super().__init__(load)
        self._resistance = resistance

    def drive_current(self, amperes: float, seconds: float) -> float:
        while seconds > LONGEST_SUBSTEP:
            self._load.drive_current(self._share(amperes), LONGEST_SUBSTEP)
            seconds -= LONGEST_SUBSTEP
        self._load.drive_current(self._share(amperes), seconds)
        return (amperes - self._share(amperes)) * self._resistance

    def drive_voltage(self, volts: float, seconds: float) -> float:
        return self._load.drive_voltage(volts, seconds) + volts / self._resistance

    def _share(self, amperes: float) -> float:
        """Return the part i of the current that goes through the cell: v(i) = R (I - i), by secants."""
        near, far = 0.0, amperes if amperes else -self._voltage(0.0) / self._resistance
        missed_near, missed_far = self._missed(near, amperes), self._missed(far, amperes)
        for _ in range(ITERATIONS):
            if abs(missed_far) < CLOSE_ENOUGH * self._resistance or missed_far == missed_near:
                break
            near, far = far, far - missed_far * (far - near) / (missed_far - missed_near)
            missed_near, missed_far = missed_far, self._missed(far, amperes)
        return far

    def _missed(self, share: float, amperes: float) -> float:
        return self._voltage(share) - self._resistance * (amperes - share)

    def _voltage(self, amperes: float) -> float:
        before = self._load.state()
        volts = self._load.drive_current(amperes, 0.0)
        self._load.restore(before)
        return volts
