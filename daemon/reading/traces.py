"""The traces of a run for a screen: at most a few thousand rows of a hundred million.

A stretch of the run is a range of reading numbers, found by the primary key. A short one is read
whole and thinned; of a longer one the overview knows the extremes, and only what is not in it yet is
read from the readings. Where that would be too much for somebody who waits, it is looked at in
samples, which says so.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Engine

from daemon.errors import UnknownError
from daemon.reading.stretches import Numbered, Source, Stretch
from daemon.reading.thinning import kept
from daemon.recording.overview import COLUMNS, FACTOR, LEVELS, QUANTITIES, SIZE

WHOLE = 40_000
"""Readings that are read one by one."""

PATIENCE = 400_000
"""Readings outside the overview that are gone through while somebody waits: about half a second."""

QUESTIONS = 300
"""Questions to the database about blocks, however many holes a damaged run has."""

SAMPLE = 64
"""Readings looked at per stretch where there are too many."""


@dataclass(frozen=True, slots=True)
class Trace:
    """Rows of a run as columns, SI, in the order they were read.

    `basis` is "every reading", "extremes" (of each stretch: lowest and highest), "samples" (some
    readings of each stretch: a spike between them is not seen) or "some readings" (evenly chosen).
    `overview` is the share of the run of which the recorder has made the overview.
    """

    run: str
    basis: str
    readings: int  # in this stretch of the run
    first: int
    last: int
    overview: float
    time: Sequence[float]
    voltage: Sequence[float | None]
    current: Sequence[float | None]
    capacity: Sequence[float | None]
    temperature: Sequence[float | None]
    step: Sequence[int]
    cycle: Sequence[int]

    @classmethod
    def empty(cls, run: str) -> "Trace":
        """Return that of a run of which nothing is recorded yet."""
        return cls(run, "every reading", 0, 1, 0, 1.0, [], [], [], [], [], [], [])


class Traces:
    """Reads traces by primary-key ranges; every method may take its time and belongs in a thread."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def of_time(self, run: str, start: float | None, end: float | None, points: int) -> Trace:
        """Return the run between two moments, in seconds since it began."""
        source = Source.of(self._engine, run)
        whole = source.whole
        first = whole.first if start is None else source.number_at(start)
        last = whole.last if end is None else source.number_at(end)
        stretch = Stretch(max(whole.first, first - 1), min(whole.last, last))
        if stretch.readings <= WHOLE:
            return _thin(run, source, stretch, points)
        return _extremes(run, source, stretch, points)

    def of_cycle(self, run: str, cycle: int, points: int) -> Trace:
        """Return one cycle, in rows that belong together: no row is made of two."""
        source = Source.of(self._engine, run)
        stretch = source.cycle(cycle)
        if stretch is None:
            raise UnknownError(f"run {run} has no cycle {cycle} yet")
        if stretch.readings <= WHOLE:
            return _thin(run, source, stretch, points)
        numbers = np.linspace(stretch.first, stretch.last, points).astype(int).tolist()
        return _trace(run, "some readings", source, stretch, source.chosen(numbers))


def _thin(run: str, source: Source, stretch: Stretch, points: int) -> Trace:
    rows = source.rows(stretch)
    basis = "every reading" if len(rows) <= points else "extremes"
    shown = rows[kept([rows[:, READ_VOLTAGE], rows[:, READ_CURRENT]], points)]
    return _trace(run, basis, source, stretch, shown)


