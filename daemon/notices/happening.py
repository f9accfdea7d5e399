"""Something on a channel that somebody should hear of."""

from collections.abc import Mapping
from enum import StrEnum

import msgspec


class Kind(StrEnum):
    """What happened."""

    TRIP = "trip"  # a limit opened the circuit, which stays open until a person has looked
    END = "end"  # a run is over
    STALL = "stall"  # no reading comes any more, or the core itself does not answer
    BACK = "back"  # what stalled is there again
    TEST = "test"


class Happening(msgspec.Struct, frozen=True):
    """It, in words and as data; `at` is UTC seconds. `channel` is None where a whole core is meant."""

    kind: Kind
    at: float
    core: str
    channel: str | None
    run: str | None
    cell: str | None
    text: str

    @property
    def subject(self) -> str:
        """One line for a subject or a screen of a telephone."""
        where = self.channel or f"core {self.core}"
        return f"galvanod {self.kind.value}: {where}" + (f", {self.cell}" if self.cell else "")

    def plain(self) -> Mapping[str, object]:
        """Return it as plain data."""
        found: dict[str, object] = msgspec.to_builtins(self)
        return found
