"""The results database: how fast rows go in, beside bare sqlite3, and how fast they come out."""

import asyncio
import os
import random
import sqlite3
import time
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from operator import itemgetter
from pathlib import Path

import numpy as np

from daemon.bench.row import Row as Line
from daemon.bench.row import Settings, quantile
from daemon.delivery.messages import (
    Batch,
    ReadingRow,
    Readings,
    RunStarted,
    ScanReadings,
    StepEnded,
    StepStarted,
)
from daemon.reading.results import Results
from daemon.reading.traces import Traces
from daemon.recording.bulk import Row
from daemon.recording.database import WRITER
from daemon.recording.ingest import READINGS, ScanGroup, scan_rows
from daemon.recording.overview import make_overview
from daemon.recording.store import Store

RUNS = 64
_SCANS = 64  # in one commit: what sixteen racks at a hundred readings a second bring in one tick
_CYCLE_ROWS = 200


async def recorder(settings: Settings) -> list[Line]:
    """The store's transactions beside bare `executemany` of the same rows into the same table."""
    return await asyncio.to_thread(_recorder, settings)


async def reading_back(settings: Settings) -> list[Line]:
    """A cycle and the first page of a long run, and what its readings take on disk."""
    return await asyncio.to_thread(_reading_back, settings)


def _recorder(settings: Settings) -> list[Line]:
    commits = max(10, int(4 * settings.seconds))
    deliveries = [list(_delivery(number)) for number in range(commits)]
    store = Store.open(f"sqlite:///{settings.folder / 'store.db'}")
    raw = _raw_database(settings.folder / "raw.db")
    rows_each = _SCANS * RUNS
    ours, bare = 0.0, 0.0
    for delivery in deliveries:  # by turns, so that what else the machine does falls on both alike
        ours += _taken(partial(store.add, delivery))
        rows = _rows(delivery)
        bare += _taken(partial(_insert, raw, rows))
    store.close()
    raw.close()
    rate, limit = commits * rows_each / ours, commits * rows_each / bare
    note = (
        f"Store.add of decoded batches, bare executemany of ready rows, {rows_each} rows a commit, by turns"
    )
    return [
        Line("recorder: rows into SQLite", rate, "rows/s", None, limit, True, ours, note),
        Line("recorder beside bare sqlite3", rate / limit, "of bare", 0.85, 1.0, True, ours + bare, note),
    ]


def _delivery(number: int) -> Iterator[Batch]:
    """Yield what racks bring in one tick: each a scan of all its runs."""
    generator = np.random.default_rng(number)
    for scan in range(_SCANS):
        first = number * _SCANS + scan + 1
        values = generator.normal(3.7, 0.1, (5, RUNS))
        item = ScanReadings(
            runs=[f"lab-{run}" for run in range(RUNS)],
            steps=[1] * RUNS,
            cycles=[1] * RUNS,
            numbers=np.full(RUNS, first, dtype="<i8").tobytes(),
            times=values[0].tobytes(),
            voltages=values[1].tobytes(),
            currents=values[2].tobytes(),
            capacities=values[3].tobytes(),
            energies=values[4].tobytes(),
        )
        yield Batch("lab", 1, first, "rack1", [item])


def _rows(batches: Sequence[Batch]) -> list[Row]:
    """Return the same readings as rows, in the order of their key."""
    group = ScanGroup(range(1, RUNS + 1), [1] * RUNS, np.zeros(RUNS, dtype=np.int64))
    scans = [(group, item) for batch in batches for item in batch.items if isinstance(item, ScanReadings)]
    return sorted(((*row, None, 0) for row in scan_rows(scans)), key=itemgetter(0))


def _raw_database(path: Path) -> sqlite3.Connection:
    """Return a file with nothing but the table, written as the store's is."""
    Store.open(f"sqlite:///{path}.schema").close()
    with sqlite3.connect(f"{path}.schema") as made:
        (schema,) = made.execute("SELECT sql FROM sqlite_master WHERE name = 'readings'").fetchone()
    made.close()
    connection = sqlite3.connect(path, isolation_level=None)
    for pragma in WRITER:
        connection.execute(pragma)
    connection.execute(schema)
    return connection


def _insert(connection: sqlite3.Connection, rows: Sequence[Row]) -> None:
    marks = ", ".join("?" * len(READINGS))
    statement = f"INSERT INTO readings ({', '.join(READINGS)}) VALUES ({marks}) ON CONFLICT DO NOTHING"  # noqa: S608
    connection.execute("BEGIN IMMEDIATE")
    connection.executemany(statement, rows)
    connection.execute("COMMIT")


