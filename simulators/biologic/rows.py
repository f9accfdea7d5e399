"""A channel's memory: rows of words in the order they were measured, until somebody takes them."""

import struct
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

WORDS = 1000
"""What one answer holds at most."""

INFOS = struct.Struct("<7idi")
"""TDataInfos, packed to 4."""


class Source(NamedTuple):
    """What rows come from; `start` in seconds since the experiment began."""

    place: int
    identifier: int
    process: int
    loop: int
    start: float
    columns: int


@dataclass(slots=True)
class Stretch:
    """Rows of one source; `skipped` were lost before them."""

    source: Source
    skipped: int = 0
    rows: list[bytes] = field(default_factory=list)


def float_word(value: float) -> bytes:
    """Return a number as a word of data."""
    return struct.pack("<f", value)


def integer_word(value: int) -> bytes:
    """Return a whole number as a word of data."""
    return struct.pack("<I", value & 0xFFFFFFFF)


def time_words(ticks: int) -> bytes:
    """Return a time as the two words it has, the high one first."""
    return struct.pack("<II", ticks >> 32, ticks & 0xFFFFFFFF)


class Memory:
    """Holds `size` bytes. What does not fit is lost and counted, as `IRQskipped` of what comes after."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._stretches: deque[Stretch] = deque()
        self._sent: Stretch | None = None  # the rows of the last answer, not yet known to have arrived
        self._skipped = 0
        self.filled = 0
        self.count = 0

    def clear(self) -> None:
        """Forget everything."""
        self._stretches.clear()
        self._sent, self._skipped, self.filled, self.count = None, 0, 0, 0

    def add(self, source: Source, words: Sequence[bytes]) -> None:
        """Keep a row, if there is room."""
        row = b"".join(words)
        if len(row) != 4 * source.columns:
            raise ValueError(f"{len(row) // 4} words seen, wanted {source.columns}")
        if self.filled + len(row) > self._size:
            self._skipped += 1
            return
        self.filled += len(row)
        self.count += 1
        latest = self._stretches[-1] if self._stretches else None
        if latest is None or latest.source != source or self._skipped:
            latest = Stretch(source, self._skipped)
            self._stretches.append(latest)
            self._skipped = 0
        latest.rows.append(row)

    def next(self) -> tuple[bytes, bytes]:
        """Return TDataInfos and words: the rows of the last answer again unless they were `taken`."""
        if self._sent is None and self._stretches:
            first = self._stretches[0]
            most = WORDS // first.source.columns
            self._sent = Stretch(first.source, first.skipped, first.rows[:most])
            first.skipped, first.rows = 0, first.rows[most:]
            if not first.rows:
                self._stretches.popleft()
        if self._sent is None:
            return INFOS.pack(0, 0, 0, 0, 0, 0, 0, 0.0, 0), b""
        source, rows = self._sent.source, self._sent.rows
        place, identifier, process, loop, start, columns = source
        infos = (self._sent.skipped, len(rows), columns, place, identifier, process, loop, start, 0)
        return INFOS.pack(*infos), b"".join(rows)

    def taken(self) -> None:
        """Note that the last answer arrived."""
        if self._sent is not None:
            self.filled -= sum(map(len, self._sent.rows))
            self.count -= len(self._sent.rows)
            self._sent = None
