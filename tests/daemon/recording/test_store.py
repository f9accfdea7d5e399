"""The store writes the same tables whatever order batches come in and however often."""

import sqlite3
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from daemon.delivery.messages import Batch, Item, ReadingRow, Readings, StepEnded
from daemon.errors import UnavailableError, UnknownError
from daemon.reading.results import Results
from daemon.recording.database_errors import UnstorableError
from daemon.recording.ingest import Ending
from daemon.recording.store import DeadLetter, FigureRow, Store
from tests.daemon.deliveries import batched, readings, step_ended, step_started, whole_run

TABLES = ("cells", "protocols", "instruments", "runs", "steps", "readings", "impedance", "cycles", "events")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "results.db"


@pytest.fixture
def store(path: Path) -> Store:
    return Store.open(f"sqlite:///{path}")


def contents(path: Path) -> dict[str, list[tuple[object, ...]]]:
    """Every table, with runs by name: their numbers depend on who came first."""
    connection = sqlite3.connect(path)
    try:
        tables = {name: connection.execute(f"SELECT * FROM {name}").fetchall() for name in TABLES}  # noqa: S608
        names = dict(connection.execute("SELECT id, name FROM runs"))
    finally:
        connection.close()
    for name in ("steps", "readings", "impedance", "cycles", "events"):
        tables[name] = sorted((names[row[0]], *row[1:]) for row in tables[name])
    for name in ("cells", "protocols", "instruments", "runs"):
        tables[name] = sorted((row[1:] for row in tables[name]), key=str)
    return tables


def written(deliveries: Sequence[Sequence[Batch]]) -> dict[str, list[tuple[object, ...]]]:
    with TemporaryDirectory() as folder:
        path = Path(folder) / "results.db"
        store = Store.open(f"sqlite:///{path}")
        for delivery in deliveries:
            store.add(delivery)
        store.close()
        return contents(path)


# Two runs with one cell, protocol and instrument, so that which run comes first leaves no trace.
BATCHES = [*batched(whole_run("one")), *batched(whole_run("two"), first=100)]


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.permutations(BATCHES), st.lists(st.sampled_from(BATCHES), max_size=10), st.integers(1, 12))
def test_order_and_repeats_change_nothing(order: list[Batch], repeats: list[Batch], size: int) -> None:
    stream = order + repeats
    deliveries = [stream[start : start + size] for start in range(0, len(stream), size)]
    assert written(deliveries) == EXPECTED


EXPECTED = written([BATCHES])


def test_the_cycles_are_what_a_pencil_says(store: Store, path: Path) -> None:
    store.add(batched(whole_run("one")))
    first, second = Results.open(f"sqlite:///{path}").cycles("one")
    assert (first.first_reading, first.last_reading) == (1, 20)
    assert (second.first_reading, second.last_reading) == (21, 40)
    assert first.duration == 20.0  # two steps of 10 s
    assert (first.discharge_capacity, first.charge_capacity) == (9.0, 10.0)
    assert (first.discharge_energy, first.charge_energy) == (18.9, 24.0)
    assert first.coulombic_efficiency == pytest.approx(0.9)  # 9 / 10
    assert first.energy_efficiency == pytest.approx(0.7875)  # 18.9 / 24
    assert first.mean_discharge_voltage == pytest.approx(2.1)  # 18.9 / 9
    assert first.mean_charge_voltage == pytest.approx(2.4)  # 24 / 10
    assert first.hysteresis == pytest.approx(0.3)  # 2.4 - 2.1
    assert first.pairing == "discharge/charge"
    assert second.coulombic_efficiency == pytest.approx(1.0)  # 8 / 8


def test_only_the_cycle_a_step_belongs_to_is_folded_again(store: Store, path: Path) -> None:
    store.add(batched(whole_run("one")))
    connection = sqlite3.connect(path)
    with connection:
        connection.execute("UPDATE cycles SET charge_capacity = -1")
    store.add(batched([step_ended("one", 4, 8.0, 20.0, (31, 40))]))
    assert connection.execute("SELECT charge_capacity FROM cycles ORDER BY cycle").fetchall() == [
        (-1.0,),
        (8.0,),
    ]
    connection.close()


def test_a_cycle_still_running_can_be_read_but_has_no_efficiency(store: Store, path: Path) -> None:
    items: list[Item] = whole_run("one")[:4]  # start, and the first discharge whole
    items += [step_started("one", 2, "charge", 1), readings("one", 11, 3, step=2, cycle=1)]
    store.add(batched(items))
    results = Results.open(f"sqlite:///{path}")
    assert results.cycles("one")[0].coulombic_efficiency is None
    assert [row.number for row in results.readings("one", cycle=1)] == list(range(1, 14))
    assert [row.number for row in results.readings("one", step=2)] == [11, 12, 13]


