"""What opens the circuit when nobody is there any more."""

from dataclasses import dataclass, replace
from enum import StrEnum


class DeadmanKind(StrEnum):
    """Where the dead-man of an instrument lives."""

    INSTRUMENT = "instrument"  # it opens the circuit unless it is told to go on
    AUTONOMOUS = "autonomous"  # it ends each step by itself, by cut-offs and a ceiling of its own
    NONE = "none"  # it goes on for ever


@dataclass(frozen=True, slots=True)
class Deadman:
    """How an instrument ends by itself what we began.

    `seconds` is the time after our last word at which the circuit is open at the latest; None
    where only the step itself bounds it, or nothing does.
    """

    kind: DeadmanKind = DeadmanKind.NONE
    seconds: float | None = None

    @property
    def longest_interval(self) -> float | None:
        """Seconds that may pass between two readings: two may be lost before the circuit opens."""
        return None if self.seconds is None else self.seconds / 3.0

    def at_least(self, seconds: float) -> "Deadman":
        """Return the same dead-man with at least this time, where it has one."""
        return self if self.seconds is None else replace(self, seconds=max(self.seconds, seconds))

    def __str__(self) -> str:
        return self.kind.value if self.seconds is None else f"{self.kind.value}, {self.seconds:g} s"
