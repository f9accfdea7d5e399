"""A cell whose leads and surroundings go wrong at the moments they are asked to."""

from collections.abc import Mapping
from typing import Any

from simulators.cells.base import Cell
from simulators.faults.fault import FaultKind
from simulators.faults.loads import OpenLead, ReversedLeads, Shunt
from simulators.faults.schedule import Faults
from simulators.leads import Leads, Load
from simulators.regimes import Driven


class FaultyCell(Cell):
    """Whatever drives it also moves its time on: `lived` seconds since it was put in.

    A drive across the edge of a fault is cut there, so that a fault acts from its moment to its
    moment, however long the stretches are that it is driven for. What it tells of the truth is the cell's.
    """

    def __init__(self, cell: Cell, faults: Faults) -> None:
        self.lived = 0.0
        self._cell = cell
        self.faults = faults

    @property
    def temperature(self) -> float:  # type: ignore[override]
        """The cell's, and what its surroundings have drifted by."""
        drift = self.faults.acting(FaultKind.DRIFTING, self.lived)
        return self._cell.temperature + (drift.amount * (self.lived - drift.begin) if drift else 0.0)

    def insert(self, cell: Cell) -> None:
        """Put another cell where this one was; what is wrong with the leads stays wrong."""
        self._cell = cell

    def rest_until(self, moment: float) -> None:
        """Live on with nothing connected; a moment already lived is no moment."""
        if moment > self.lived:
            self.drive_current(0.0, moment - self.lived)

    def drive_current(self, amperes: float, seconds: float) -> float:
        if not self.faults.lasting:
            self.lived += seconds
            return self._cell.drive_current(amperes, seconds)
        return self._driven(Driven.CURRENT, amperes, seconds)

    def drive_voltage(self, volts: float, seconds: float) -> float:
        if not self.faults.lasting:
            self.lived += seconds
            return self._cell.drive_voltage(volts, seconds)
        return self._driven(Driven.VOLTAGE, volts, seconds)

    def charge_passed(self) -> float:
        return self._cell.charge_passed()

    def impedance(self, frequency: float) -> complex:
        return self._cell.impedance(frequency)

    def state(self) -> Any:
        return self.lived, self._cell.state()

    def restore(self, state: Any) -> None:
        self.lived, inside = state
        self._cell.restore(inside)

    def truth(self) -> Mapping[str, Any]:
        return self._cell.truth()

    def _driven(self, quantity: Driven, value: float, seconds: float) -> float:
        """Drive up to each edge, and from the last one to the end; return what is seen from then on."""
        end = self.lived + seconds
        while self.lived < end and (edge := self.faults.next_edge(self.lived)) <= end:
            self._drive(quantity, value, edge - self.lived)
            self.lived = edge
        other = self._drive(quantity, value, end - self.lived)
        self.lived = end
        return other

    def _drive(self, quantity: Driven, value: float, seconds: float) -> float:
        load = self._load()
        if quantity is Driven.CURRENT:
            return load.drive_current(value, seconds)
        return load.drive_voltage(value, seconds)

    def _load(self) -> Load:
        """Return the cell as it is seen now, from the inside out."""
        load: Load = self._cell
        if fault := self.faults.acting(FaultKind.SHUNT, self.lived):
            load = Shunt(load, fault.amount)
        if fault := self.faults.acting(FaultKind.CONTACT, self.lived):
            load = Leads(load, fault.amount)
        if self.faults.acting(FaultKind.REVERSED, self.lived):
            load = ReversedLeads(load)
        if self.faults.acting(FaultKind.OPEN, self.lived):
            load = OpenLead(load)
        return load
