"""The spool keeps what it was given, and never gives a number twice."""

import sqlite3
from pathlib import Path

import pytest

from daemon.spool import Spool, Spooled


def some(*sequences: int) -> list[Spooled]:
    return [Spooled(sequence, "topic", b"payload") for sequence in sequences]


def test_numbers_go_on_after_everything_was_deleted_and_the_spool_reopened(tmp_path: Path) -> None:
    spool = Spool.open(tmp_path / "spool.db", first=1)
    spool.commit(some(1, 2, 3), {})
    spool.commit([], {}, acknowledged=[1, 2, 3])
    spool.close()
    assert Spool.open(tmp_path / "spool.db").next_sequence == 4


def test_a_new_spool_does_not_begin_where_a_lost_one_did(tmp_path: Path) -> None:
    # Milliseconds since 1970 passed 1.7e12 in 2023: no spool numbered from 1 gets there.
    assert Spool.open(tmp_path / "spool.db").next_sequence > 1.7e12


def test_the_epoch_grows_with_every_opening(tmp_path: Path) -> None:
    assert [Spool.open(tmp_path / "spool.db").epoch for _ in range(3)] == [1, 2, 3]


def test_only_what_is_acknowledged_is_forgotten(tmp_path: Path) -> None:
    spool = Spool.open(tmp_path / "spool.db", first=1)
    spool.commit(some(1, 2, 3, 4), {})
    spool.commit([], {}, acknowledged=[2, 4, 99])
    assert [row.sequence for row in spool.page(0, 10)] == [1, 3]
    assert spool.count == 2


def test_pages_begin_after_the_number_given(tmp_path: Path) -> None:
    spool = Spool.open(tmp_path / "spool.db", first=1)
    spool.commit(some(1, 2, 3, 4), {})
    assert spool.page(1, 2) == some(2, 3)


def test_run_states_are_kept_with_the_readings_and_forgotten_when_closed(tmp_path: Path) -> None:
    spool = Spool.open(tmp_path / "spool.db", first=1)
    spool.commit(some(1), {"one": b"a", "two": b"b"})
    spool.commit(some(2), {"one": b"c", "two": None})
    assert Spool.open(tmp_path / "spool.db").states() == {"one": b"c"}


def test_a_commit_that_fails_leaves_neither_readings_nor_state(tmp_path: Path) -> None:
    spool = Spool.open(tmp_path / "spool.db", first=1)
    spool.commit(some(1), {"run": b"before"})
    with pytest.raises(sqlite3.IntegrityError):
        spool.commit(some(2, 1), {"run": b"after"})
    assert [row.sequence for row in spool.page(0, 10)] == [1]
    assert spool.states() == {"run": b"before"}
    assert spool.count == 1


def test_a_full_disk_is_told_and_what_was_committed_is_still_there(tmp_path: Path) -> None:
    spool = Spool.open(tmp_path / "spool.db", first=1)
    spool.commit(some(1), {})
    spool._connection.execute("PRAGMA max_page_count = 20")
    with pytest.raises(sqlite3.OperationalError, match="full"):
        spool.commit([Spooled(2, "topic", bytes(200_000))], {})
    assert [row.sequence for row in spool.page(0, 10)] == [1]


def test_a_damaged_file_is_set_aside_and_a_new_one_begun(tmp_path: Path) -> None:
    path = tmp_path / "spool.db"
    spool = Spool.open(path, first=1)
    spool.commit([Spooled(n, "topic", bytes(3000)) for n in range(1, 40)], {})
    spool._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    spool._connection.close()  # as a crash leaves it: not marked as left in order
    whole = bytearray(path.read_bytes())
    whole[8192:40960] = b"\xff" * 32768
    path.write_bytes(whole)
    mended = Spool.open(path)
    assert mended.set_aside is not None
    assert mended.set_aside.name.startswith("spool.db.corrupt.")
    assert mended.set_aside.stat().st_size == len(whole)
    assert mended.page(0, 10) == []


def test_every_commit_is_synchronous_and_in_a_write_ahead_log(tmp_path: Path) -> None:
    spool = Spool.open(tmp_path / "spool.db")
    pragmas = ("journal_mode", "synchronous")
    told = [spool._connection.execute(f"PRAGMA {name}").fetchone()[0] for name in pragmas]
    assert told == ["wal", 2]  # 2 is FULL
