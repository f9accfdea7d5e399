"""A stretch of a run, read from where its readings are: from the table, or from an archive."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Engine, Row, text

from daemon.errors import UnknownError
from daemon.reading.connections import reading
from daemon.reading.results import CYCLE_RANGE, LAST
from daemon.recording.overview import COLUMNS, FACTOR, READ, SIZE, Blocks, blocks_of, extremes
from daemon.recording.parquet_part import Part

MOST_PARTS = 40
"""Parts of an archive that are read for one answer: about half a second."""

Rows = NDArray[np.float64]
"""A row per reading, in the columns of `overview.READ`; NaN where there is no number."""


class Stretch(NamedTuple):
    """The readings of a run from `first` to `last`, both included."""

    first: int
    last: int

    @property
    def readings(self) -> int:
        return max(0, self.last - self.first + 1)


class Numbered(NamedTuple):
    """Blocks, and the number of the first reading of each."""

    numbers: NDArray[np.int64]
    blocks: Blocks


class Source:
    """A run's readings in the table, and its overview."""

    def __init__(self, engine: Engine, run_id: int, whole: Stretch, overview: float) -> None:
        self.whole = whole
        self.overview = overview
        self._engine = engine
        self._run_id = run_id

    @classmethod
    def of(cls, engine: Engine, run: str) -> "Source":
        """Return where a run is; raises `UnknownError` where it is nowhere."""
        rows = _ask(engine, WHOLE_RUN, run=run)
        if not rows:
            raise UnknownError(f"no run {run!r} has been recorded")
        found = rows[0]
        # while the table is emptied into the archive both have some: the archive is whole by then
        archived = found.archived is not None and found.archived >= (found.last or 0)
        whole = Stretch(1, found.archived) if archived else Stretch(found.first or 1, found.last or 0)
        blocks = whole.last // SIZE
        share = min(1.0, ((found.made or 0) // SIZE - (found.missing or 0)) / blocks) if blocks else 1.0
        return (Archive if archived else cls)(engine, found.id, whole, share)

    def number_at(self, moment: float) -> int:
        """Return the number of the first reading at or after a moment: time never goes back."""
        low, high = self.whole.first, self.whole.last + 1
        while low < high:
            middle = (low + high) // 2
            rows = self._rows(NEXT_TIME, number=middle)
            low, high = (middle + 1, high) if rows and rows[0].time < moment else (low, middle)
        return low

    def cycle(self, cycle: int) -> Stretch | None:
        """Return where a cycle is; None where it has not begun."""
        [row] = self._rows(CYCLE_RANGE, cycle=cycle)
        if row.first is None:
            return None
        return Stretch(row.first, min(self.whole.last, (row.following or LAST + 1) - 1))

    def held(self, level: int, first: int, last: int) -> Numbered:
        """Return the overview's blocks of a level from `first` to `last`, as far as they are made."""
        rows = self._rows(HELD, level=level, first=first, last=last) if first <= last else ()
        table = np.array([tuple(row) for row in rows], dtype=np.float64).reshape(-1, 1 + len(COLUMNS))
        return Numbered(table[:, 0].astype(np.int64) * SIZE * FACTOR**level + 1, table[:, 1:])

    def rows(self, stretch: Stretch) -> Rows:
        """Return every reading of a stretch."""
        return _as_rows(self._rows(ROWS, **stretch._asdict()))

    def chosen(self, numbers: Sequence[int]) -> Rows:
        """Return the readings with these numbers."""
        values = {f"n{i}": number for i, number in enumerate(numbers)}
        listed = ", ".join(f":{name}" for name in values)
        return _as_rows(self._rows(CHOSEN.replace("LISTED", listed), **values))

    def extremes(self, stretch: Stretch, width: int) -> Numbered:
        """Return what a block of every `width` readings would say; the database goes through all."""
        return _numbered(self._rows(EXTREMES, width=width, **stretch._asdict()))

    def sampled(self, stretch: Stretch, width: int, sample: int) -> Numbered:
        """Return the same of the first `sample` readings of each `width` only."""
        found = [
            self.extremes(Stretch(first, min(first + sample - 1, stretch.last)), sample)
            for first in range(stretch.first, stretch.last + 1, max(width, sample))
        ]
        return Numbered(np.concatenate([each[0] for each in found]), np.vstack([each[1] for each in found]))

    def _rows(self, query: str, **values: object) -> Sequence[Row[Any]]:
        return _ask(self._engine, query, run_id=self._run_id, **values)


class Archive(Source):
    """A run's readings as Parquet, and its overview."""

    def number_at(self, moment: float) -> int:
        """Look for the part first, then in it."""
        parts = [row.first_reading for row in self._rows(PART_NUMBERS)]
        low, high = 0, len(parts) - 1
        while low < high:
            middle = (low + high) // 2
            low, high = (middle + 1, high) if self._part(parts[middle])[-1, 1] < moment else (low, middle)
        readings = self._part(parts[low])
        return int(parts[low] + np.searchsorted(readings[:, 1], moment))

    def rows(self, stretch: Stretch) -> Rows:
        """Return every reading of a stretch."""
        parts = [self._part(first) for first in self._parts(stretch)]
        readings = np.concatenate(parts) if parts else np.empty((0, 1 + len(READ)))
        return readings[(readings[:, 0] >= stretch.first) & (readings[:, 0] <= stretch.last), 1:]

    def chosen(self, numbers: Sequence[int]) -> Rows:
        """Return the readings with these numbers; where they are of very many parts, those of some."""
        firsts = self._parts(Stretch(numbers[0], numbers[-1]))
        few = firsts[:: -(-len(firsts) // MOST_PARTS)]
        readings = np.concatenate([self._part(first) for first in few])
        return readings[np.isin(readings[:, 0], numbers), 1:]

    def extremes(self, stretch: Stretch, width: int) -> Numbered:
        """Return what a block of every `width` readings would say."""
        rows = self.rows(stretch)
        return Numbered(np.arange(stretch.first, stretch.first + len(rows), width), blocks_of(rows, width))

    def sampled(self, stretch: Stretch, width: int, sample: int) -> Numbered:
        """Return the same of some parts only."""
        firsts = self._parts(stretch)
        found = [
            self.extremes(Stretch(max(first, stretch.first), min(first + width - 1, stretch.last)), width)
            for first in firsts[:: -(-len(firsts) // MOST_PARTS)]
        ]
        return Numbered(np.concatenate([each[0] for each in found]), np.vstack([each[1] for each in found]))

    def _parts(self, stretch: Stretch) -> list[int]:
        return [row.first_reading for row in self._rows(PARTS_OF, **stretch._asdict())]

    def _part(self, first: int) -> NDArray[np.float64]:
        """Return a part's numbers and readings."""
        [row] = self._rows(PART, first=first)
        return Part._make(row).columns("number", *READ)


def _ask(engine: Engine, query: str, **values: object) -> Sequence[Row[Any]]:
    with reading(engine) as connection:
        return connection.execute(text(query), values).all()


def _as_rows(rows: Sequence[Row[Any]]) -> Rows:
    return np.array([tuple(row) for row in rows], dtype=np.float64).reshape(-1, len(READ))


def _numbered(rows: Sequence[Row[Any]]) -> Numbered:
    table = np.array([tuple(row) for row in rows], dtype=np.float64).reshape(-1, 1 + len(COLUMNS))
    return Numbered(table[:, 0].astype(np.int64), table[:, 1:])


WHOLE_RUN = """
SELECT id, (SELECT number FROM readings WHERE run_id = runs.id ORDER BY number LIMIT 1) AS first,
    (SELECT number FROM readings WHERE run_id = runs.id ORDER BY number DESC LIMIT 1) AS last,
    (SELECT max(last_reading) FROM archives WHERE run_id = runs.id) AS archived,
    overviews.reading AS made, missing
FROM runs LEFT JOIN overviews ON overviews.run_id = runs.id WHERE name = :run
"""
NEXT_TIME = "SELECT time FROM readings WHERE run_id = :run_id AND number >= :number ORDER BY number LIMIT 1"
HELD = f"""
SELECT block, {", ".join(COLUMNS)} FROM overview
WHERE run_id = :run_id AND level = :level AND block BETWEEN :first AND :last ORDER BY block
"""  # noqa: S608
ROWS = f"""
SELECT {", ".join(READ)} FROM readings
WHERE run_id = :run_id AND number BETWEEN :first AND :last ORDER BY number
"""  # noqa: S608
CHOSEN = f"""
SELECT {", ".join(READ)} FROM readings WHERE run_id = :run_id AND number IN (LISTED) ORDER BY number
"""  # noqa: S608
EXTREMES = f"""
SELECT min(number) AS number, {extremes(":width")} FROM readings
WHERE run_id = :run_id AND number BETWEEN :first AND :last GROUP BY (number - :first) / :width ORDER BY 1
"""  # noqa: S608
PART_NUMBERS = "SELECT first_reading FROM archives WHERE run_id = :run_id ORDER BY first_reading"
PARTS_OF = """
SELECT first_reading FROM archives
WHERE run_id = :run_id AND last_reading >= :first AND first_reading <= :last ORDER BY first_reading
"""
PART = """
SELECT first_reading, last_reading, digest, content FROM archives
WHERE run_id = :run_id AND first_reading = :first
"""
