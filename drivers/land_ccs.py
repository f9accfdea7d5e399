"""LAND's own result file, `.ccs`: a header, then pages of 128 bytes with six records each.

Nothing of it is documented; others have read it (two readers that agree on pages and records). A page
is two numbers, its tag and its channel, and six records of 20 bytes: four floats (volts, microamperes,
and what the step gained since the record before, in microampere-hours and microwatt-hours) and a time
in milliseconds since that record. Whether that time stands before or after the floats is told apart
here by what the bytes can mean. Pages of other tags tell of steps and cycles in ways nobody has read:
one of them means that another step begins. Records of nothing but zeros fill a page up.
"""

import math
import os
import struct
from collections.abc import Iterator, Sequence
from pathlib import Path

from drivers.errors import LinkError
from drivers.land_record import Point, ResultFile

HEADER = 0xA80
PAGE = 128
RECORD = 20
DATA = 0x0603
"""The tag of a page of records."""

TIME_LAST = struct.Struct("<ffffi")
TIME_FIRST = struct.Struct("<iffff")

MICROAMPERE_HOUR = 3600e-6
"""In coulombs; a microwatt-hour in joules as well."""

SMALLEST_CURRENT = 1e-7
"""Amperes; a step with less is a rest."""


class CcsFile(ResultFile):
    """Reads page by page; the last page is read again until it is full or another follows."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._at = HEADER  # of the page to be read next
        self._taken = 0  # of its records
        self._time_first: bool | None = None
        self._step = 0
        self._new_step = True
        self._time = self._began = 0.0
        self._coulombs = self._joules = 0.0

    def read(self) -> Sequence[Point]:
        try:
            with self._path.open("rb") as file:
                # The size first: of what is as long as that, every page but the last was finished
                # before it is read. Read to wherever the end is by then, a page could be seen half
                # full and yet with another behind it.
                size = os.fstat(file.fileno()).st_size
                file.seek(self._at)
                data = file.read(max(0, size - self._at))
        except OSError as error:
            raise LinkError(f"{self._path}: {error.strerror or error}") from error
        return list(self._points(data))

    def _points(self, data: bytes) -> Iterator[Point]:
        for start in range(0, len(data) - 7, PAGE):
            page = data[start : start + PAGE]
            yield from self._of_page(page)
            if len(page) < PAGE or (start + PAGE >= len(data) and self._taken < 6 and _is_data(page)):
                return  # it may still grow
            self._at += PAGE
            self._taken = 0

    def _of_page(self, page: bytes) -> Iterator[Point]:
        if not _is_data(page):
            if self._taken == 0 and any(page[:8]):
                self._new_step = True
            return
        records = [page[at : at + RECORD] for at in range(8 + self._taken * RECORD, len(page), RECORD)]
        for record in records:
            if len(record) < RECORD or not any(record):
                return
            self._taken += 1
            yield self._point(record)

    def _point(self, record: bytes) -> Point:
        if self._time_first is None:
            self._time_first = _begins_with_a_time(record)
        if self._time_first:
            milliseconds, volts, microamperes, charge, energy = TIME_FIRST.unpack(record)
        else:
            volts, microamperes, charge, energy, milliseconds = TIME_LAST.unpack(record)
        if not all(map(math.isfinite, (volts, microamperes, charge, energy))) or milliseconds < 0:
            raise LinkError(f"{self._path}: a record at byte {self._at} that cannot be: {record.hex()}")
        amperes = microamperes * 1e-6
        self._begin(amperes)
        self._time += milliseconds / 1000.0
        sign = math.copysign(1.0, amperes)
        self._coulombs += sign * abs(charge) * MICROAMPERE_HOUR
        self._joules += sign * abs(energy) * MICROAMPERE_HOUR
        return Point(
            self._step,
            self._time,
            self._time - self._began,
            volts,
            amperes,
            self._coulombs,
            self._joules,
            0 if abs(amperes) < SMALLEST_CURRENT else int(sign),
        )

    def _begin(self, amperes: float) -> None:
        if self._new_step:
            self._step += 1
            self._began = self._time
            self._coulombs = self._joules = 0.0
            self._new_step = False


def _is_data(page: bytes) -> bool:
    return len(page) >= 4 and int.from_bytes(page[:4], "little") == DATA


def _begins_with_a_time(record: bytes) -> bool:
    """A few seconds in milliseconds, read as a float, are a number no voltmeter shows: below 1e-30."""
    [as_float] = struct.unpack("<f", record[:4])
    [as_last_float] = struct.unpack("<f", record[16:])
    return abs(as_float) < 1e-30 and not (abs(as_last_float) < 1e-30 and any(record[16:]))
