"""Whether the wall clock can be believed: it labels what is recorded, and nothing else hangs on it."""

from datetime import UTC, datetime

EARLIEST = datetime(2025, 1, 1, tzinfo=UTC)
"""Before this no version of galvanod ran: a clock that shows less has lost its battery."""

LATEST = datetime(2100, 1, 1, tzinfo=UTC)


def doubt(now: datetime) -> str | None:
    """Return why a moment cannot be the present one, or None."""
    if EARLIEST <= now < LATEST:
        return None
    return f"the clock of this computer says {now:%Y-%m-%d %H:%M} UTC; is its battery empty?"
