"""How a channel drives its cell through one step, whatever it is made to look at."""

import math
from abc import ABC, abstractmethod
from typing import Any, NamedTuple

from simulators.cells.base import Cell
from simulators.neware.step_file import Kind, Step
from simulators.regimes import Source, voltage_source

POWER_STEP = 1.0
"""Seconds for which a constant power is driven as one constant current."""


class Seen(NamedTuple):
    """Volts and amperes at the terminals, current positive when it charges the cell."""

    volts: float
    amperes: float


class Drive(ABC):
    """Drives a cell and sees it at the end; `restore` undoes what was lived since a `state`."""

    def __init__(self, cell: Cell) -> None:
        self._cell = cell
        self.seen = self.live(0.0)

    @abstractmethod
    def live(self, seconds: float) -> Seen:
        """Live for so long; return what is seen then."""

    def state(self) -> Any:
        return self._cell.state()

    def restore(self, state: Any) -> None:
        self._cell.restore(state)


class ConstantCurrent(Drive):
    """A current, or none."""

    def __init__(self, cell: Cell, amperes: float) -> None:
        self._amperes = amperes
        super().__init__(cell)

    def live(self, seconds: float) -> Seen:
        return Seen(self._cell.drive_current(self._amperes, seconds), self._amperes)


class ConstantPower(Drive):
    """Watts, positive into the cell."""

    def __init__(self, cell: Cell, watts: float) -> None:
        self._watts = watts
        super().__init__(cell)

    def live(self, seconds: float) -> Seen:
        volts = self._cell.drive_current(0.0, 0.0)
        amperes = self._watts / volts if volts else 0.0
        while seconds > 0.0:
            stride = min(seconds, POWER_STEP)
            volts = self._cell.drive_current(amperes, stride)
            amperes = self._watts / volts if volts else 0.0
            seconds -= stride
        return Seen(self._cell.drive_current(amperes, 0.0), amperes)


class HeldVoltage(Drive):
    """A voltage, with no more than a current spent on it."""

    def __init__(self, cell: Cell, volts: float, amperes: float) -> None:
        self._source = Source(cell)
        self._source.apply(cell, voltage_source(volts, amperes))
        super().__init__(cell)

    def live(self, seconds: float) -> Seen:
        self._source.live(seconds)
        return Seen(*self._source.look())

    def state(self) -> Any:
        return self._cell.state(), self._source.regime

    def restore(self, state: Any) -> None:
        inside, self._source.regime = state
        self._cell.restore(inside)


def drive_of(step: Step, cell: Cell, full: float) -> Drive:
    """Return what a step does to a cell; `full` is the most amperes the channel can give."""
    match step.kind:
        case Kind.CHARGE | Kind.DISCHARGE:
            return ConstantCurrent(cell, math.copysign(step.amperes, step.kind.sign))
        case Kind.POWER_CHARGE | Kind.POWER_DISCHARGE:
            return ConstantPower(cell, math.copysign(step.watts, step.kind.sign))
        case Kind.HOLD_CHARGING | Kind.HOLD_DISCHARGING:
            return HeldVoltage(cell, step.volts, min(step.amperes, full))
    return ConstantCurrent(cell, 0.0)
