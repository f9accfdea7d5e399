"""The results: what is read from the database, by page, report, export and figures."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import astuple, dataclass
from itertools import islice
from typing import Any, NamedTuple, Self

from sqlalchemy import Engine, Row, text

from daemon.errors import ConfigurationError, UnknownError
from daemon.migrations import HEAD
from daemon.reading.connections import reading
from daemon.recording.database import open_database
from daemon.recording.parquet_part import Part

PAGE = 10_000
LAST = 2**31 - 1


@dataclass(frozen=True, slots=True)
class RunRecord:
    """A run. What its start says is None until the start has arrived; times are seconds, moments UTC."""

    name: str
    core: str | None
    channel: str | None
    state: str
    reason: str | None
    started: str | None
    ended: str | None
    duration: float | None
    simulated: bool | None
    cell: str | None
    cell_facts: Mapping[str, Any]
    protocol: str | None
    protocol_digest: str | None
    protocol_canonical: str | None
    protocol_source: str | None
    driver: str | None
    instrument: Mapping[str, str]
    variables: Mapping[str, str]
    limits: Mapping[str, Any]
    figures: Sequence[str]
    versions: Mapping[str, str]
    labels: Mapping[str, str]
    accuracy: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class StepRecord:
    """A step; capacity (coulomb) and energy (joule) carry the sign of the current."""

    ordinal: int
    path: str | None
    line: int | None
    verb: str | None
    setting: str | None
    set_value: float | None
    cycle: int | None
    rounds: Sequence[int]
    marks: Sequence[str]
    open_circuit_voltage: float | None
    started: float | None
    ended: float | None
    reason: str | None
    duration: float | None
    capacity: float | None
    energy: float | None
    first_reading: int | None
    last_reading: int | None
    start_voltage: float | None
    end_voltage: float | None
    mean_voltage: float | None
    own_capacity: float | None


@dataclass(frozen=True, slots=True)
class CycleRecord:
    """A cycle as `summaries.CycleSummary` explains it: coulomb, joule, volt, fractions."""

    cycle: int
    first_reading: int | None
    last_reading: int | None
    duration: float | None
    charge_capacity: float | None
    discharge_capacity: float | None
    charge_energy: float | None
    discharge_energy: float | None
    mean_charge_voltage: float | None
    mean_discharge_voltage: float | None
    hysteresis: float | None
    coulombic_efficiency: float | None
    energy_efficiency: float | None
    pairing: str | None
    charge_time: float | None
    discharge_time: float | None
    charge_end_voltage: float | None
    discharge_end_voltage: float | None
    disagreement: float | None


@dataclass(frozen=True, slots=True)
class FigureRecord:
    """A figure of merit, SI; `value` is None where it could not be had and a warning says why."""

    name: str
    cycle: int | None
    step: int | None
    mark: str | None
    value: float | None
    unit: str
    uncertainty: float | None
    method: str
    detail: Mapping[str, Any]
    warnings: Sequence[str]


@dataclass(frozen=True, slots=True)
class EventRecord:
    """Something noted during a run; `time` in seconds since it began."""

    ordinal: int
    time: float
    kind: str
    text: str
    detail: Mapping[str, Any]


class ReadingRecord(NamedTuple):
    """One reading, SI; None where the instrument gave no number."""

    number: int
    time: float
    step: int
    cycle: int
    voltage: float | None
    current: float | None
    capacity: float | None
    energy: float | None
    temperature: float | None
    flags: int

    def is_of(self, cycle: int | None, step: int | None) -> bool:
        """Whether it is of that cycle and that step; None stands for any."""
        return cycle in (None, self.cycle) and step in (None, self.step)


class ImpedanceRecord(NamedTuple):
    """One point of a spectrum, hertz and ohm."""

    number: int
    time: float
    step: int
    cycle: int
    frequency: float | None
    real: float | None
    imaginary: float | None
    flags: int


@dataclass(frozen=True, slots=True)
class Counts:
    """How many readings a run numbered (or, while it runs, its highest number) and how many are stored."""

    expected: int
    stored: int

    @property
    def missing(self) -> int:
        """How many are not stored."""
        return self.expected - self.stored


class Results:
    """Reads a results database, by primary-key ranges only: cost does not grow with other runs.

    Methods naming a run raise `UnknownError` where there is none, and all raise
    `UnavailableError` where the database does not answer.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._latest_part: tuple[int, int, list[tuple[Any, ...]]] = (0, 0, [])

    @property
    def engine(self) -> Engine:
        """The connections it reads by, for whoever reads the same database in another way."""
        return self._engine

    @classmethod
    def open(cls, url: str) -> Self:
        """Open for reading; raises `UnavailableError` where nothing was ever recorded there.

        `ConfigurationError` for a database of an earlier or a later galvanod: the recorder alone changes it.
        """
        results = cls(open_database(url, write=False))
        try:
            results._require_revision()
        except BaseException:
            results.close()
            raise
        return results

    def _require_revision(self) -> None:
        [found] = [row.version_num for row in self._rows("SELECT version_num FROM alembic_version")]
        if found < HEAD:
            raise ConfigurationError(
                f"the results database is at revision {found}, this galvanod reads {HEAD}: "
                "start its recorder (`galvanod record` or `up`) once, which brings it up to date"
            )
        if found > HEAD:
            raise ConfigurationError(
                f"the results database is at revision {found}, this galvanod reads {HEAD}: it was written by "
                "a later one"
            )

    def close(self) -> None:
        """Close every connection."""
        self._engine.dispose()

    def runs(self) -> list[RunRecord]:
        """Return every run, the latest started first."""
        return [_run(row) for row in self._rows(f"{RUN} ORDER BY runs.started DESC, runs.id DESC")]

    def has(self, run: str) -> bool:
        """Whether anything is recorded of a run."""
        return bool(self._rows("SELECT 1 FROM runs WHERE name = :run", run=run))

    def run(self, name: str) -> RunRecord:
        """Return one run."""
        rows = self._rows(f"{RUN} WHERE runs.name = :name", name=name)
        if not rows:
            raise _unknown(name)
        return _run(rows[0])

    def steps(self, run: str) -> list[StepRecord]:
        """Return the steps that have begun, in the order they ran."""
        rows = self._of_run(run, STEPS)
        return [StepRecord(**_decoded(row, "rounds", "marks")) for row in rows]

    def cycles(self, run: str) -> list[CycleRecord]:
        """Return the cycles that have begun; 0 is what came before the first."""
        return [CycleRecord(**row._mapping) for row in self._of_run(run, CYCLES)]

    def figures(self, run: str) -> list[FigureRecord]:
        """Return the figures of merit made so far."""
        return [FigureRecord(**_decoded(row, "detail", "warnings")) for row in self._of_run(run, FIGURES)]

    def events(self, run: str) -> list[EventRecord]:
        """Return what was noted, oldest first."""
        return [EventRecord(**_decoded(row, "detail")) for row in self._of_run(run, EVENTS)]

    def readings(
        self, run: str, cycle: int | None = None, step: int | None = None, after: int = 0, limit: int = PAGE
    ) -> list[ReadingRecord]:
        """Return up to `limit` readings numbered above `after`, of the whole run, a cycle or a step."""
        run_id = self._run_id(run)
        first, last = self._range(run_id, cycle, step)
        wanted = {"run_id": run_id, "first": max(first, after + 1), "last": last}
        with reading(self._engine) as connection:  # the table first: what is not there then is in the archive
            values = {**wanted, "cycle": cycle, "step": step, "limit": limit}
            rows = connection.execute(text(READINGS), values).all()
            parts = connection.execute(text(PARTS), wanted).scalars().all()
        if not parts:
            return [ReadingRecord._make(row) for row in rows]
        archived = self._archived(run_id, parts, max(first, after + 1))
        kept = (row for row in archived if row.number <= last and row.is_of(cycle, step))
        return list(islice(kept, limit))

    def _archived(self, run_id: int, parts: Sequence[int], first: int) -> Iterator[ReadingRecord]:
        """Yield the readings of an archived run from `first` on, part by part."""
        for begins in parts:
            for row in self._part(run_id, begins):
                if row[0] >= first:
                    yield ReadingRecord._make(row)

    def _part(self, run_id: int, begins: int) -> list[tuple[Any, ...]]:
        """Return one part of an archive; the last one read is kept, as pages are smaller."""
        latest = self._latest_part  # one reference: other threads may read other parts
        if latest[:2] != (run_id, begins):
            part = Part._make(self._rows(PART, run_id=run_id, first=begins)[0])
            self._latest_part = latest = (run_id, begins, part.readings())
        return latest[2]

    def is_archived(self, run: str) -> bool:
        """Whether the run's readings are kept as Parquet."""
        return bool(self._of_run(run, PARTS, first=1, last=LAST))

    def impedance(self, run: str, step: int | None = None) -> list[ImpedanceRecord]:
        """Return the points of every spectrum of the run, or of one step's."""
        return [ImpedanceRecord._make(row) for row in self._of_run(run, IMPEDANCE, step=step)]

    def counts(self, run: str) -> Counts:
        """Count the readings; takes as long as the run is long."""
        row = self._of_run(run, COUNTS)[0]
        if self.is_archived(run):
            return Counts(row.expected, row.expected)  # only whole runs are
        return Counts(row.expected if row.expected is not None else row.highest or 0, row.stored)

    def all_figured(self, runs: Sequence[str]) -> bool:
        """Whether each of these runs has ended and its figures cover its end."""
        rows = self._rows("SELECT name FROM runs WHERE ended IS NOT NULL AND figured = 'end'")
        return set(runs) <= {row[0] for row in rows}

    def gaps(self, run: str, limit: int = 100) -> list[tuple[int, int]]:
        """Return the first and last number of each stretch that is missing; scans the run."""
        expected, stored = astuple(self.counts(run))
        if expected == stored:
            return []
        rows = self._of_run(run, GAPS, beyond=expected + 1, limit=limit)
        return [(row.before + 1, row.number - 1) for row in rows]

    def _run_id(self, run: str) -> int:
        rows = self._rows("SELECT id FROM runs WHERE name = :run", run=run)
        if not rows:
            raise _unknown(run)
        return int(rows[0][0])

    def _range(self, run_id: int, cycle: int | None, step: int | None) -> tuple[int, int]:
        """Return the numbers between which the cycle's or the step's readings lie.

        A cycle ends before the next begins, a step before the next step's first reading: so both
        can be read while they run. Where nothing is known yet there is no bound, only a filter.
        """
        first, last = 1, LAST
        if cycle is not None:
            row = self._rows(CYCLE_RANGE, run_id=run_id, cycle=cycle)[0]
            first, last = row.first or first, (row.following or LAST + 1) - 1
        if step is not None:
            row = self._rows(STEP_RANGE, run_id=run_id, step=step)[0]
            first = max(first, row.first or (row.earlier or 0) + 1)
            last = min(last, row.last or (row.following or LAST + 1) - 1)
        return first, last

    def _of_run(self, run: str, query: str, **values: object) -> Sequence[Row[Any]]:
        return self._rows(query, run_id=self._run_id(run), **values)

    def _rows(self, query: str, **values: object) -> Sequence[Row[Any]]:
        with reading(self._engine) as connection:
            return connection.execute(text(query), values).all()


