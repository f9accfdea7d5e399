"""How full the core's disk is: warned of, then no new runs, then runs at rest, before it is full."""

import shutil
from enum import IntEnum
from pathlib import Path
from typing import NamedTuple


class Room(IntEnum):
    """What may still be done with what is left of a disk, the least room last."""

    ENOUGH = 0
    LITTLE = 1  # said to people
    NO_NEW_RUNS = 2
    REST = 3  # runs are paused, their circuits open, so that what they counted can still be kept


class Mark(NamedTuple):
    """Less than this share of the disk is that little room, and never more than so many bytes."""

    share: float
    most: int


MARKS = {
    Room.LITTLE: Mark(0.10, 4 << 30),
    Room.NO_NEW_RUNS: Mark(0.05, 1 << 30),
    Room.REST: Mark(0.02, 256 << 20),
}
"""A disk of a terabyte is not full with fifty gigabytes left."""


class Space(NamedTuple):
    """A disk: bytes in all, and bytes left to us."""

    total: int
    free: int

    @property
    def room(self) -> Room:
        """How much room that is."""
        return max(room for room in Room if self._is(room))

    def __str__(self) -> str:
        return f"{self.free / 1e6:.0f} MB of {self.total / 1e9:.3g} GB are left"

    def _is(self, room: Room) -> bool:
        mark = MARKS.get(room)
        return mark is None or self.free < min(mark.share * self.total, mark.most)


def space(folder: Path) -> Space:
    """Return how much space there is where the folder is. Raises OSError."""
    usage = shutil.disk_usage(folder)
    return Space(usage.total, usage.free)
