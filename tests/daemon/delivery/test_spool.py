"""The spool keeps what it was given, and never gives a number twice."""

import sqlite3
from pathlib import Path

import pytest

from daemon.delivery.spool import Spool, Spooled, Told
from daemon.recording.lineage import UNMARKED, Mark


def some(*sequences: int) -> list[Spooled]:
    return [Spooled(sequence, "topic", b"payload") for sequence in sequences]


def test_numbers_go_on_after_everything_was_deleted_and_the_spool_reopened(tmp_path: Path) -> None:
    spool = Spool.open(tmp_path / "spool.db", first=1)
    spool.commit(some(1, 2, 3), {})
    spool.commit([], {}, acknowledged=dict.fromkeys([1, 2, 3], UNMARKED))
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
    spool.commit([], {}, acknowledged=dict.fromkeys([2, 4, 99], UNMARKED))
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


FIRST, SECOND, LATER = Mark("db", 1), Mark("db", 2), Mark("copy", 1)


def acknowledged_spool(path: Path, keep_bytes: int = 1000) -> Spool:
    """Three batches of seven bytes, acknowledged by the first and the second commit of "db"."""
    spool = Spool.open(path, first=1, keep_bytes=keep_bytes)
    spool.commit(some(1, 2, 3), {})
    spool.commit([], {}, {1: FIRST, 2: FIRST, 3: SECOND})
    assert (spool.page(0, 10), spool.count) == ([], 0)
    return spool


def test_what_is_acknowledged_is_kept_until_a_backup_holds_it(tmp_path: Path) -> None:
    spool = acknowledged_spool(tmp_path / "spool.db")
    assert spool.kept_bytes == 21
    spool.commit([], {}, told=Told({"db": 2}, {"db": 1}))
    assert spool.kept_bytes == 7
    spool.commit([], {}, told=Told({"db": 2}, {"db": 2}))
    assert spool.kept_bytes == 0
    assert Spool.open(tmp_path / "spool.db").kept_bytes == 0


def test_what_a_database_turns_out_to_have_lost_is_pending_again(tmp_path: Path) -> None:
    spool = acknowledged_spool(tmp_path / "spool.db")
    spool.close()
    spool = Spool.open(tmp_path / "spool.db")  # another core, after a night
    assert spool.commit([], {}, told=Told({"db": 1, "copy": 0}, {"db": 1})) == 1
    assert spool.page(0, 10) == some(3)
    assert (spool.count, spool.kept_bytes) == (1, 0)
    spool.commit([], {}, {3: LATER})
    assert (spool.count, spool.kept_bytes) == (0, 7)
    assert spool.commit([], {}, told=Told({"db": 1, "copy": 1}, {})) == 0


def test_a_database_built_anew_from_nothing_has_lost_everything(tmp_path: Path) -> None:
    spool = acknowledged_spool(tmp_path / "spool.db")
    assert (
        spool.commit([], {}, told=Told({"another": 9}, {})) == 0
    )  # of that nobody knows what it should hold
    assert spool.commit([], {}, told=Told({"*": 0, "copy": 0}, {})) == 3
    assert spool.page(0, 10) == some(1, 2, 3)


def test_the_oldest_of_what_is_kept_goes_where_there_is_no_room(tmp_path: Path) -> None:
    spool = acknowledged_spool(tmp_path / "spool.db", keep_bytes=15)
    assert spool.kept_bytes == 14
    assert spool.commit([], {}, told=Told({"*": 0}, {})) == 2
    assert spool.page(0, 10) == some(2, 3)


def test_a_spool_of_a_version_that_kept_nothing_is_taken_over(tmp_path: Path) -> None:
    spool = Spool.open(tmp_path / "spool.db", first=1)
    spool.commit(some(1, 2), {})
    for table in ("pending", "kept"):
        spool._connection.execute(f"DROP TABLE {table}")
    spool._connection.close()
    again = Spool.open(tmp_path / "spool.db")
    assert (again.page(0, 10), again.count) == (some(1, 2), 2)
