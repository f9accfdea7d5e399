"""What every simulated cell is: something with two terminals that remembers what was done to it."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any


class Cell(ABC):
    """A cell between two terminals, in SI, current positive when it charges the cell.

    Any `seconds` may be asked for: accuracy does not depend on how a stretch of time is cut up.
    A cell belongs to nobody's clock; whoever drives it says how long.
    """

    temperature: float = 25.0  # degrees Celsius

    @abstractmethod
    def drive_current(self, amperes: float, seconds: float) -> float:
        """Let a constant current flow for `seconds` (0 is allowed); return the voltage at the end."""

    @abstractmethod
    def drive_voltage(self, volts: float, seconds: float) -> float:
        """Hold a voltage for `seconds` (0 gives the instantaneous current); return the current at the end."""

    @abstractmethod
    def charge_passed(self) -> float:
        """Return the net charge that has flowed since the cell was made, in coulombs."""

    @abstractmethod
    def impedance(self, frequency: float) -> complex:
        """Return Z in ohm at the present state, from the same elements as the time domain."""

    @abstractmethod
    def state(self) -> Any:
        """Return everything the cell remembers, to be handed to `restore`."""

    @abstractmethod
    def restore(self, state: Any) -> None:
        """Go back to a remembered state; the same state may be restored many times."""

    @abstractmethod
    def truth(self) -> Mapping[str, Any]:
        """Return what was put in, in SI and as plain data, to hold measurements against."""
