"""One transaction of the store: batches turned into rows."""

import hashlib
import json
import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from functools import lru_cache
from itertools import chain
from operator import itemgetter
from types import MappingProxyType
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection, CursorResult

from daemon.delivery.messages import (
    Batch,
    ImpedancePoints,
    Item,
    Noted,
    Readings,
    RunEnded,
    RunStarted,
    ScanReadings,
    StepEnded,
    StepStarted,
)
from daemon.recording import labels
from daemon.recording.bulk import Row, insert_new
from daemon.recording.summaries import CycleSummary, Pairing, StepTotals, pairing_of, summarise

# Columns in the order in which a row is quickest put together: its key, then what came as one.
READINGS = (
    *("run_id", "number", "step", "cycle"),
    *("time", "voltage", "current", "capacity", "energy", "temperature", "flags"),
)
PLAIN = {"temperature": "NULL", "flags": "0"}
SCANNED = tuple(name for name in READINGS if name not in PLAIN)
"""What a scan says of a reading; the rest is the same for all."""

IMPEDANCE = ("run_id", "number", "step", "cycle", "time", "frequency", "real", "imaginary", "flags")
STEP_KEY = ("run_id", "ordinal")
STEP_STARTED = (
    *("path", "line", "verb", "setting", "set_value", "cycle", "rounds", "marks"),
    *("open_circuit_voltage", "started"),
)
STEP_ENDED = (
    *("ended", "reason", "duration", "capacity", "energy", "first_reading", "last_reading"),
    *("start_voltage", "end_voltage", "mean_voltage", "own_capacity"),
)
_RUN = itemgetter(0)
"""Rows go in run by run, so that each page is touched once."""

GROUPS = 1000
"""Of runs scanned together that are remembered at most."""

# Their ordinals first, by the index: asked in one go, SQLite walks through every step of the run.
STEPS_OF_CYCLE = """
SELECT verb, ended IS NOT NULL AS ended, duration, capacity, energy, first_reading, last_reading,
    end_voltage, own_capacity
FROM steps WHERE run_id = :run_id
    AND ordinal IN (SELECT ordinal FROM steps WHERE run_id = :run_id AND cycle = :cycle)
ORDER BY ordinal
"""

INSTRUMENT = ("maker", "model", "serial", "firmware", "address")


class Ending(NamedTuple):
    """A step that ended, or with no ordinal the run itself."""

    run: str
    step: int | None


Group = tuple[int, int, Readings | ImpedancePoints]
"""The id of a run, the number of its first row, and the rows."""


class ScanGroup(NamedTuple):
    """Runs that are scanned together: their ids, the cycle each is in, and a reading from which it was."""

    ids: Sequence[int]
    cycles: Sequence[int]
    since: NDArray[np.int64]


@dataclass(slots=True)
class Memory:
    """What need not be asked of the database again; forgotten when a transaction fails."""

    runs: dict[str, int] = field(default_factory=dict)
    pairings: dict[int, Pairing] = field(default_factory=dict)
    cycles: dict[int, tuple[int, int]] = field(
        default_factory=dict
    )  # run → latest cycle and its first reading

    scans: dict[tuple[str, ...], ScanGroup] = field(default_factory=dict)

    def forget(self) -> None:
        """Forget everything."""
        self.scans.clear()
        self.runs.clear()
        self.pairings.clear()
        self.cycles.clear()


