"""A latch: a limit opened a channel's circuit, and nothing closes it until a person has looked."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, NamedTuple

from protocols.reading import Reading


class Latch(NamedTuple):
    """Why a channel is latched, since when (UTC seconds), and the readings before it, oldest first."""

    channel: str
    time: float
    run: str
    reason: str
    readings: Sequence[Sequence[float | int | None]]

    def facts(self) -> Mapping[str, Any]:
        """Return it as plain data."""
        return {
            "since": datetime.fromtimestamp(self.time, UTC).isoformat(),
            "run": self.run,
            "reason": self.reason,
            "readings": [dict(zip(Reading._fields, reading, strict=True)) for reading in self.readings],
        }
