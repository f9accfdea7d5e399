"""PostgreSQL holds the same as SQLite, whatever order batches come in, however often, by whomever."""

import itertools
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from io import StringIO
from pathlib import Path
from random import Random

import psycopg
import pytest
from sqlalchemy import create_engine, text

from daemon.delivery.messages import Batch, ReadingRow, Readings
from daemon.migrations import HEAD, revision
from daemon.reading.export import export
from daemon.reading.results import Results
from daemon.recording.archive import archive, unarchive
from daemon.recording.database_errors import UnstorableError
from daemon.recording.ingest import Ending
from daemon.recording.store import FigureRow, Store
from tests.daemon.deliveries import batched, whole_run
from tests.postgres import binaries, cluster

WHERE = binaries()
pytestmark = pytest.mark.skipif(WHERE is None, reason="PostgreSQL is not installed here")

BATCHES = [*batched(whole_run("one")), *batched(whole_run("two"), first=100)]
TABLES = ("cells", "protocols", "instruments", "runs", "steps", "readings", "impedance", "cycles", "events")
MADE_UP = frozenset({"id", "cell_id", "protocol_id", "instrument_id"})
_numbers = itertools.count(1)


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    assert WHERE is not None
    with cluster(WHERE) as url:
        yield url


@pytest.fixture
def url(server: str) -> str:
    """A database of the test's own."""
    name = f"lab{next(_numbers)}"
    with psycopg.connect(f"{server}/postgres", autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
    return f"{server}/{name}"


def contents(url: str) -> dict[str, list[tuple[object, ...]]]:
    """Every table, with runs by name and without the numbers the database made up."""
    engine = create_engine(url.replace("postgresql:", "postgresql+psycopg:"))
    found: dict[str, list[tuple[object, ...]]] = {}
    with engine.connect() as connection:
        names = {row.id: row.name for row in connection.execute(text("SELECT id, name FROM runs"))}
        for table in TABLES:
            rows = [dict(row) for row in connection.execute(text(f"SELECT * FROM {table}")).mappings()]  # noqa: S608
            plain = [
                (
                    names.get(row.pop("run_id", None)),
                    *(value for key, value in row.items() if key not in MADE_UP),
                )
                for row in rows
            ]
            found[table] = sorted(plain, key=str)
    engine.dispose()
    return found


def written(url: str, deliveries: list[list[Batch]]) -> dict[str, list[tuple[object, ...]]]:
    store = Store.open(url)
    for delivery in deliveries:
        store.add(delivery)
    store.close()
    return contents(url)


def test_it_is_brought_to_the_present_schema_once(url: str) -> None:
    for _ in range(2):
        Store.open(url).close()
    engine = create_engine(url.replace("postgresql:", "postgresql+psycopg:"))
    with engine.connect() as connection:
        assert revision(connection) == HEAD
    engine.dispose()


def test_it_holds_what_sqlite_holds(url: str, tmp_path: Path) -> None:
    shuffled = [[batch] for batch in BATCHES * 2]
    Random(3).shuffle(shuffled)
    expected = written(f"sqlite:///{tmp_path / 'results.db'}", [BATCHES])
    found = written(url, shuffled)
    for table in TABLES:
        assert [tuple(map(comparable, row)) for row in found[table]] == [
            tuple(map(comparable, row)) for row in expected[table]
        ], table


def comparable(value: object) -> object:
    """SQLite has no truth values of its own."""
    return int(value) if isinstance(value, bool) else value


def test_two_recorders_at_a_time_come_to_the_same_as_one(url: str, tmp_path: Path) -> None:
    expected = written(f"sqlite:///{tmp_path / 'results.db'}", [BATCHES])
    stores = [Store.open(url), Store.open(url)]

    def record(number: int) -> None:
        mine = BATCHES[number::2]
        Random(number).shuffle(mine)
        for batch in mine:
            stores[number].add([batch])

    with ThreadPoolExecutor(2) as recorders:
        list(recorders.map(record, (0, 1)))
    for store in stores:
        store.close()
    found = contents(url)
    for table in ("readings", "steps", "cycles", "impedance", "events"):
        assert [tuple(map(comparable, row)) for row in found[table]] == [
            tuple(map(comparable, row)) for row in expected[table]
        ], table


def test_what_it_refuses_is_left_out_and_the_rest_goes_in(url: str) -> None:
    store = Store.open(url)
    impossible = ReadingRow(0.0, 3.0, 0.0, 0.0, 0.0, None, 2**40)
    with pytest.raises(UnstorableError, match="out of range"):
        store.add([Batch("lab", 1, 1, "smu1", [Readings("one", 1, 1, 1, [impossible])])])
    store.add(BATCHES)
    store.close()
    results = Results.open(url)
    assert results.counts("one").missing == 0
    results.close()


def test_a_run_is_shown_exported_and_figured(url: str) -> None:
    store = Store.open(url)
    store.add(BATCHES)
    due = store.figures_due()
    assert Ending("one", None) in due
    store.set_figures("one", [FigureRow("capacity", 1.5, "C", None, "by hand")])
    store.mark_figured(Ending("one", None))
    assert Ending("one", None) not in store.figures_due()
    store.set_figures("one", [FigureRow("capacity", 9.9, "C", None, "of fewer steps")], Ending("one", 1))
    store.mark_figured(Ending("one", 1))  # another recorder comes late with what it began earlier
    assert Ending("one", None) not in store.figures_due()
    store.close()
    results = Results.open(url)
    assert [run.name for run in results.runs()] == ["two", "one"]
    assert [(figure.name, figure.value) for figure in results.figures("one")] == [("capacity", 1.5)]
    assert results.cycles("one")[0].first_reading == 1
    out = StringIO()
    assert export(results, "one", out) == 40
    assert len(out.getvalue().splitlines()) == 41
    page = results.readings("one", limit=3)
    assert [reading.number for reading in page] == [1, 2, 3]
    results.close()


def test_an_archived_run_is_read_as_before(url: str) -> None:
    store = Store.open(url)
    store.add(batched(whole_run("one")))
    results = Results.open(url)
    before = results.readings("one")
    assert archive(url, "one").readings == 40
    assert (results.readings("one"), results.is_archived("one")) == (before, True)
    assert results.readings("one", cycle=2) == before[20:]
    assert unarchive(url, "one") == 40
    assert (results.readings("one"), results.is_archived("one")) == (before, False)
    results.close()
    store.close()
