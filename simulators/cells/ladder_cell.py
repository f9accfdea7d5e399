"""A cell that is nothing but resistors and capacitors."""

from abc import abstractmethod
from collections.abc import Mapping
from functools import cached_property
from typing import Any, NamedTuple

from simulators.cells.base import Cell
from simulators.cells.evolving import check_drive
from simulators.cells.modes import HeldLadder
from simulators.cells.voigt import Ladder, Voltages


class LadderState(NamedTuple):
    """The voltage across each pair, and the net charge passed in coulombs."""

    voltages: Voltages
    charge: float = 0.0


class LadderCell(Cell):
    """A series resistance and a ladder: exact at a constant current and at a constant voltage.

    `offset` is a small open-circuit voltage in volts that nothing changes.
    """

    kind: str

    def __init__(self, variant: str, series: float, ladder: Ladder, offset: float = 0.0) -> None:
        self.variant = variant
        self._series = series
        self._ladder = ladder
        self._offset = offset
        self._state = LadderState(ladder.at_rest)

    @cached_property
    def _modes(self) -> HeldLadder:
        return HeldLadder(self._series, self._ladder)

    def drive_current(self, amperes: float, seconds: float) -> float:
        check_drive("current", amperes, seconds)
        if seconds > 0.0:
            voltages = self._ladder.relaxed(self._state.voltages, amperes, seconds)
            self._state = LadderState(voltages, self._state.charge + amperes * seconds)
        return self._offset + amperes * self._series + sum(self._state.voltages)

    def drive_voltage(self, volts: float, seconds: float) -> float:
        check_drive("voltage", volts, seconds)
        across = volts - self._offset
        if seconds > 0.0:
            held = self._modes.held(self._state.voltages, across, seconds)
            self._state = LadderState(held.voltages, self._state.charge + held.charge)
        return self._modes.current(self._state.voltages, across)

    def charge_passed(self) -> float:
        return self._state.charge

    def state(self) -> LadderState:
        return self._state

    def restore(self, state: LadderState) -> None:
        self._state = state

    @abstractmethod
    def impedance(self, frequency: float) -> complex: ...

    def truth(self) -> Mapping[str, Any]:
        return {"kind": self.kind, "variant": self.variant}
