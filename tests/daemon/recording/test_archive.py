"""An archived run is read as before, takes a fifth of the room, and can come back."""

import math
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from daemon.delivery.messages import Item, ReadingRow, Readings
from daemon.errors import BusyError, DamagedError, UnknownError
from daemon.reading.results import Counts, ReadingRecord, Results
from daemon.recording.archive import archive, unarchive
from daemon.recording.parquet_part import SIZE
from daemon.recording.store import Store
from tests.daemon.deliveries import batched, readings, run_ended, run_started, step_ended, step_started

pytest.importorskip("pyarrow")
LONG = SIZE + 10_000
"""Readings of the run below: 100 in each cycle, in two parts."""


def long_run() -> Iterator[Item]:
    yield run_started("one")
    for cycle in range(1, LONG // 100 + 1):
        first = 100 * cycle - 99
        rows = [
            ReadingRow(float(n), 2 + math.sin(n), 1e-3, 1e-3 * n, math.nan, 25.0 if n % 2 else None, 0)
            for n in range(first, first + 100)
        ]
        yield step_started("one", cycle, "charge", cycle)
        yield Readings("one", cycle, cycle, first, rows)
        yield step_ended("one", cycle, 1.0, 2.0, (first, first + 99))
    yield run_ended("one", LONG)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    store = Store.open(str(tmp_path / "results.db"))
    store.add(batched(list(long_run())))
    yield store
    store.close()


@pytest.fixture
def results(store: Store) -> Results:
    return Results.open(store.url)


def every(results: Results) -> list[ReadingRecord]:
    return results.readings("one", limit=LONG + 1)


def table_rows(store: Store) -> int:
    with closing(sqlite3.connect(store.url)) as database:
        return int(database.execute("SELECT count(*) FROM readings").fetchone()[0])


def test_an_archived_run_is_read_as_before(store: Store, results: Results) -> None:
    before, cycle, step = every(results), results.readings("one", cycle=201), results.readings("one", step=3)
    done = archive(store.url, "one")
    assert (done.readings, table_rows(store)) == (LONG, 0)
    assert every(results) == before
    assert results.readings("one", cycle=201) == cycle  # the first of the second part
    assert results.readings("one", step=3) == step
    assert [row.number for row in results.readings("one", after=SIZE - 2, limit=4)] == [
        *(SIZE - 1, SIZE, SIZE + 1, SIZE + 2)
    ]
    assert (results.counts("one"), results.gaps("one")) == (Counts(LONG, LONG), [])


def test_it_comes_back(store: Store, results: Results) -> None:
    before = every(results)
    archive(store.url, "one")
    assert unarchive(store.url, "one") == LONG
    assert (every(results), results.is_archived("one"), table_rows(store)) == (before, False, LONG)
    with pytest.raises(BusyError, match="run one is not archived"):
        unarchive(store.url, "one")


def test_readings_delivered_once_more_change_nothing(store: Store, results: Results) -> None:
    before = every(results)
    archive(store.url, "one")
    store.add(batched([readings("one", 7, 3)]))
    assert every(results) == before
    assert [row.number for row in results.readings("one", limit=1)] == [1]


@pytest.mark.parametrize("left", ["half of the parts", "half of the rows"])
def test_an_interrupted_archiving_leaves_the_run_whole(store: Store, results: Results, left: str) -> None:
    before = every(results)
    archive(store.url, "one")
    with closing(sqlite3.connect(store.url)) as database:
        if left == "half of the parts":  # the rows are all there still
            unarchive(store.url, "one")
            database.execute(
                "INSERT INTO archives SELECT id, 1, 20000, 'digest', x'00' FROM runs WHERE name = 'one'"
            )
        else:
            database.execute(
                "INSERT INTO readings (run_id, number, time, step, cycle, flags)"
                " SELECT id, 5, 5, 1, 1, 0 FROM runs"
            )
        database.commit()
    assert every(results) == before
    archive(store.url, "one")
    assert (every(results), table_rows(store)) == (before, 0)


def test_what_may_still_grow_is_not_archived(store: Store) -> None:
    store.add(batched([run_started("two"), readings("two", 1, 5)]))
    with pytest.raises(BusyError, match="run two is not over"):
        archive(store.url, "two")
    store.add(batched([run_ended("two", 9)]))
    with pytest.raises(BusyError, match="4 readings of run two are missing: they may still come"):
        archive(store.url, "two")
    with pytest.raises(UnknownError, match="no run 'nobody'"):
        archive(store.url, "nobody")


def test_a_part_that_was_changed_is_not_believed(store: Store, results: Results) -> None:
    archive(store.url, "one")
    with closing(sqlite3.connect(store.url)) as database:
        database.execute("UPDATE archives SET content = zeroblob(100) WHERE first_reading = 1")
        database.commit()
    with pytest.raises(DamagedError, match="readings 1 to 20000 are not what was written"):
        every(results)
