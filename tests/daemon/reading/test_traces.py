"""Traces: what a screen shows of a run keeps its extremes, however long it is and wherever it is kept."""

import math
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine

from daemon.errors import UnknownError
from daemon.reading import traces
from daemon.reading.thinning import kept
from daemon.reading.traces import Traces
from daemon.recording.archive import archive
from daemon.recording.database import open_database
from daemon.recording.overview import Overview
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


def overview_made(url: str) -> None:
    reader, writer = open_database(url, write=False), open_database(url, write=True)
    Overview(reader, writer).whole(1)
    reader.dispose()
    writer.dispose()


def test_what_is_too_long_to_be_read_is_taken_from_the_overview(
    url: str, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(traces, "WHOLE", 1_000)
    monkeypatch.setattr(traces, "PATIENCE", 128 + 2 * 127)  # the end of the run and two ragged edges
    without = Traces(engine).of_time("lab-1", None, None, 200)
    assert (without.basis, without.overview) == ("samples", 0.0)
    overview_made(url)
    found = Traces(engine).of_time("lab-1", None, None, 200)
    assert (found.basis, spikes(found), found.overview) == ("extremes", [4.9], 1.0)
    assert len(found.time) <= 200
    assert (found.time[0], found.time[-1]) == (1.0, 30_000.0)
    ragged = Traces(engine).of_time("lab-1", 100.0, 29_000.0, 200)
    assert (ragged.basis, spikes(ragged), ragged.time[0], ragged.time[-1]) == (
        "extremes",
        [4.9],
        99.0,
        29_000.0,
    )


def test_a_hole_is_gone_round_and_made_good_when_its_readings_come(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(traces, "WHOLE", 1_000)
    reader, writer = open_database(url, write=False), open_database(url, write=True)
    with writer.begin() as connection:
        connection.exec_driver_sql(
            "CREATE TABLE late AS SELECT * FROM readings WHERE run_id = 1 AND number = 5000"
        )
        connection.exec_driver_sql("UPDATE late SET voltage = 4.95")  # so that its coming is seen
        connection.exec_driver_sql("DELETE FROM readings WHERE run_id = 1 AND number = 5000")
    overview = Overview(reader, writer)
    overview.whole(1)
    [(standing, over)] = [each for each in overview.due() if each[0].run_id == 1]
    assert (standing.reading, standing.missing, over) == (234 * 128, 1, True)
    assert list(overview.mended(standing)) == []
    assert spikes(Traces(reader).of_time("lab-1", None, None, 200)) == [4.9]
    with writer.begin() as connection:
        connection.exec_driver_sql("INSERT INTO readings SELECT * FROM late")
    overview.write(list(overview.mended(standing)))
    assert [each[0].run_id for each in overview.due()] == [2]  # which goes on
    assert spikes(Traces(reader).of_time("lab-1", None, None, 200)) == [4.95, 4.9]
    reader.dispose()
    writer.dispose()


@pytest.mark.parametrize("made", [True, False])
def test_a_view_has_the_extremes_of_its_readings_wherever_it_begins_and_ends(
    url: str, engine: Engine, made: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(traces, "WHOLE", 700)
    noise = np.random.default_rng(7)
    volts = 3.0 + noise.normal(0.0, 0.1, COUNT + 1)
    amps = noise.normal(0.0, 1e-3, COUNT + 1)
    lost = set(noise.integers(1, COUNT, 40).tolist()) | set(range(9_000, 9_400))
    silent = noise.integers(1, COUNT, 200).tolist()  # readings without a voltage
    volts[silent] = math.nan
    writer = open_database(url, write=True)
    with writer.begin() as connection:
        connection.exec_driver_sql(
            "UPDATE readings SET voltage = ?, current = ? WHERE run_id = 1 AND number = ?",
            [
                (None if math.isnan(volts[n]) else float(volts[n]), float(amps[n]), n)
                for n in range(1, COUNT + 1)
            ],
        )
        connection.exec_driver_sql(
            "DELETE FROM readings WHERE run_id = 1 AND number = ?", [(n,) for n in lost]
        )
    writer.dispose()
    if made:
        overview_made(url)
    kept_ones = np.array([n for n in range(1, COUNT + 1) if n not in lost])

    @given(st.integers(1, COUNT), st.integers(1, COUNT), st.sampled_from([20, 200, 2_000]))
    @settings(max_examples=30, deadline=None)
    def check(one: int, other: int, points: int) -> None:
        first, last = sorted((one, other))
        found = Traces(engine).of_time("lab-1", float(first), float(last), points)
        inside = kept_ones[(kept_ones >= found.first) & (kept_ones <= found.last)]
        assert inside[-1] <= last
        assert len(found.time) <= points
        assert list(found.time) == sorted(found.time)
        for trace, truth in ((found.voltage, volts), (found.current, amps)):
            shown = [value for value in trace if value is not None]
            if np.isfinite(truth[inside]).any():
                assert (min(shown), max(shown)) == (np.nanmin(truth[inside]), np.nanmax(truth[inside]))
            assert set(shown) <= set(truth[inside].tolist())

    check()


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


@pytest.mark.parametrize("before", [True, False])
def test_an_archived_run_is_shown_as_before(
    url: str, engine: Engine, before: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    if before:
        overview_made(url)
    archive(url, "lab-1")
    if not before:
        with open_database(url, write=True).begin() as connection:  # as an earlier version left it
            connection.exec_driver_sql("DELETE FROM overview")
            connection.exec_driver_sql("DELETE FROM overviews")
        overview_made(url)
    monkeypatch.setattr(traces, "WHOLE", 1_000)
    monkeypatch.setattr(traces, "PATIENCE", 400)
    found = Traces(engine).of_time("lab-1", None, None, 2_000)
    assert (found.readings, found.basis, spikes(found)) == (COUNT, "extremes", [4.9])
    assert len(found.time) <= 2_000
    zoomed = Traces(engine).of_time("lab-1", SPIKE - 3.0, SPIKE + 3.0, 2_000)
    assert list(zoomed.time) == [float(SPIKE + k) for k in range(-4, 4)]
    assert spikes(zoomed) == [4.9]
    assert set(Traces(engine).of_cycle("lab-1", 2, 500).cycle) == {2}


def test_thinning_leaves_out_no_number_for_what_is_none() -> None:
    trace = np.full(10_000, np.nan)
    trace[5_000] = 1.0
    assert 5_000 in kept([trace], 100)
