"""How much of what was acknowledged a core keeps, until a backup of the results holds it."""

from collections.abc import Iterable

from daemon.channels.bench_file import ChannelEntry
from daemon.delivery.outbox import READING_BYTES

HOURS = 72.0
"""A night's backup may fail, and a weekend may come between."""

LEAST = 64 << 20
SHARE = 0.25  # of the disk


def keep_bytes(channels: Iterable[ChannelEntry], disk: int, hours: float = HOURS) -> int:
    """Return the bytes that so many hours of readings of every channel take, on a disk of that size.

    One reading per sample period is counted; a recording rule makes it less, an end nearby more.
    """
    rate = sum(READING_BYTES / channel.sample for channel in channels)
    return int(min(max(LEAST, rate * 3600.0 * hours), SHARE * disk))