class Ingest:
    """Takes batches in any order, any number of times; the tables come out the same.

    Names spliced into SQL are the tables' own column names; everything that came over the wire
    is a bound parameter.
    """

    def __init__(self, connection: Connection, memory: Memory) -> None:
        self._connection = connection
        self._memory = memory
        self._readings: list[Group] = []
        self._scans: list[tuple[ScanGroup, ScanReadings]] = []
        self._impedance: list[Group] = []
        self._steps: set[tuple[int, int]] = set()
        self._cycles: set[tuple[int, int]] = set()
        self.endings: list[Ending] = []

    def take(self, batches: Sequence[Batch]) -> None:
        """Write everything the batches hold, and the cycles it touches."""
        self._have_alone(batches)
        for batch in batches:
            for item in batch.items:
                self._take(batch, item)
        self._insert("readings", READINGS, sorted(table_rows(self._readings), key=_RUN))
        if self._scans:
            self._insert("readings", SCANNED, sorted(scan_rows(self._scans), key=_RUN), PLAIN)
        self._insert("impedance", IMPEDANCE, sorted(table_rows(self._impedance), key=_RUN))
        self._summarise()

    def _have_alone(self, batches: Sequence[Batch]) -> None:
        """Let another recorder wait that has news of the same runs, until this transaction is over.

        A cycle is summed up from steps of which each of the two would see only its own. Readings alone
        need nobody to wait, and SQLite has one writer at a time as it is.
        """
        if self._connection.dialect.name == "sqlite":
            return
        cores = {run: batch.core for batch in batches for item in batch.items for run in self._news_of(item)}
        ids = [self._run_id(run, core) for run, core in sorted(cores.items())]
        for run_id in sorted(ids):
            self._query("SELECT id FROM runs WHERE id = :run_id FOR UPDATE", run_id=run_id)

    def _news_of(self, item: Item) -> Sequence[str]:
        """Return the runs of which the item has more to say than readings of a cycle that is known."""
        match item:
            case ScanReadings():
                return [
                    run
                    for run, cycle in zip(item.runs, item.cycles, strict=False)
                    if not self._knows(run, cycle)
                ]
            case Readings():
                return () if self._knows(item.run, item.cycle) else (item.run,)
            case ImpedancePoints():
                return ()
        return (item.run,)

    def _knows(self, run: str, cycle: int) -> bool:
        run_id = self._memory.runs.get(run)
        return run_id is not None and self._memory.cycles.get(run_id, (None, 0))[0] == cycle

    def _take(self, batch: Batch, item: Item) -> None:
        if isinstance(item, ScanReadings):
            self._take_scan(batch, item)
            return
        run_id = self._run_id(item.run, batch.core)
        match item:
            case Readings():
                self._readings.append((run_id, item.first, item))
                self._begin_cycle(run_id, item.cycle, item.first)
            case ImpedancePoints():
                self._impedance.append((run_id, item.first, item))
            case StepStarted():
                self._step_started(run_id, item)
            case StepEnded():
                self._step_ended(run_id, item)
            case Noted():
                self._noted(run_id, item)
            case RunStarted():
                self._run_started(run_id, item)
            case RunEnded():
                self._run_ended(run_id, item)

    def _take_scan(self, batch: Batch, item: ScanReadings) -> None:
        """Take readings of many runs; the same ones come together again and again."""
        numbers = np.frombuffer(item.numbers, "<i8")
        group = self._memory.scans.get(tuple(item.runs))
        if group is None or group.cycles != item.cycles or not (group.since <= numbers).all():
            group = self._new_group(batch, item, numbers)
        self._scans.append((group, item))

    def _new_group(self, batch: Batch, item: ScanReadings, numbers: NDArray[np.int64]) -> ScanGroup:
        ids = [self._run_id(run, batch.core) for run in item.runs]
        for run_id, cycle, number in zip(ids, item.cycles, numbers.tolist(), strict=True):
            self._begin_cycle(run_id, cycle, number)
        if len(self._memory.scans) >= GROUPS:
            self._memory.scans.clear()
        self._memory.scans[tuple(item.runs)] = group = ScanGroup(ids, item.cycles, numbers)
        return group

    def _insert(
        self,
        table: str,
        columns: Sequence[str],
        rows: list[Row],
        constants: Mapping[str, str] = MappingProxyType({}),
    ) -> None:
        if rows:
            insert_new(self._connection, table, columns, rows, constants)

    def _run_id(self, run: str, core: str) -> int:
        """Return the run's number, made up on the spot where its start has not come yet."""
        known = self._memory.runs.get(run)
        if known is not None:
            return known
        found = self._scalar("SELECT id FROM runs WHERE name = :run", run=run)
        if found is None:
            insert = (
                "INSERT INTO runs (name, core, state) VALUES (:run, :core, 'running') ON CONFLICT DO NOTHING"
            )
            self._query(insert, run=run, core=core)
            found = self._scalar("SELECT id FROM runs WHERE name = :run", run=run)
        self._memory.runs[run] = int(found)
        return int(found)

    def _begin_cycle(self, run_id: int, cycle: int, first: int) -> None:
        """Note where a cycle begins as soon as it does, so that it can be read while it runs."""
        latest = self._memory.cycles.get(run_id)
        if latest is not None and latest[0] == cycle and latest[1] <= first:
            return
        self._query(
            "INSERT INTO cycles (run_id, cycle, first_reading) VALUES (:run_id, :cycle, :first)"
            " ON CONFLICT (run_id, cycle) DO UPDATE SET first_reading = excluded.first_reading"
            " WHERE cycles.first_reading IS NULL OR excluded.first_reading < cycles.first_reading",
            run_id=run_id,
            cycle=cycle,
            first=first,
        )
        self._memory.cycles[run_id] = (cycle, first)

    def _step_started(self, run_id: int, item: StepStarted) -> None:
        values = {name: getattr(item, name) for name in STEP_STARTED if name != "started"}
        values |= {"rounds": as_json(item.rounds), "marks": as_json(item.marks), "started": item.time}
        self._upsert("steps", STEP_KEY, {"run_id": run_id, "ordinal": item.ordinal}, values)
        self._cycles.add((run_id, item.cycle))

    def _step_ended(self, run_id: int, item: StepEnded) -> None:
        values = {name: getattr(item, name) for name in STEP_ENDED if name != "ended"}
        values |= {"ended": item.time}
        self._upsert("steps", STEP_KEY, {"run_id": run_id, "ordinal": item.ordinal}, values)
        self._steps.add((run_id, item.ordinal))
        self.endings.append(Ending(item.run, item.ordinal))

    def _noted(self, run_id: int, item: Noted) -> None:
        self._query(
            "INSERT INTO events (run_id, ordinal, time, kind, text, detail, moment)"
            " VALUES (:run_id, :ordinal, :time, :kind, :text, :detail, :moment) ON CONFLICT DO NOTHING",
            run_id=run_id,
            ordinal=item.ordinal,
            time=item.time,
            kind=item.kind,
            text=item.text,
            detail=as_json(item.detail),
            moment=None if item.moment is None else at_moment(item.moment),
        )
        if item.kind == labels.KIND and (said := self._labels_said(run_id)) is not None:
            self._update_run(run_id, {"labels": as_json(said)})

    def _labels_said(self, run_id: int) -> Mapping[str, str] | None:
        """Return the labels people gave it since it was submitted; None where nobody did."""
        query = "SELECT ordinal, detail FROM events WHERE run_id = :run_id AND kind = :kind"
        changes = self._query(query, run_id=run_id, kind=labels.KIND)
        return labels.latest((row.ordinal, row.detail) for row in changes)

    def _run_started(self, run_id: int, item: RunStarted) -> None:
        if self._scalar("SELECT started FROM runs WHERE id = :run_id", run_id=run_id) is not None:
            return
        said = self._labels_said(run_id)  # by somebody who was faster than the beginning
        values = {
            "started": as_utc(item.started),
            "channel": item.channel,
            "simulated": item.simulated,
            "cell_id": self._cell(item),
            "protocol_id": self._protocol(item),
            "instrument_id": self._instrument(item),
            "protocol_source": item.protocol_source,
            "variables": as_json(item.variables),
            "limits": as_json(item.limits),
            "figures": as_json(item.figures),
            "versions": as_json(item.versions),
            "labels": as_json(item.labels if said is None else said),
            "accuracy": as_json(item.accuracy),
        }
        self._update_run(run_id, values)
        query = "SELECT cycle FROM cycles WHERE run_id = :run_id"
        known = self._query(query, run_id=run_id).scalars()
        self._cycles.update((run_id, cycle) for cycle in known)

    def _run_ended(self, run_id: int, item: RunEnded) -> None:
        if self._scalar("SELECT ended FROM runs WHERE id = :run_id", run_id=run_id) is not None:
            return
        values = {
            "ended": as_utc(item.ended),
            "state": item.state,
            "reason": item.reason,
            "duration": item.time,
            "readings": item.readings,
            "impedance_points": item.impedance_points,
        }
        self._update_run(run_id, values)
        self.endings.append(Ending(item.run, None))

    def _cell(self, item: RunStarted) -> int:
        facts = as_json(item.cell_facts)
        return self._shared("cells", digest(item.cell, facts), name=item.cell, facts=facts)

    def _protocol(self, item: RunStarted) -> int:
        canonical = item.protocol_canonical
        return self._shared("protocols", item.protocol_digest, name=item.protocol, canonical=canonical)

    def _instrument(self, item: RunStarted) -> int:
        said = {name: item.instrument.get(name) for name in INSTRUMENT}
        return self._shared("instruments", digest(item.driver, as_json(said)), driver=item.driver, **said)

    def _shared(self, table: str, digest: str, **values: object) -> int:
        """Return the id of a row many runs share, adding it for the first."""
        row = {"digest": digest, **values}
        names, marks = ", ".join(row), ", ".join(f":{name}" for name in row)
        self._query(f"INSERT INTO {table} ({names}) VALUES ({marks}) ON CONFLICT DO NOTHING", **row)  # noqa: S608
        return int(self._scalar(f"SELECT id FROM {table} WHERE digest = :digest", digest=digest))  # noqa: S608

    def _summarise(self) -> None:
        for run_id, ordinal in self._steps:
            query = "SELECT cycle FROM steps WHERE run_id = :run_id AND ordinal = :ordinal"
            cycle = self._scalar(query, run_id=run_id, ordinal=ordinal)
            if cycle is not None:
                self._cycles.add((run_id, cycle))
        for run_id, cycle in sorted(self._cycles):
            summary = summarise(self._steps_of(run_id, cycle), self._pairing(run_id))
            self._keep_summary(run_id, cycle, summary)

    def _steps_of(self, run_id: int, cycle: int) -> list[StepTotals]:
        rows = self._query(STEPS_OF_CYCLE, run_id=run_id, cycle=cycle)
        return [StepTotals(**row) for row in rows.mappings()]

    def _keep_summary(self, run_id: int, cycle: int, summary: CycleSummary) -> None:
        values = asdict(summary)
        first = values.pop("first_reading")
        self._upsert("cycles", ("run_id", "cycle"), {"run_id": run_id, "cycle": cycle}, values)
        if first is not None:
            self._begin_cycle(run_id, cycle, first)

    def _pairing(self, run_id: int) -> Pairing | None:
        known = self._memory.pairings.get(run_id)
        if known is None:
            query = (
                "SELECT cells.name, facts FROM cells JOIN runs ON cells.id = cell_id WHERE runs.id = :run_id"
            )
            cell = self._query(query, run_id=run_id).one_or_none()
            if cell is None:
                return None  # not for good: another recorder may bring it
            known = self._memory.pairings[run_id] = pairing_of(cell.name, json.loads(cell.facts))
        return known

    def _update_run(self, run_id: int, values: Mapping[str, object]) -> None:
        changes = ", ".join(f"{name} = :{name}" for name in values)
        self._query(f"UPDATE runs SET {changes} WHERE id = :run_id", run_id=run_id, **values)  # noqa: S608

    def _upsert(
        self, table: str, key: Sequence[str], keys: Mapping[str, object], values: Mapping[str, object]
    ) -> None:
        row = {**keys, **values}
        names, marks = ", ".join(row), ", ".join(f":{name}" for name in row)
        changes = ", ".join(f"{name} = excluded.{name}" for name in values)
        insert = f"INSERT INTO {table} ({names}) VALUES ({marks})"  # noqa: S608
        self._query(f"{insert} ON CONFLICT ({', '.join(key)}) DO UPDATE SET {changes}", **row)

    def _query(self, statement: str, **values: object) -> CursorResult[Any]:
        dialect = self._connection.dialect.name
        return self._connection.exec_driver_sql(_in_dialect(statement, dialect), values)

    def _scalar(self, statement: str, **values: object) -> Any:
        return self._query(statement, **values).scalar()


