"""Traces: what a screen shows of a run keeps its extremes, however long it is and wherever it is kept."""

import math
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from sqlalchemy import Engine

from daemon.errors import UnknownError
from daemon.reading import traces
from daemon.reading.catalogue import Catalogue, Wanted
from daemon.reading.thinning import kept
from daemon.reading.traces import Traces
from daemon.recording.archive import archive
from daemon.recording.database import open_database
from daemon.recording.prepared import prepared

COUNT = 30_000
SPIKE = 17_777
"""The number of the one reading that stands out: 4.9 V, at that many seconds."""


@pytest.fixture
def url(tmp_path: Path) -> str:
    """A database with a run of a reading a second: three cycles of ten thousand, and one spike."""
    url = f"sqlite:///{tmp_path / 'results.db'}"
    engine = prepared(url)
    with engine.begin() as connection:
        write = connection.exec_driver_sql
        write(
            "INSERT INTO runs (id, name, state, started, ended, readings)"
            " VALUES (1, 'lab-1', 'finished', '2026-01-01', '2026-01-02', 30000)"
        )
        write("INSERT INTO runs (id, name, state, started) VALUES (2, 'lab-2', 'running', '2026-02-01')")
        rows = [
            (
                1,
                n,
                float(n),
                1,
                (n - 1) // 10_000,
                4.9 if n == SPIKE else 3.0 + 0.5 * math.sin(n / 500),
                1e-3,
                0.0,
                0.0,
                0,
            )
            for n in range(1, COUNT + 1)
        ]
        write(
            "INSERT INTO readings"
            " (run_id, number, time, step, cycle, voltage, current, capacity, energy, flags)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            rows,
        )
        for cycle in range(3):
            first = cycle * 10_000 + 1
            write(
                "INSERT INTO cycles (run_id, cycle, first_reading, last_reading) VALUES (1, ?, ?, ?)",
                (cycle, first, first + 9_999),
            )
    engine.dispose()
    return url


@pytest.fixture
def engine(url: str) -> Iterator[Engine]:
    found = open_database(url, write=False)
    yield found
    found.dispose()


def spikes(trace: traces.Trace) -> list[float]:
    return [v for v in trace.voltage if v is not None and v > 4.8]


def test_a_spike_of_one_reading_is_seen_and_rows_are_bounded(engine: Engine) -> None:
    found = Traces(engine).of_time("lab-1", None, None, 2_000)
    assert (found.readings, found.basis) == (COUNT, "extremes")
    assert len(found.time) <= 2_000
    assert spikes(found) == [4.9]
    assert (found.time[0], found.time[-1]) == (1.0, 30_000.0)


def test_the_database_summarises_what_is_too_long_to_be_read(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(traces, "WHOLE", 1_000)
    found = Traces(engine).of_time("lab-1", None, None, 200)
    assert (found.basis, spikes(found)) == ("extremes", [4.9])
    assert len(found.time) <= 200
    monkeypatch.setattr(traces, "SUMMARISED", 2_000)
    sampled = Traces(engine).of_time("lab-1", None, None, 200)
    assert sampled.basis == "samples"
    assert len(sampled.time) <= 200


def test_a_zoom_is_that_part_in_full(engine: Engine) -> None:
    found = Traces(engine).of_time("lab-1", SPIKE - 3.0, SPIKE + 3.0, 2_000)
    assert found.basis == "every reading"
    # one before the first, so that the line comes in from outside
    assert list(found.time) == [float(SPIKE + k) for k in range(-4, 4)]


def test_a_cycle_is_a_range_of_the_primary_key(engine: Engine) -> None:
    found = Traces(engine).of_cycle("lab-1", 1, 2_000)
    assert (found.first, found.last, set(found.cycle)) == (10_001, 20_000, {1})
    with pytest.raises(UnknownError, match="no cycle 7"):
        Traces(engine).of_cycle("lab-1", 7, 2_000)


def test_an_archived_run_is_shown_as_before(url: str, engine: Engine) -> None:
    archive(url, "lab-1")
    found = Traces(engine).of_time("lab-1", None, None, 2_000)
    assert (found.readings, spikes(found)) == (COUNT, [4.9])
    assert len(found.time) <= 2_000
    zoomed = Traces(engine).of_time("lab-1", SPIKE - 3.0, SPIKE + 3.0, 2_000)
    assert spikes(zoomed) == [4.9]
    assert set(Traces(engine).of_cycle("lab-1", 2, 500).cycle) == {2}


def test_thinning_leaves_out_no_number_for_what_is_none() -> None:
    trace = np.full(10_000, np.nan)
    trace[5_000] = 1.0
    assert 5_000 in kept([trace], 100)


def test_runs_are_listed_a_page_at_a_time_without_one_twice(engine: Engine) -> None:
    catalogue = Catalogue(engine)
    first = catalogue.page(Wanted(), None, 1)
    second = catalogue.page(Wanted(), first.next, 1)
    assert [first.runs[0].run, second.runs[0].run, second.next] == ["lab-2", "lab-1", None]
    assert [run.run for run in catalogue.page(Wanted(words="LAB-1"), None).runs] == ["lab-1"]
    assert catalogue.page(Wanted(words="%"), None).runs == []
    with pytest.raises(UnknownError, match="the `next` of an earlier page"):
        catalogue.page(Wanted(), "'; DROP TABLE runs", 1)