RUN = """
SELECT runs.name, core, channel, state, reason, started, ended, duration, simulated,
    cells.name AS cell, cells.facts AS cell_facts, protocols.name AS protocol,
    protocols.digest AS protocol_digest, canonical AS protocol_canonical, protocol_source,
    driver, maker, model, serial, firmware, address, variables, limits, figures, versions, labels, accuracy
FROM runs LEFT JOIN cells ON cells.id = cell_id LEFT JOIN protocols ON protocols.id = protocol_id
LEFT JOIN instruments ON instruments.id = instrument_id
"""
STEPS = """
SELECT ordinal, path, line, verb, setting, set_value, cycle, rounds, marks, open_circuit_voltage,
    started, ended, reason, duration, capacity, energy, first_reading, last_reading,
    start_voltage, end_voltage, mean_voltage, own_capacity
FROM steps WHERE run_id = :run_id ORDER BY ordinal
"""
CYCLES = """
SELECT cycle, first_reading, last_reading, duration, charge_capacity, discharge_capacity, charge_energy,
    discharge_energy, mean_charge_voltage, mean_discharge_voltage, hysteresis, coulombic_efficiency,
    energy_efficiency, pairing, charge_time, discharge_time, charge_end_voltage, discharge_end_voltage,
    disagreement
FROM cycles WHERE run_id = :run_id ORDER BY cycle
"""
FIGURES = """
SELECT name, cycle, step, mark, value, unit, uncertainty, method, detail, warnings
FROM figures WHERE run_id = :run_id ORDER BY position
"""
EVENTS = "SELECT ordinal, time, kind, text, detail FROM events WHERE run_id = :run_id ORDER BY ordinal"
READINGS = """
SELECT number, time, step, cycle, voltage, current, capacity, energy, temperature, flags FROM readings
WHERE run_id = :run_id AND number BETWEEN :first AND :last
    AND cycle = COALESCE(:cycle, cycle) AND step = COALESCE(:step, step)
ORDER BY number LIMIT :limit
"""
PARTS = """
SELECT first_reading FROM archives
WHERE run_id = :run_id AND first_reading <= :last AND last_reading >= :first
    AND (SELECT sum(last_reading - first_reading + 1) FROM archives WHERE run_id = :run_id)
        = (SELECT readings FROM runs WHERE id = :run_id)
ORDER BY first_reading
"""
PART = """
SELECT first_reading, last_reading, digest, content FROM archives
WHERE run_id = :run_id AND first_reading = :first
"""
IMPEDANCE = """
SELECT number, time, step, cycle, frequency, real, imaginary, flags FROM impedance
WHERE run_id = :run_id AND step = COALESCE(:step, step) ORDER BY number
"""
COUNTS = """
SELECT (SELECT readings FROM runs WHERE id = :run_id) AS expected, count(*) AS stored, max(number) AS highest
FROM readings WHERE run_id = :run_id
"""
GAPS = """
SELECT before, number FROM (
    SELECT lag(number, 1, 0) OVER (ORDER BY number) AS before, number FROM (
        SELECT number FROM readings WHERE run_id = :run_id UNION ALL SELECT :beyond
    ) AS numbers
) AS pairs WHERE number - before > 1 ORDER BY number LIMIT :limit
"""
CYCLE_RANGE = """
SELECT (SELECT first_reading FROM cycles WHERE run_id = :run_id AND cycle = :cycle) AS first,
    (SELECT first_reading FROM cycles WHERE run_id = :run_id AND cycle > :cycle
        AND first_reading IS NOT NULL ORDER BY cycle LIMIT 1) AS following
"""
STEP_RANGE = """
SELECT (SELECT first_reading FROM steps WHERE run_id = :run_id AND ordinal = :step) AS first,
    (SELECT last_reading FROM steps WHERE run_id = :run_id AND ordinal = :step) AS last,
    (SELECT last_reading FROM steps WHERE run_id = :run_id AND ordinal < :step
        AND last_reading IS NOT NULL ORDER BY ordinal DESC LIMIT 1) AS earlier,
    (SELECT first_reading FROM steps WHERE run_id = :run_id AND ordinal > :step
        AND first_reading IS NOT NULL ORDER BY ordinal LIMIT 1) AS following
"""


def _run(row: Row[Any]) -> RunRecord:
    values = _decoded(row, "cell_facts", "variables", "limits", "figures", "versions", "labels", "accuracy")
    said = {name: values.pop(name) for name in ("maker", "model", "serial", "firmware", "address")}
    instrument = {name: value for name, value in said.items() if value is not None}
    simulated = None if row.simulated is None else bool(row.simulated)
    return RunRecord(**(values | {"instrument": instrument, "simulated": simulated}))


def _decoded(row: Row[Any], *names: str) -> dict[str, Any]:
    """Return the row with its JSON columns decoded; an empty one is an empty list or mapping."""
    values = dict(row._mapping)
    for name in names:
        empty = "[]" if name in ("rounds", "marks", "figures", "warnings") else "{}"
        values[name] = json.loads(values[name] or empty)
    return values


def _unknown(run: str) -> UnknownError:
    return UnknownError(f"no run {run!r} has been recorded")
