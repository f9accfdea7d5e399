"""The wires between an instrument's terminals and a cell: what two-wire sensing sees and drives."""

from typing import Any, Protocol

LONGEST_SUBSTEP = 1.0
"""Seconds a cell's voltage is held while the current through the leads is taken as constant."""

ITERATIONS = 20
CLOSE_ENOUGH = 1e-9
"""Volts."""


class Load(Protocol):
    """What a source drives: a cell, or a cell behind its leads. Meanings as in `Cell`."""

    def drive_current(self, amperes: float, seconds: float) -> float: ...

    def drive_voltage(self, volts: float, seconds: float) -> float: ...

    def state(self) -> Any: ...

    def restore(self, state: Any) -> None: ...


class Leads:
    """A cell seen through a series resistance (ohm, both leads and contacts together).

    Exact for currents. A voltage at the terminals is turned into a cell voltage at the start of
    each substep, which is exact where the current does not change and close where it changes slowly.
    """

    def __init__(self, cell: Load, resistance: float) -> None:
        self._cell = cell
        self._resistance = resistance

    def drive_current(self, amperes: float, seconds: float) -> float:
        return self._cell.drive_current(amperes, seconds) + amperes * self._resistance

    def drive_voltage(self, volts: float, seconds: float) -> float:
        if not self._resistance:
            return self._cell.drive_voltage(volts, seconds)
        while seconds > LONGEST_SUBSTEP:
            self._cell.drive_voltage(self._behind_leads(volts), LONGEST_SUBSTEP)
            seconds -= LONGEST_SUBSTEP
        self._cell.drive_voltage(self._behind_leads(volts), seconds)
        return (volts - self._behind_leads(volts)) / self._resistance

    def state(self) -> Any:
        return self._cell.state()

    def restore(self, state: Any) -> None:
        self._cell.restore(state)

    def _behind_leads(self, volts: float) -> float:
        """Return the cell voltage u at which u + R i(u) is `volts` now, by the secant method."""
        near, far = volts, volts - self._resistance * self._current(volts)
        missed_near, missed_far = near - far, self._missed(volts, far)
        for _ in range(ITERATIONS):
            if abs(missed_far) < CLOSE_ENOUGH or missed_far == missed_near:
                break
            near, far = far, far - missed_far * (far - near) / (missed_far - missed_near)
            missed_near, missed_far = missed_far, self._missed(volts, far)
        return far

    def _missed(self, volts: float, inside: float) -> float:
        return inside + self._resistance * self._current(inside) - volts

    def _current(self, volts: float) -> float:
        before = self._cell.state()
        amperes = self._cell.drive_voltage(volts, 0.0)
        self._cell.restore(before)
        return amperes
