"""Which rows become readings: those the step's record asks for, the first and the last."""

from collections.abc import Sequence

from protocols.reading import Reading
from protocols.recording import Recording

TICKS = 1e-4
"""Seconds by which a row may come early, for its time counts in ticks of the instrument."""


class Thinning:
    """A channel records more rows than it was asked for, so that the last one tells why a step ended.

    Readings are never further apart than was asked: where the next row would be too late, the one
    before it is kept as well.
    """

    def __init__(self, record: Recording) -> None:
        self._record = record
        self._kept: tuple[float, Reading] | None = None
        self._pending: tuple[float, Reading] | None = None

    @property
    def pending(self) -> Reading | None:
        """The latest row if it was not kept: it is kept after all where it is the last."""
        return None if self._pending is None else self._pending[1]

    def kept(self, time: float, reading: Reading) -> Sequence[Reading]:
        """Return what is to be kept now that there is a row at this step time."""
        row, found = (time, reading), []
        late = self._kept is not None and time > self._record.next_moment(self._kept[0]) + TICKS
        if late and self._pending is not None:
            self._kept = self._pending
            found.append(self._pending[1])
        if self._kept is None or self._record.keeps(*self._kept, time + TICKS, reading):
            self._kept, self._pending = row, None
            found.append(reading)
        else:
            self._pending = row
        return found