def _extremes(run: str, source: Source, stretch: Stretch, points: int) -> Trace:
    """Return the extremes of up to `points / 2` stretches of one length."""
    width = -(-stretch.readings // (points // 2))
    level = max(level for level in range(LEVELS) if level == 0 or SIZE * FACTOR**level <= width)
    pieces = _Pieces(source, width)
    found = list(pieces.over(level, stretch))
    numbers, blocks = (
        np.concatenate([each.numbers for each in found]),
        np.vstack([each.blocks for each in found]),
    )
    rows = _pairs(_joined((numbers - stretch.first) // width, blocks))
    return _trace(run, "samples" if pieces.sampled else "extremes", source, stretch, rows)


class _Pieces:
    """Puts a stretch together of the largest blocks there are."""

    def __init__(self, source: Source, width: int) -> None:
        self.sampled = False
        self._source = source
        self._width = width
        self._patience = PATIENCE
        self._questions = 0

    def over(self, level: int, stretch: Stretch) -> Iterator[Numbered]:
        """Yield blocks of this level where there are any, of lower ones or of readings elsewhere."""
        if stretch.readings <= 0:
            return
        self._questions += 1
        if level < 0 or self._questions > QUESTIONS:
            yield self._of_readings(stretch)
            return
        size = SIZE * FACTOR**level
        held = self._source.held(level, (stretch.first - 2) // size + 1, stretch.last // size - 1)
        at = stretch.first
        for piece in _consecutive(held, size):
            begins, ends = int(piece.numbers[0]), int(piece.numbers[-1]) + size - 1
            yield from self.over(level - 1, Stretch(at, begins - 1))
            yield piece
            at = ends + 1
        yield from self.over(level - 1, Stretch(at, stretch.last))

    def _of_readings(self, stretch: Stretch) -> Numbered:
        if stretch.readings <= self._patience:
            self._patience -= stretch.readings
            return self._source.extremes(stretch, self._width)
        self.sampled = True
        return self._source.sampled(stretch, self._width, SAMPLE)


def _consecutive(held: Numbered, size: int) -> Iterator[Numbered]:
    """Yield blocks that follow one another, together."""
    if not len(held.numbers):
        return
    breaks = np.flatnonzero(np.diff(held.numbers) != size) + 1
    for numbers, blocks in zip(np.split(held.numbers, breaks), np.split(held.blocks, breaks), strict=True):
        yield Numbered(numbers, blocks)


def _joined(stretches: NDArray[np.int64], blocks: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return one row for the blocks of each stretch; both are in order."""
    starts = np.flatnonzero(np.diff(stretches, prepend=-1))
    columns = []
    for name, column in zip(COLUMNS, blocks.T, strict=True):
        if name.startswith(("lowest", "highest")):
            edge = np.fmin if name.startswith("lowest") else np.fmax
            columns.append(edge.reduceat(column, starts))
        elif name.startswith("last") or name == "ends":
            columns.append(np.maximum.reduceat(column, starts))
        else:
            columns.append(column[starts])
    return np.column_stack(columns)


def _pairs(blocks: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return two rows per block, in the columns of readings: where it rises its lowest first."""
    begins, ends, first_step, last_step, first_cycle, last_cycle, *edges = blocks.T
    earlier, later = [begins, first_step, first_cycle], [ends, last_step, last_cycle]
    for i in range(len(QUANTITIES)):
        low, high, first = edges[3 * i : 3 * i + 3]
        falls = first - low > high - first
        earlier.append(np.where(falls, high, low))
        later.append(np.where(falls, low, high))
    rows = np.empty((2 * len(blocks), len(earlier)))
    rows[0::2], rows[1::2] = np.column_stack(earlier), np.column_stack(later)
    return rows


READ_VOLTAGE, READ_CURRENT = 3, 4
"""Where they are in a row of `overview.READ`."""


def _trace(run: str, basis: str, source: Source, stretch: Stretch, rows: NDArray[np.float64]) -> Trace:
    time, step, cycle, voltage, current, capacity, temperature = rows.T
    return Trace(
        run=run,
        basis=basis,
        readings=stretch.readings,
        first=stretch.first,
        last=stretch.last,
        overview=source.overview,
        time=time.tolist(),
        voltage=_plain(voltage),
        current=_plain(current),
        capacity=_plain(capacity),
        temperature=_plain(temperature),
        step=step.astype(int).tolist(),
        cycle=cycle.astype(int).tolist(),
    )


def _plain(quantity: NDArray[np.float64]) -> list[float | None]:
    return [None if math.isnan(value) else value for value in quantity.tolist()]
