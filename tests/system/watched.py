"""Simulated instruments that write down what they said and how far their cell was driven.

They live in the test's own process, so that they outlive any process of the service that is killed.
"""

import re
import time
from collections.abc import Mapping
from typing import Any, ClassVar, NamedTuple

from simulators.cells.base import Cell
from simulators.emstat4 import EmStat4
from simulators.instrument import SimulatedInstrument
from simulators.keithley2450 import Keithley2450


class Said(NamedTuple):
    """One answer to READ?, as a stepped channel asks it, and when it was given by the host's clock."""

    sourced: float
    measured: float
    relative: float
    at: float


class Extremes(NamedTuple):
    """The lowest and the highest voltage a cell has stood at, in volts."""

    low: float = float("inf")
    high: float = float("-inf")

    def with_(self, volts: float) -> "Extremes":
        return Extremes(min(self.low, volts), max(self.high, volts))


class WatchedCell(Cell):
    """A cell with a drag hand, and with the notes of the instrument it is in.

    What an instrument only tried and took back does not move the hand.
    """

    def __init__(self, cell: Cell) -> None:
        self.cell = cell
        self.extremes = Extremes()
        self.said: list[Said] = []
        self.acts: list[float] = []
        self.offs: list[float] = []
        self.temperature = cell.temperature

    def drive_current(self, amperes: float, seconds: float) -> float:
        volts = self.cell.drive_current(amperes, seconds)
        if seconds > 0.0:
            self.extremes = self.extremes.with_(volts)
        return volts

    def drive_voltage(self, volts: float, seconds: float) -> float:
        amperes = self.cell.drive_voltage(volts, seconds)
        if seconds > 0.0:
            self.extremes = self.extremes.with_(volts)
        return amperes

    def charge_passed(self) -> float:
        return self.cell.charge_passed()

    def impedance(self, frequency: float) -> complex:
        return self.cell.impedance(frequency)

    def state(self) -> Any:
        return self.cell.state(), self.extremes

    def restore(self, state: Any) -> None:
        inner, self.extremes = state
        self.cell.restore(inner)

    def truth(self) -> Mapping[str, Any]:
        return self.cell.truth()


_ACT = re.compile(r":OUTP ON|:SOUR:(?:CURR|VOLT) -?[\d.]*[1-9]")
"""What drives a cell: closing the output, or a level that is not zero."""


class WatchedKeithley(Keithley2450):
    """Notes with its cell every answer to READ?, everything that drives it (UTC), and when it is opened."""

    notes: ClassVar[WatchedCell]

    async def answer(self, line: str) -> str | None:
        if _ACT.search(line):
            self.notes.acts.append(time.time())
        if ":OUTP OFF" in line:
            self.notes.offs.append(time.monotonic())
        answer = await super().answer(line)
        if answer is not None and ":READ?" in line:
            [reading] = [part.split(",") for part in answer.split(";") if part.count(",") == 2]
            sourced, measured, relative = map(float, reading)
            self.notes.said.append(Said(sourced, measured, relative, time.monotonic()))
        return answer


def watched(driver: str, cell: WatchedCell) -> type[SimulatedInstrument]:
    """Return the instrument that notes with this cell; a potentiostat's cell only moves its hand."""
    if driver == "emstat4":
        return EmStat4
    return type("WatchedKeithley", (WatchedKeithley,), {"notes": cell})
