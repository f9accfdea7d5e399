"""The list of runs: every run on exactly one page, whatever it is sorted and sifted by."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine

from daemon.errors import UnknownError
from daemon.reading.catalogue import Catalogue, ListedRun, Order, Wanted
from daemon.recording.ingest import as_json
from daemon.recording.prepared import prepared


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    """Twelve runs: two cells by turns, three a day, the last of which has not told when it began."""
    engine = prepared(f"sqlite:///{tmp_path / 'results.db'}")
    with engine.begin() as connection:
        write = connection.exec_driver_sql
        for number, name in ((1, "Li-S, PP"), (2, "Li-S, GO/PP")):
            write("INSERT INTO cells (id, digest, name, facts) VALUES (?, ?, ?, '{}')", (number, name, name))
        for n in range(1, 13):
            started = None if n == 12 else f"2026-01-{1 + n // 3:02}T10:00:00+00:00"
            labels = as_json({"study": "100 % ready", "variant": "µ" if n % 2 else "GO"})
            write(
                "INSERT INTO runs (id, name, state, started, duration, cell_id, channel, labels)"
                " VALUES (?, ?, ?, ?, ?, ?, 'smu1', ?)",
                (n, f"lab-{n}", "finished" if n < 12 else "running", started, 100.0 - n, 1 + n % 2, labels),
            )
    yield engine
    engine.dispose()


@pytest.mark.parametrize("order", list(Order))
def test_every_run_is_on_one_page_and_in_order(engine: Engine, order: Order) -> None:
    catalogue, cursor = Catalogue(engine), None
    found: list[ListedRun] = []
    for _ in range(4):
        page = catalogue.page(Wanted(), cursor, 3, order)
        found += page.runs
        cursor = page.next
    assert cursor is None
    assert sorted(run.run for run in found) == sorted(f"lab-{n}" for n in range(1, 13))
    if order is Order.LATEST:  # who has not begun comes last
        assert [run.run for run in found[:2] + found[-1:]] == ["lab-11", "lab-10", "lab-12"]
    if order is Order.LONGEST:
        assert [run.run for run in found] == [f"lab-{n}" for n in range(1, 13)]


@pytest.mark.parametrize(
    ("wanted", "count"),
    [
        (Wanted(cell="Li-S, PP"), 6),
        (Wanted(label="variant=µ"), 6),
        (Wanted(label="variant"), 12),
        (Wanted(label="variant=G"), 0),  # whole values only
        (Wanted(label="study=100 % ready"), 12),
        (Wanted(words="go/pp LAB-1"), 2),  # lab-1 and lab-11
        (Wanted(words="100 % ready"), 12),
        (Wanted(since="2026-01-02", until="2026-01-03"), 6),
        (Wanted(state="running"), 1),
        (Wanted(words="%%"), 0),
    ],
)
def test_runs_are_sifted_by_what_they_are(engine: Engine, wanted: Wanted, count: int) -> None:
    assert len(list(Catalogue(engine).all(wanted))) == count


def test_a_cursor_is_of_one_order_only(engine: Engine) -> None:
    catalogue = Catalogue(engine)
    cursor = catalogue.page(Wanted(), None, 3, Order.CELL).next
    for strange in (cursor, "'; DROP TABLE runs"):
        with pytest.raises(UnknownError, match="earlier page of this list"):
            catalogue.page(Wanted(), strange, 3, Order.LATEST)
