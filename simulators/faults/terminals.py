"""The instrument's own output and converters, which may not do what they should."""

import math
from enum import StrEnum
from typing import Generic, TypeVar

from simulators.cells.base import Cell
from simulators.faults.cell import FaultyCell
from simulators.faults.fault import Fault, FaultKind

T = TypeVar("T")


class Quantity(StrEnum):
    """What a converter converts."""

    VOLTAGE = "voltage"
    CURRENT = "current"


class Output(Generic[T]):
    """An output stage that is told what to do, in the instrument's own terms, and mostly does it."""

    def __init__(self, terminals: "Terminals") -> None:
        self._terminals = terminals
        self._does: T | None = None

    def obey(self, wanted: T, opens: bool) -> T:
        """Return what it does from this moment on; `opens` says that it was told to disconnect."""
        if self._does is None or not self._terminals.faulty or not self._refuses(opens):
            self._does = wanted
        return self._does

    def _refuses(self, opens: bool) -> bool:
        acting = self._terminals.acting
        return acting(FaultKind.STUCK) is not None or (not opens and acting(FaultKind.IGNORED) is not None)


class Probe:
    """One converter: what it is shown, and what it makes of it."""

    def __init__(self, terminals: "Terminals", quantity: Quantity) -> None:
        self._terminals = terminals
        self._quantity = quantity
        self._frozen: float | None = None

    def sensed(self, true: float) -> float:
        """Return what reaches the converter."""
        if not self._terminals.faulty:
            return true
        if self._quantity is Quantity.CURRENT:
            return -true if self._terminals.acting(FaultKind.INVERTED) else true
        if self._terminals.acting(FaultKind.OVERLOAD):
            return math.inf
        offset = self._terminals.acting(FaultKind.OFFSET)
        return true + offset.amount if offset else true

    def shown(self, value: float) -> float:
        """Return what it converts it to."""
        if not self._terminals.faulty:
            return value
        if self._terminals.acting(FaultKind.FROZEN) is None:
            self._frozen = None
        elif self._frozen is None:
            self._frozen = value
        return value if self._frozen is None else self._frozen


class Terminals:
    """Where an instrument and its cell meet; sound unless the cell is one that comes with faults."""

    def __init__(self, cell: Cell) -> None:
        self._cell = cell if isinstance(cell, FaultyCell) else None
        self.voltage = Probe(self, Quantity.VOLTAGE)
        self.current = Probe(self, Quantity.CURRENT)

    @property
    def faulty(self) -> bool:
        """Whether anything was ever asked to go wrong."""
        return self._cell is not None and bool(self._cell.faults.lasting)

    def acting(self, kind: FaultKind) -> Fault | None:
        """Return what goes wrong in that way at the moment the cell has come to."""
        if self._cell is None or not self._cell.faults.lasting:
            return None
        return self._cell.faults.acting(kind, self._cell.lived)
