"""What every technique is: parameters that were checked when it was loaded, and a way through time."""

from abc import ABC, abstractmethod
from collections.abc import Generator
from typing import ClassVar

from simulators.biologic.exits import Then
from simulators.biologic.models import AUTO_RANGE, E_RANGES, Model
from simulators.biologic.parameters import IDENTIFIERS, Parameters, one_of, within
from simulators.biologic.run import Run

Way = Generator[float, None, Then]
"""Yields each moment to which the clock must have come before it goes on; returns what comes after it."""

LONGEST_SECONDS = 1e8


class Technique(ABC):
    """One technique of a channel's list."""

    automatic_range: ClassVar[bool] = True
    """Whether `I_Range` may be automatic: not where a current is controlled."""

    def __init__(self, parameters: Parameters, model: Model) -> None:
        """Check every parameter. Raises `RefusalError`."""
        self.parameters = parameters
        self.model = model
        self.read()

    @property
    def identifier(self) -> int:
        """Its `TechniqueID`."""
        return IDENTIFIERS[self.parameters.technique]

    @abstractmethod
    def read(self) -> None:
        """Read the parameters, which may have been changed while it runs. Raises `RefusalError`."""

    @abstractmethod
    def way(self, run: Run) -> Way:
        """Go through it."""

    def select_ranges(self, run: Run) -> None:
        """Set the ranges it asks for."""
        run.potentiostat.select(self.current_range(), self.voltage_range())

    def current_range(self) -> int:
        """Return `I_Range`, one the board has. Raises `RefusalError`."""
        allowed = list(range(self.model.smallest_range, self.model.largest_range + 1))
        one_of(self.parameters.integer("Bandwidth"), range(1, self.model.largest_bandwidth + 1))
        if self.automatic_range:
            allowed.append(AUTO_RANGE)
        return one_of(self.parameters.integer("I_Range"), allowed)

    def voltage_range(self) -> float:
        """Return the volts of `E_Range`. Raises `RefusalError`."""
        return E_RANGES[one_of(self.parameters.integer("E_Range"), range(len(E_RANGES)))]

    def voltage(self, label: str, index: int = 0) -> float:
        """Return a voltage the board can hold. Raises `RefusalError`."""
        return within(self.parameters.number(label, index), -self.model.volts, self.model.volts)

    def current(self, label: str, index: int = 0) -> float:
        """Return a current the board can drive. Raises `RefusalError`."""
        return within(self.parameters.number(label, index), -self.model.amperes, self.model.amperes)

    def seconds(self, label: str, index: int = 0) -> float:
        """Return a length of time. Raises `RefusalError`."""
        return within(self.parameters.number(label, index), 0.0, LONGEST_SECONDS)