@lru_cache(maxsize=64)
def _in_dialect(statement: str, dialect: str) -> str:
    """Return the statement with its parameters marked as the database's driver wants them."""
    return statement if dialect == "sqlite" else re.sub(r":(\w+)", r"%(\1)s", statement)


def table_rows(groups: Iterable[Group]) -> list[Row]:
    """Return a row for each reading or point."""
    rows: list[Row] = []
    for run_id, first, group in groups:
        step, cycle = group.step, group.cycle
        rows += [(run_id, number, step, cycle, *row) for number, row in enumerate(group.rows, first)]
    return rows


def scan_rows(scans: Sequence[tuple[ScanGroup, ScanReadings]]) -> Iterable[Row]:
    """Return a row for each reading of the scans, at least one, all of a column at once.

    Raises ValueError where the columns of a scan differ in length.
    """
    for group, scan in scans:
        if {len(column) for column in _columns(scan)} != {8 * len(group.ids)}:
            raise ValueError(f"a scan of {len(group.ids)} runs has columns of other lengths")
    ids = chain.from_iterable(group.ids for group, _ in scans)
    steps = chain.from_iterable(scan.steps for _, scan in scans)
    cycles = chain.from_iterable(scan.cycles for _, scan in scans)
    columns = zip(*(_columns(scan) for _, scan in scans), strict=True)
    numbers, *values = map(b"".join, columns)
    floats = [np.frombuffer(column, "<f8").tolist() for column in values]
    return zip(ids, np.frombuffer(numbers, "<i8").tolist(), steps, cycles, *floats, strict=True)


