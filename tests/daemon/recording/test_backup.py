"""A backup is whole whatever is written meanwhile, and as many are kept as was asked for."""

import sqlite3
import threading
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from daemon.errors import ConfigurationError, DamagedError, UnavailableError, UnknownError
from daemon.reading.results import Results
from daemon.recording.backup import (
    Keep,
    back_up,
    check,
    chosen,
    dated_backups,
    kept,
    newest_good,
    restore,
    rotate,
)
from daemon.recording.store import Store
from tests.daemon.deliveries import batched, readings, run_ended, run_started, whole_run

NOON = datetime(2026, 3, 31, 12, tzinfo=UTC)  # a Tuesday


@pytest.fixture
def url(tmp_path: Path) -> str:
    """A database with one run of 40 readings."""
    url = f"sqlite:///{tmp_path / 'results.db'}"
    store = Store.open(url)
    store.add(batched(whole_run("one")))
    store.close()
    return url


def test_a_backup_holds_what_was_there_and_is_one_file(url: str, tmp_path: Path) -> None:
    made = back_up(url, tmp_path / "copy.db")
    found = check(made)
    assert (found.runs, found.readings, found.size) == (1, 40, made.stat().st_size)
    assert found.latest == "2026-01-31T12:00:00+00:00"  # 13:00 at +01:00
    assert sorted(path.name for path in tmp_path.iterdir()) == ["copy.db", "results.db"]


def test_the_recorder_writes_on_while_backups_are_made(url: str, tmp_path: Path) -> None:
    store = Store.open(url)
    stop = threading.Event()
    batches = batched([run_started("two"), *(readings("two", n, 1) for n in range(1, 2001))], first=100)
    written = []

    def write() -> None:
        for batch in batches:
            store.add([batch])
            written.append(batch.sequence)
            if stop.is_set():
                return

    writer = threading.Thread(target=write)
    writer.start()
    counts = []
    for number in range(3):
        before = len(written)
        made = back_up(url, tmp_path / f"copy{number}.db")
        counts.append((before, check(made).readings, len(written)))
    stop.set()
    writer.join()
    store.close()
    assert written
    # Each holds the forty and every reading committed when it began (the first batch has none).
    for before, found, after in counts:
        assert 40 + before - 1 <= found <= 40 + after


def test_a_backup_that_cannot_be_made_leaves_nothing(tmp_path: Path) -> None:
    (tmp_path / "results.db").write_bytes(b"SQLite format 3\x00" + bytes(range(256)) * 64)
    with pytest.raises(DamagedError, match=r"backup of .*results\.db"):
        back_up(str(tmp_path / "results.db"), tmp_path / "copy.db")
    with pytest.raises(UnavailableError, match="there is no results database"):
        back_up(str(tmp_path / "none.db"), tmp_path / "copy.db")
    assert not (tmp_path / "copy.db").exists()
    assert not list(tmp_path.glob("*.partial"))


def test_postgresql_is_referred_to_its_own_tools() -> None:
    with pytest.raises(ConfigurationError, match="pg_dump"):
        back_up("postgresql://host/db", Path("copy.db"))


def test_seven_days_four_weeks_and_twelve_months_are_kept() -> None:
    daily = [NOON - timedelta(days=n) for n in range(500)]
    found = kept(daily, Keep(7, 4, 12))
    days = {NOON - timedelta(days=n) for n in range(7)}  # 25 to 31 March
    # Newest of four weeks: Tuesday 31 March, then Sundays 29, 22 and 15 March.
    weeks = {NOON, *(datetime(2026, 3, day, 12, tzinfo=UTC) for day in (29, 22, 15))}
    # Newest of twelve months: the last days of April 2025 to March 2026.
    last = [
        (2025, m, d) for m, d in [(4, 30), (5, 31), (6, 30), (7, 31), (8, 31), (9, 30), (10, 31), (11, 30)]
    ]
    last += [(2025, 12, 31), (2026, 1, 31), (2026, 2, 28), (2026, 3, 31)]
    months = {datetime(*ymd, 12, tzinfo=UTC) for ymd in last}
    assert found == days | weeks | months
    assert len(found) == 20  # 7 days; the 22nd and 15th; 11 earlier months


def test_a_month_without_backups_costs_no_older_one() -> None:
    old = [NOON - timedelta(days=100 + n) for n in range(3)]
    assert kept([NOON, *old], Keep(4, 0, 0)) == {NOON, *old}


def test_rotation_removes_only_backups(tmp_path: Path) -> None:
    for name in ("results-20260330T010000Z.db", "results-20260331T010000Z.db", "results-20260331T130000Z.db"):
        (tmp_path / name).touch()
    for name in ("results-of-mine.db", "results.db.corrupt.20260101T000000.000000Z"):
        (tmp_path / name).touch()
    removed = rotate(tmp_path, Keep(1, 0, 0))
    assert sorted(path.name for path in removed) == [
        "results-20260330T010000Z.db",
        "results-20260331T010000Z.db",
    ]
    assert len(list(tmp_path.iterdir())) == 3


@pytest.mark.parametrize("text", ["", "7", "7/4", "7/4/12/1", "a/b/c", "0/0/0", "-1/2/3"])
def test_a_rule_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(ConfigurationError):
        Keep.parse(text)


def test_the_newest_good_backup_is_found(url: str, tmp_path: Path) -> None:
    folder = tmp_path / "backups"
    folder.mkdir()
    good = back_up(url, folder, NOON)
    bad = back_up(url, folder, NOON + timedelta(days=1))
    assert [path.name for path in dated_backups(folder)] == [
        "results-20260401T120000Z.db",
        "results-20260331T120000Z.db",
    ]
    content = bytearray(bad.read_bytes())
    content[4096:] = bytes(len(content) - 4096)
    bad.write_bytes(content)
    assert newest_good(folder) == good
    assert chosen(folder) == bad  # what the restore test is to find out
    with pytest.raises(DamagedError):
        check(bad)
    assert newest_good(tmp_path) is None
    with pytest.raises(UnknownError):
        chosen(tmp_path)


def test_a_restored_database_is_the_one_backed_up_and_the_other_is_kept(url: str, tmp_path: Path) -> None:
    made = back_up(url, tmp_path / "copy.db")
    store = Store.open(url)
    store.add(batched(whole_run("two"), first=100))
    found, aside = restore(made, url)
    assert found.runs == 1
    assert aside is not None
    store.add(batched([run_started("three"), run_ended("three", 0)], first=200))  # the recorder goes on
    store.close()
    assert [run.name for run in Results.open(url).runs()] == ["three", "one"]
    assert {run.name for run in Results.open(str(aside)).runs()} == {"one", "two"}


def test_a_backup_whose_rows_belong_to_no_run_is_no_backup(url: str, tmp_path: Path) -> None:
    made = back_up(url, tmp_path / "copy.db")
    with closing(sqlite3.connect(made)) as connection, connection:
        connection.execute("DELETE FROM runs")
    with pytest.raises(DamagedError, match="belong to no run"):
        check(made)
