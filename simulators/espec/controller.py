"""What an ESPEC P-300 controller keeps and does, all but the talking."""

from enum import StrEnum

from simulators.cells.base import Cell
from simulators.espec.air import Air, Walls
from simulators.faults.fault import FaultKind
from simulators.faults.terminals import Terminals

LONGEST_STEP = 1.0
"""Seconds lived at once where something may go wrong meanwhile."""

UPPER, LOWER, DOOR, FAILURE = 1, 2, 14, 7
"""Alarm codes; the numbers are not in what was read and stand for themselves [M]."""


class Mode(StrEnum):
    """What the chamber is doing; OFF is the panel asleep."""

    OFF = "OFF"
    STANDBY = "STANDBY"
    CONSTANT = "CONSTANT"


class Controller:
    """Set point, limits, mode, alarms and air. Temperatures in degrees Celsius, times in seconds.

    Air beyond an alarm limit, and a failure, end conditioning; an open door interrupts it. Alarms
    stand for as long as their cause does.
    """

    def __init__(self, cell: Cell, walls: Walls, highest: float = 150.0, lowest: float = -40.0) -> None:
        self.most, self.least = highest, lowest
        self.mode = Mode.STANDBY
        self.set_point = 23.0
        self.high, self.low = highest, lowest
        self.refrigeration = 9
        self.relays: set[int] = set()
        self.keys_locked = False
        self.mask = "00000000"
        self.lived = 0.0
        self.air = Air(walls)
        self._cell = cell
        self._terminals = Terminals(cell)
        self._obeyed = self.set_point

    def live(self, moment: float) -> None:
        """Let what is set act up to `moment`."""
        while (left := moment - self.lived) > 0.0:
            step = min(left, LONGEST_STEP) if self._terminals.faulty else left
            self._live(step)
            self.lived += step

    @property
    def temperature(self) -> float:
        """What the sensor shows."""
        return self._terminals.voltage.shown(self.air.celsius)

    @property
    def alarms(self) -> tuple[int, ...]:
        """The codes that stand now."""
        causes = (
            (UPPER, self.air.celsius > self.high),
            (LOWER, self.air.celsius < self.low),
            (FAILURE, self._happens(FaultKind.FAILURE)),
            (DOOR, self._happens(FaultKind.DOOR)),
        )
        return tuple(code for code, stands in causes if stands)

    @property
    def heater(self) -> float:
        """Percent of its power."""
        if self.mode is not Mode.CONSTANT:
            return 0.0
        return round(min(max(50.0 + 20.0 * (self._obeyed - self.air.celsius), 0.0), 100.0), 1)

    def _live(self, seconds: float) -> None:
        self._cell.drive_current(0.0, seconds)  # nobody drives what lies in the chamber
        if not self._happens(FaultKind.IGNORED):
            self._obeyed = self.set_point
        drift = self._terminals.acting(FaultKind.DRIFTING)
        if self._happens(FaultKind.DOOR):
            self.air.air_out(seconds)
        elif drift is not None:
            self.air.celsius += drift.amount * seconds
        elif self.mode is Mode.CONSTANT:
            self.air.drive(self._obeyed, seconds)
        else:
            self.air.leave(seconds)
        if not self.low <= self.air.celsius <= self.high or self._happens(FaultKind.FAILURE):
            self.mode = Mode.STANDBY if self.mode is Mode.CONSTANT else self.mode

    def _happens(self, kind: FaultKind) -> bool:
        return self._terminals.acting(kind) is not None
