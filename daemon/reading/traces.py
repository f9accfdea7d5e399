"""The traces of a run for a screen: at most a few thousand rows of a hundred million.

A stretch of the run is a range of reading numbers, found by the primary key. A short one is read
whole and thinned, a longer one is summarised by the database itself, and one that would take too
long for somebody who waits is looked at in samples, which says so.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from sqlalchemy import Engine, Row, text
from sqlalchemy.exc import DBAPIError

from daemon.errors import DamagedError, UnavailableError, UnknownError
from daemon.reading.results import CYCLE_RANGE, LAST, Results
from daemon.reading.thinning import kept
from daemon.recording.database import is_damage
from daemon.recording.parquet_part import SIZE

WHOLE = 60_000
"""Readings that are read one by one."""

SUMMARISED = 1_500_000
"""Readings the database may go through while somebody waits: about half a second."""

MOST_PARTS = 40
"""Parts of an archive that are read: about half a second."""

SAMPLES = 64
"""Readings looked at per stretch where there are too many."""


@dataclass(frozen=True, slots=True)
class Trace:
    """Rows of a run as columns, SI, in the order they were read.

    `basis` is "every reading", "extremes" (of each stretch: lowest and highest), "samples" (some
    readings of each stretch: a spike between them is not seen) or "some readings" (evenly chosen).
    """

    run: str
    basis: str
    readings: int  # in this stretch of the run
    first: int
    last: int
    time: Sequence[float]
    voltage: Sequence[float | None]
    current: Sequence[float | None]
    capacity: Sequence[float | None]
    temperature: Sequence[float | None]
    step: Sequence[int]
    cycle: Sequence[int]


class Stretch(NamedTuple):
    """The readings of a run from `first` to `last`, both included."""

    run_id: int
    first: int
    last: int
    archived: bool = False

    @property
    def readings(self) -> int:
        return max(0, self.last - self.first + 1)

    @property
    def numbers(self) -> dict[str, int]:
        """The stretch as a query takes it."""
        return {"run_id": self.run_id, "first": self.first, "last": self.last}


class Traces:
    """Reads traces by primary-key ranges; every method may take its time and belongs in a thread."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._results = Results(engine)

    def of_time(self, run: str, start: float | None, end: float | None, points: int) -> Trace:
        """Return the run between two moments, in seconds since it began."""
        whole = self._whole(run)
        if whole.archived:
            return self._archived(run, whole, start, end, points)
        first = whole.first if start is None else self._number_at(whole, start)
        last = whole.last if end is None else self._number_at(whole, end)
        return self._thinned(run, whole._replace(first=max(whole.first, first - 1), last=last), points)

    def of_cycle(self, run: str, cycle: int, points: int) -> Trace:
        """Return one cycle, in rows that belong together: no row is made of two."""
        whole = self._whole(run)
        row = self._rows(CYCLE_RANGE, run_id=whole.run_id, cycle=cycle)[0]
        if row.first is None:
            raise UnknownError(f"run {run} has no cycle {cycle} yet")
        stretch = whole._replace(first=row.first, last=min(whole.last, (row.following or LAST + 1) - 1))
        if whole.archived:
            return self._thin(run, stretch, self._of_archive(run, stretch), points)
        if stretch.readings <= WHOLE:
            return self._thinned(run, stretch, points)
        return self._chosen(run, stretch, points)

    def _thinned(self, run: str, stretch: Stretch, points: int) -> Trace:
        if stretch.readings <= WHOLE:
            return self._thin(run, stretch, self._rows(ROWS, **stretch.numbers), points)
        if stretch.readings <= SUMMARISED:
            width = -(-stretch.readings // (points // 2 - 1))
            return _trace(
                run, "extremes", stretch, _pairs(self._rows(EXTREMES, width=width, **stretch.numbers))
            )
        return self._sampled(run, stretch, points)

    def _thin(
        self, run: str, stretch: Stretch, rows: Sequence[Sequence[Any]], points: int, whole: bool = True
    ) -> Trace:
        traces = [np.array([row[i] for row in rows], dtype=np.float64) for i in (1, 2)]
        chosen = kept(traces, points) if rows else ()
        basis = "every reading" if len(rows) <= points else "extremes"
        return _trace(run, basis if whole else "samples", stretch, [rows[i] for i in chosen])

    def _archived(
        self, run: str, whole: Stretch, start: float | None, end: float | None, points: int
    ) -> Trace:
        """Return an archived run: its parts are read one by one, of a very long run some of them."""
        stretch = whole
        if start is not None:
            stretch = stretch._replace(first=max(1, self._archived_at(run, whole, start) - 1))
        if end is not None:
            stretch = stretch._replace(last=min(whole.last, self._archived_at(run, whole, end)))
        parts = np.arange(stretch.first, stretch.last + 1, SIZE)
        chosen = parts if len(parts) <= MOST_PARTS else parts[:: -(-len(parts) // MOST_PARTS)]
        each = max(20, points // max(1, len(chosen)))
        rows: list[Sequence[Any]] = []
        for first in chosen.tolist():
            part = stretch._replace(first=first, last=min(stretch.last, first + SIZE - 1))
            rows += self._thin_rows(self._of_archive(run, part), each)
        return self._thin(run, stretch, rows, points, len(chosen) == len(parts))

    def _thin_rows(self, rows: Sequence[Sequence[Any]], points: int) -> list[Sequence[Any]]:
        traces = [np.array([row[i] for row in rows], dtype=np.float64) for i in (1, 2)]
        return [rows[i] for i in kept(traces, points)] if rows else []

    def _of_archive(self, run: str, stretch: Stretch) -> list[Sequence[Any]]:
        readings = self._results.readings(run, after=stretch.first - 1, limit=stretch.readings)
        return [(r.time, r.voltage, r.current, r.capacity, r.temperature, r.step, r.cycle) for r in readings]

    def _archived_at(self, run: str, whole: Stretch, moment: float) -> int:
        low, high = whole.first, whole.last + 1
        while low < high:
            middle = (low + high) // 2
            found = self._results.readings(run, after=middle - 1, limit=1)
            low, high = (middle + 1, high) if found and found[0].time < moment else (low, middle)
        return low

    def _chosen(self, run: str, stretch: Stretch, points: int) -> Trace:
        numbers = np.linspace(stretch.first, stretch.last, points).astype(int).tolist()
        return _trace(run, "some readings", stretch, self._numbered(stretch, numbers))

    def _sampled(self, run: str, stretch: Stretch, points: int) -> Trace:
        """Look at the first readings of each stretch, and keep the extremes of what was seen."""
        stretches = points // 4
        begins = np.linspace(stretch.first, stretch.last - SAMPLES, stretches).astype(int)
        rows: list[Any] = []
        for first in begins.tolist():
            part = self._rows(ROWS, run_id=stretch.run_id, first=first, last=first + SAMPLES - 1)
            rows += _extreme_rows(part)
        return _trace(run, "samples", stretch, rows)

    def _numbered(self, stretch: Stretch, numbers: Sequence[int]) -> Sequence[Row[Any]]:
        values = {f"n{i}": number for i, number in enumerate(numbers)}
        listed = ", ".join(f":{name}" for name in values)
        return self._rows(CHOSEN.replace("LISTED", listed), run_id=stretch.run_id, **values)

    def _whole(self, run: str) -> Stretch:
        rows = self._rows(WHOLE_RUN, run=run)
        if not rows:
            raise UnknownError(f"no run {run!r} has been recorded")
        found = rows[0]
        if found.last is None and found.archived is not None:
            return Stretch(found.id, 1, found.archived, archived=True)
        return Stretch(found.id, found.first or 1, found.last or 0)

    def _number_at(self, whole: Stretch, moment: float) -> int:
        """Return the number of the first reading at or after a moment: time never goes back."""
        low, high = whole.first, whole.last + 1
        while low < high:
            middle = (low + high) // 2
            rows = self._rows(NEXT_TIME, run_id=whole.run_id, number=middle)
            if rows and rows[0].time < moment:
                low = middle + 1
            else:
                high = middle
        return low

    def _rows(self, query: str, **values: object) -> Sequence[Row[Any]]:
        try:
            with self._engine.connect() as connection:
                return connection.execute(text(query), values).all()
        except DBAPIError as error:
            if is_damage(error.orig):
                raise DamagedError(f"results database: {error.orig}") from error
            raise UnavailableError(f"results database: {error.orig}") from error


WHOLE_RUN = """
SELECT id, (SELECT number FROM readings WHERE run_id = runs.id ORDER BY number LIMIT 1) AS first,
    (SELECT number FROM readings WHERE run_id = runs.id ORDER BY number DESC LIMIT 1) AS last,
    (SELECT max(last_reading) FROM archives WHERE run_id = runs.id) AS archived
FROM runs WHERE name = :run
"""
NEXT_TIME = "SELECT time FROM readings WHERE run_id = :run_id AND number >= :number ORDER BY number LIMIT 1"
ROWS = """
SELECT time, voltage, current, capacity, temperature, step, cycle FROM readings
WHERE run_id = :run_id AND number BETWEEN :first AND :last ORDER BY number
"""
CHOSEN = """
SELECT time, voltage, current, capacity, temperature, step, cycle FROM readings
WHERE run_id = :run_id AND number IN (LISTED) ORDER BY number
"""
EXTREMES = """
SELECT min(time) AS begins, max(time) AS ends, min(voltage) AS low_voltage, max(voltage) AS high_voltage,
    min(current) AS low_current, max(current) AS high_current, min(capacity) AS low_capacity,
    max(capacity) AS high_capacity, min(temperature) AS low_temperature, max(temperature) AS high_temperature,
    min(step) AS low_step, max(step) AS high_step, min(cycle) AS low_cycle, max(cycle) AS high_cycle
FROM readings WHERE run_id = :run_id AND number BETWEEN :first AND :last
GROUP BY (number - :first) / :width ORDER BY 1
"""


def _pairs(rows: Sequence[Row[Any]]) -> list[Sequence[Any]]:
    """Return two rows per stretch, its lowest values and its highest."""
    found: list[Sequence[Any]] = []
    for row in rows:
        begins, ends, *edges = tuple(row)
        found.append((begins, *edges[0::2]))
        found.append((ends, *edges[1::2]))
    return found


def _extreme_rows(rows: Sequence[Row[Any]]) -> list[Row[Any]]:
    if len(rows) <= 4:
        return list(rows)
    traces = [np.array([row[i] for row in rows], dtype=np.float64) for i in (1, 2)]
    found = {int(pick(trace)) for trace in traces for pick in (_lowest, _highest)}
    return [rows[i] for i in sorted(found)]


def _lowest(trace: np.ndarray) -> int:
    return int(np.nan_to_num(trace, nan=np.inf).argmin())


def _highest(trace: np.ndarray) -> int:
    return int(np.nan_to_num(trace, nan=-np.inf).argmax())


def _trace(run: str, basis: str, stretch: Stretch, rows: Sequence[Sequence[Any]]) -> Trace:
    columns = [list(column) for column in zip(*rows, strict=True)] if rows else [[] for _ in range(7)]
    return Trace(run, basis, stretch.readings, stretch.first, stretch.last, *columns)
