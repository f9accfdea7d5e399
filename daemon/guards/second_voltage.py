"""A second voltmeter at the cell, to hold the first one against."""

from abc import ABC, abstractmethod
from dataclasses import dataclass

from daemon.guards.guard import Guard, Look


class SecondVoltage(ABC):
    """An auxiliary voltage input wired to the same cell, read by a task of its own."""

    @abstractmethod
    def volts(self) -> float | None:
        """Return its latest voltage; None if there is none fresh enough. Does not wait."""


@dataclass(frozen=True, slots=True)
class Disagreement(Guard):
    """Both voltmeters see the same cell; one that is silent is one that disagrees."""

    second: SecondVoltage
    band: float
    readings: int = 2

    def objection(self, look: Look) -> str | None:
        seen = self.second.volts()
        if seen is None:
            return "the second voltmeter gives no reading"
        if not abs(look.reading.voltage - seen) <= self.band:  # written so that NaN disagrees
            return (
                f"voltmeters disagree: {look.reading.voltage:.4f} V and {seen:.4f} V, "
                f"at most {self.band:.3g} V apart was wanted"
            )
        return None