def test_readings_before_their_run_has_started_are_kept(store: Store, path: Path) -> None:
    items = whole_run("one")
    store.add(batched(items[2:3]))
    results = Results.open(f"sqlite:///{path}")
    early = results.run("one")
    assert (early.state, early.started, early.cell) == ("running", None, None)
    assert len(results.readings("one")) == 10
    store.add(batched(items))
    late = results.run("one")
    assert (late.state, late.started, late.cell) == (
        "finished",
        "2026-01-31T12:00:00+00:00",
        "Li-S coin cell",
    )


def test_what_ended_is_told(store: Store) -> None:
    endings = store.add(batched(whole_run("one")))
    assert endings == [
        Ending("one", 1),
        Ending("one", 2),
        Ending("one", 3),
        Ending("one", 4),
        Ending("one", None),
    ]


def test_figures_are_due_until_they_cover_the_latest_ending(store: Store) -> None:
    items = whole_run("one")
    store.add(batched(items[:4]))
    assert store.figures_due() == [Ending("one", 1)]
    store.mark_figured(Ending("one", 1))
    assert store.figures_due() == []
    store.add(batched(items))
    assert store.figures_due() == [Ending("one", None)]
    store.mark_figured(Ending("one", None))
    assert store.figures_due() == []


def test_figures_are_replaced_as_a_whole(store: Store, path: Path) -> None:
    store.add(batched(whole_run("one")))
    store.set_figures("one", [FigureRow("old", 1.0, "1", None, "m"), FigureRow("older", 1.0, "1", None, "m")])
    store.set_figures("one", [FigureRow("new", None, "ohm", 0.1, "fit", step=3, warnings=("no spectrum",))])
    (figure,) = Results.open(f"sqlite:///{path}").figures("one")
    assert (figure.name, figure.value, figure.step, figure.warnings) == ("new", None, 3, ["no spectrum"])
    with pytest.raises(UnknownError, match="no run 'two'"):
        store.set_figures("two", [])


def test_a_reading_that_was_no_number_is_kept_as_one(store: Store, path: Path) -> None:
    row = ReadingRow(1.0, float("nan"), float("inf"), 0.0, 0.0, None, 1)
    store.add(batched([Readings("one", 1, 1, 1, [row])]))
    (kept,) = Results.open(f"sqlite:///{path}").readings("one")
    assert (kept.voltage, kept.current, kept.flags) == (None, float("inf"), 1)


def test_content_the_database_refuses_is_told_apart_and_leaves_nothing(store: Store, path: Path) -> None:
    beyond = step_ended("one", 1, 1.0, 1.0, (1, 2**63))
    assert isinstance(beyond, StepEnded)
    with pytest.raises(UnstorableError):
        store.add(batched([readings("one", 1, 3), beyond]))
    store.add(batched([readings("one", 1, 1)]))  # the run it had made up is not taken for granted
    assert len(Results.open(f"sqlite:///{path}").readings("one")) == 1


def test_a_locked_database_asks_to_try_again(path: Path) -> None:
    Store.open(f"sqlite:///{path}").close()
    other = sqlite3.connect(path, isolation_level=None)
    store = Store.open(f"sqlite:///{path}?timeout=0.01")
    other.execute("BEGIN EXCLUSIVE")
    with pytest.raises(UnavailableError, match="locked"):
        store.add(batched(whole_run("one")))
    other.execute("ROLLBACK")
    other.close()
    store.add(batched(whole_run("one")))
    assert contents(path)["cycles"] == [row for row in EXPECTED["cycles"] if row[0] == "one"]


def test_dead_letters_are_kept_once_each_and_cut(store: Store, path: Path) -> None:
    long = DeadLetter("topic", bytes(70_000), "not a batch")
    store.bury([long, DeadLetter("topic", b"x", "not a batch")])
    store.bury([long])
    connection = sqlite3.connect(path)
    rows = connection.execute(
        "SELECT size, length(payload), times FROM dead_letters ORDER BY size"
    ).fetchall()
    connection.close()
    assert rows == [(1, 1, 1), (70_000, 65_536, 2)]


def test_every_commit_is_synchronous(store: Store) -> None:
    with store._engine.connect() as connection:
        assert connection.exec_driver_sql("PRAGMA synchronous").scalar() == 2  # FULL
        assert connection.exec_driver_sql("PRAGMA journal_mode").scalar() == "wal"
