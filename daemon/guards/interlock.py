"""Things beside the channel that may forbid a current: a chamber, its door, a smoke detector."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass

from daemon.guards.guard import Guard, Look


class Interlock(ABC):
    """Something that watches, by a task of its own, and remembers what it saw last.

    Asked at every reading of the channels it guards, so it answers from memory. News too old to be
    believed are an objection too.
    """

    name: str

    @abstractmethod
    def objection(self) -> str | None:
        """Return why no current may flow, or None. Does not wait."""


@dataclass(frozen=True, slots=True)
class Interlocked(Guard):
    """None of the interlocks objects."""

    interlocks: Sequence[Interlock]

    def objection(self, look: Look) -> str | None:
        return self.any_objection()

    def any_objection(self) -> str | None:
        """Return the first interlock's objection, or None."""
        for interlock in self.interlocks:
            objection = interlock.objection()
            if objection is not None:
                return f"interlock {interlock.name}: {objection}"
        return None