def _taken(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def _reading_back(settings: Settings) -> list[Line]:
    cycles = max(500, int(100 * settings.seconds))
    path = settings.folder / "long.db"
    url = f"sqlite:///{path}"
    store = Store.open(url)
    began = time.monotonic()
    for first in range(1, cycles + 1, 50):
        store.add(list(_long_run(range(first, min(first + 50, cycles + 1)))))
    store.close()
    written = time.monotonic() - began
    size = path.stat().st_size + _size(Path(f"{path}-wal"))
    making = _processor_taken(partial(make_overview, url, "lab-1"))
    results = Results.open(url)
    traces, length = Traces(results.engine), cycles * 7200.0
    views = [_taken(partial(_view, traces, length, part)) for part in range(50)]
    chosen = random.Random(1).sample(range(1, cycles + 1), 100)
    each = [_taken(partial(results.readings, "lab-1", cycle=cycle)) for cycle in chosen]
    pages = [_taken(partial(_first_page, results)) for _ in range(20)]
    results.close()
    readings = 2 * cycles * _CYCLE_ROWS
    note = f"a run of {cycles} cycles, {readings} readings"
    return [
        Line(
            "any one cycle of a long run, p99", quantile(each, 0.99), "s", 0.02, None, False, sum(each), note
        ),
        Line("first page of a long run, p99", quantile(pages, 0.99), "s", 0.1, None, False, sum(pages), note),
        Line("any view of a long run, p99", quantile(views, 0.99), "s", 0.2, None, False, sum(views), note),
        Line("overview: processor a reading", making / readings, "s", None, None, False, making, note),
        Line("bytes per reading in SQLite", size / readings, "bytes", None, None, False, written, note),
    ]


def _view(traces: Traces, length: float, part: int) -> None:
    """Look at a part of the run: all of it, a half, a quarter and so on, somewhere."""
    chosen = random.Random(part)
    wide = length / 2 ** (part % 12)
    start = chosen.uniform(0.0, length - wide)
    traces.of_time("lab-1", start, start + wide, 2_000)


def _processor_taken(work: Callable[[], object]) -> float:
    began = time.process_time()
    work()
    return time.process_time() - began


def _first_page(results: Results) -> None:
    results.run("lab-1")
    results.readings("lab-1", limit=1000)


def _size(path: Path) -> int:
    return os.path.getsize(path) if path.exists() else 0


def _long_run(cycles: range) -> Iterator[Batch]:
    """Yield a batch per cycle of one run: a charge and a discharge of 200 readings each."""
    for cycle in cycles:
        items: list[RunStarted | StepStarted | Readings | StepEnded] = [_run_started()] if cycle == 1 else []
        for half, (verb, amperes) in enumerate((("charge", 1e-3), ("discharge", -1e-3))):
            ordinal = 2 * (cycle - 1) + half + 1
            first, began = (ordinal - 1) * _CYCLE_ROWS + 1, (ordinal - 1) * 3600.0
            rows = [_row(began, amperes, number) for number in range(_CYCLE_ROWS)]
            last, capacity = first + _CYCLE_ROWS - 1, 3600.0 * amperes
            items += [
                StepStarted("lab-1", ordinal, began, "1.1", 5, verb, "", amperes, cycle, (cycle,), (), None),
                Readings("lab-1", ordinal, cycle, first, rows),
                StepEnded(
                    *("lab-1", ordinal, began + 3600.0, "voltage", 3600.0, capacity, 2.1 * capacity),
                    *(first, last, 2.0, 2.3, 2.1),
                ),
            ]
        yield Batch("lab", 1, cycle, "smu1", items)


def _row(began: float, amperes: float, number: int) -> ReadingRow:
    passed = 18.0 * number
    voltage = 2.1 + 1e-3 * random.random()  # digits that differ, as real ones do
    return ReadingRow(began + passed, voltage, amperes, amperes * passed, voltage * amperes * passed, 25.0, 0)


def _run_started() -> RunStarted:
    return RunStarted(
        run="lab-1",
        started="2026-01-01T00:00:00+00:00",
        channel="smu1",
        driver="keithley2450",
        instrument={},
        protocol="bench",
        protocol_digest="0",
        protocol_canonical="{}",
        protocol_source="",
        cell="Li-S",
        cell_facts={},
        variables={},
        limits={},
        figures=(),
        versions={},
        simulated=True,
    )
