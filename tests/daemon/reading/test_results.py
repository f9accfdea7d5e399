"""The results give back what was stored, in ranges of the primary key."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, event

from daemon.delivery.messages import Batch, ImpedancePoints, ImpedanceRow, Item
from daemon.errors import UnavailableError, UnknownError
from daemon.reading.results import Counts, Results
from daemon.recording.store import Store
from tests.daemon.deliveries import batched, readings, run_ended, step_ended, step_started, whole_run


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    store = Store.open(str(tmp_path / "results.db"))
    yield store
    store.close()


@pytest.fixture
def results(store: Store) -> Results:
    return Results.open(store.url)


def test_a_run_comes_back_as_it_was_frozen(store: Store, results: Results) -> None:
    store.add(batched(whole_run("one")))
    run = results.run("one")
    assert (run.state, run.reason, run.duration) == ("finished", "end of protocol", 7200.0)
    assert run.started == "2026-01-31T12:00:00+00:00"  # 13:00 at +01:00
    assert run.instrument == {"maker": "Keithley", "model": "2450", "serial": "042"}
    assert run.cell_facts == {"active_mass": 1.7e-6}
    assert run.limits == {"voltage": [1.5, "inf"]}
    assert run.simulated is True
    assert [each.name for each in results.runs()] == ["one"]


def test_steps_and_events_come_back_in_order(store: Store, results: Results) -> None:
    store.add(batched(list(reversed(whole_run("one")))))
    steps = results.steps("one")
    assert [step.verb for step in steps] == ["discharge", "charge", "discharge", "charge"]
    assert (steps[1].capacity, steps[1].first_reading, steps[1].rounds) == (10.0, 11, [1])
    (event,) = results.events("one")
    assert (event.kind, event.detail) == ("paused", {"who": "me"})


def test_readings_are_paged_by_number(store: Store, results: Results) -> None:
    store.add(batched(whole_run("one")))
    assert [row.number for row in results.readings("one", after=5, limit=3)] == [6, 7, 8]
    assert [row.number for row in results.readings("one", cycle=2)] == list(range(21, 41))
    assert [row.number for row in results.readings("one", cycle=2, after=38)] == [39, 40]
    assert [row.number for row in results.readings("one", step=3)] == list(range(21, 31))
    assert results.readings("one", cycle=3) == []
    assert results.readings("one", step=9) == []


def test_what_is_missing_is_counted_and_named(store: Store, results: Results) -> None:
    items: list[Item] = [readings("one", 3, 4), readings("one", 9, 1), run_ended("one", 12)]
    store.add(batched(items))
    assert results.counts("one") == Counts(expected=12, stored=5)
    assert results.counts("one").missing == 7
    assert results.gaps("one") == [(1, 2), (7, 8), (10, 12)]


def test_a_complete_run_has_no_gaps(store: Store, results: Results) -> None:
    store.add(batched(whole_run("one")))
    assert results.gaps("one") == []
    assert results.counts("one") == Counts(expected=40, stored=40)


def test_spectra_come_back_by_step(store: Store, results: Results) -> None:
    rows = [ImpedanceRow(float(n), 10.0**n, 1.0, -2.0, 0) for n in range(3)]
    store.add(batched([ImpedancePoints("one", 1, 0, 1, rows), ImpedancePoints("one", 5, 0, 4, rows)]))
    assert [point.number for point in results.impedance("one")] == [1, 2, 3, 4, 5, 6]
    assert [point.frequency for point in results.impedance("one", step=5)] == [1.0, 10.0, 100.0]


def test_a_run_or_a_database_that_is_not_there_is_named(results: Results, tmp_path: Path) -> None:
    with pytest.raises(UnknownError, match="no run 'nobody' has been recorded"):
        results.readings("nobody")
    with pytest.raises(UnavailableError, match=r"no results database at .*empty\.db"):
        Results.open(str(tmp_path / "empty.db"))


def test_one_cycle_of_many_costs_no_more_than_one_of_few(
    store: Store, results: Results, tmp_path: Path
) -> None:
    """500 cycles of 100 readings; every table is searched by a key, none is gone through."""
    items: list[Item] = []
    for cycle in range(1, 501):
        first = 100 * cycle - 99
        items += [
            step_started("one", cycle, "charge", cycle),
            readings("one", first, 100, step=cycle, cycle=cycle),
            step_ended("one", cycle, 1.0, 2.0, (first, first + 99)),
        ]
    store.add([Batch("core", 1, 1, "rack-1", items)])
    asked: list[tuple[str, Any]] = []

    def note(connection: object, cursor: object, statement: str, parameters: Any, *_: object) -> None:
        asked.append((statement, parameters))

    event.listen(Engine, "before_cursor_execute", note)
    try:
        rows = results.readings("one", cycle=499)
    finally:
        event.remove(Engine, "before_cursor_execute", note)
    with closing(sqlite3.connect(tmp_path / "results.db")) as connection:
        plans = [
            str(told)
            for statement, parameters in asked
            for *_, told in connection.execute(f"EXPLAIN QUERY PLAN {statement}", parameters)
        ]
    [search] = [plan for plan in plans if "readings" in plan]
    assert search.endswith("(run_id=? AND number>? AND number<?)"), plans
    assert {plan for plan in plans if plan.startswith("SCAN")} <= {"SCAN CONSTANT ROW"}
    assert [rows[0].number, rows[-1].number] == [49_801, 49_900]