def _columns(scan: ScanReadings) -> tuple[bytes, ...]:
    return scan.numbers, scan.times, scan.voltages, scan.currents, scan.capacities, scan.energies


def as_utc(moment: str) -> str:
    """Return an ISO 8601 moment in UTC; raises ValueError where it is none or names no zone."""
    parsed = datetime.fromisoformat(moment)
    if parsed.tzinfo is None:
        raise ValueError(f"{moment!r} names no time zone; wanted UTC, such as 2026-01-31T12:00:00+00:00")
    return parsed.astimezone(UTC).isoformat()


def at_moment(seconds: float) -> str:
    """Return UTC seconds in ISO 8601, always as long, so that moments sort as text."""
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds")


def as_json(value: object) -> str:
    """Return JSON with sorted keys; a number JSON cannot say (inf, nan) becomes its name."""
    return json.dumps(_plain(value), sort_keys=True, ensure_ascii=False, allow_nan=False)


def digest(*parts: str) -> str:
    """Return the SHA-256 over the parts, in hexadecimal."""
    return hashlib.sha256("\x00".join(parts).encode()).hexdigest()


def _plain(value: object) -> object:
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    if isinstance(value, Mapping):
        return {str(key): _plain(inner) for key, inner in value.items()}
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [_plain(inner) for inner in value]
    return value
