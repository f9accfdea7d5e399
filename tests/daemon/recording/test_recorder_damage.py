"""A damaged results database: set aside, built anew, and recording goes on."""

import asyncio
import os
import sqlite3
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path

import pytest

from daemon.delivery.messages import Batch, Item
from daemon.errors import DamagedError, UnavailableError
from daemon.reading.results import Results
from daemon.recording.backup import FOLDER, back_up, restore
from daemon.recording.figure_maker import FigureMaker
from daemon.recording.ingest import Ending, Ingest
from daemon.recording.lineage import Mark
from daemon.recording.recorder import Recorder
from daemon.recording.store import Store
from tests.daemon.deliveries import batched, ended, free_port, readings, run_started, running_broker, until
from tests.daemon.recording.test_recorder import core, put_slowly, recorder_for, recording

PAGE = 4096


def database(folder: Path) -> Path:
    return folder / "results.db"


def page_of(path: Path, table: str, number: int, key: str = "number") -> int:
    """The page (from 0) on which a row of the run is, by SQLite's own account of where its leaves are."""
    with closing(sqlite3.connect(path)) as connection:
        leaves = connection.execute(
            "SELECT pageno FROM dbstat WHERE name = ? AND pagetype = 'leaf' ORDER BY path", (table,)
        ).fetchall()
        last = connection.execute(f"SELECT max({key}) FROM {table}").fetchone()[0]  # noqa: S608
    return int(leaves[len(leaves) * number // last][0]) - 1


def spoil(path: Path, page: int) -> None:
    with path.open("r+b") as file:
        file.seek(page * PAGE)
        file.write(b"\xff" * PAGE)


def files(folder: Path, part: str) -> list[str]:
    return sorted(path.name for path in folder.iterdir() if part in path.name)


def numbers(path: Path, run: str) -> list[int]:
    results = Results.open(str(path))
    try:
        return [row.number for row in results.readings(run, limit=100_000)]
    finally:
        results.close()


def filled(folder: Path, first: int, last: int) -> Store:
    """A store with one run; the k-th reading at the time k."""
    store = Store.open(f"sqlite:///{database(folder)}")
    items: list[Item] = [run_started("one"), *(readings("one", n, 100) for n in range(first, last + 1, 100))]
    store.add(batched(items))
    return store


def test_with_a_backup_only_what_came_after_and_was_unreadable_is_missing(tmp_path: Path) -> None:
    filled(tmp_path, 1, 2000).close()
    (tmp_path / FOLDER).mkdir()
    backup = back_up(str(database(tmp_path)), tmp_path / FOLDER)
    filled(tmp_path, 2001, 6000).close()
    early, late = page_of(database(tmp_path), "readings", 1000), page_of(database(tmp_path), "readings", 5000)
    spoil(database(tmp_path), early)
    spoil(database(tmp_path), late)
    store = Store.open(f"sqlite:///{database(tmp_path)}")
    with pytest.raises(DamagedError, match="malformed"):
        store.add(batched([readings("one", 5000, 3)]))
    with pytest.raises(DamagedError, match="malformed") as caught:
        numbers(database(tmp_path), "one")
    store.mend(caught.value)
    store.add(batched([readings("one", 6001, 1)]))
    store.close()
    found = numbers(database(tmp_path), "one")
    # Everything up to the backup; a leaf holds some 60 readings, so not a hundred later ones are missing,
    # and those are where the file was spoilt.
    assert found[:2000] == list(range(1, 2001))
    missing = sorted(set(range(1, 6002)) - set(found))
    assert 0 < len(missing) < 100
    assert missing == list(range(missing[0], missing[-1] + 1))
    assert missing[0] > 4800
    assert missing[-1] < 5200
    [event] = Results.open(str(database(tmp_path))).events("one")
    assert event.kind == "database restored"
    assert event.ordinal == -1  # those from 1 on are the core's
    assert event.detail["backup"] == str(backup)
    assert event.detail["unreadable"] == ["readings"]
    [aside] = [name for name in files(tmp_path, ".corrupt.") if name.endswith("Z")]
    with pytest.raises(DamagedError):
        numbers(tmp_path / aside, "one")  # kept as it was


def test_without_a_backup_what_can_be_read_is_kept(tmp_path: Path) -> None:
    filled(tmp_path, 1, 3000).close()
    spoil(database(tmp_path), page_of(database(tmp_path), "readings", 1500))
    store = Store.open(f"sqlite:///{database(tmp_path)}")
    store.mend(DamagedError("a page"))
    store.close()
    missing = sorted(set(range(1, 3001)) - set(numbers(database(tmp_path), "one")))
    assert 0 < len(missing) < 100
    assert Results.open(str(database(tmp_path))).run("one").cell == "Li-S coin cell"


def test_a_file_that_is_no_database_is_set_aside_with_its_companions(tmp_path: Path) -> None:
    for suffix in ("", "-wal", "-shm"):
        database(tmp_path).with_name(f"results.db{suffix}").write_bytes(b"no database" * 1000)
    store = Store.open_mended(f"sqlite:///{database(tmp_path)}")
    store.add(batched([run_started("one")]))
    store.close()
    kept = files(tmp_path, ".corrupt.")
    assert [name.rpartition("Z")[2] for name in kept] == ["", "-shm", "-wal"]
    for name in (kept[0], kept[2]):  # the -shm is an index SQLite makes anew whenever it looks
        assert (tmp_path / name).read_bytes() == b"no database" * 1000


def test_a_database_that_was_not_closed_is_checked_before_it_is_used(tmp_path: Path) -> None:
    filled(tmp_path, 1, 3000).close()
    script = (
        "import os, sqlite3, sys; c = sqlite3.connect(sys.argv[1]);"
        "c.execute('UPDATE runs SET reason = 1'); c.commit(); os._exit(9)"
    )
    page = page_of(database(tmp_path), "readings", 1500)
    subprocess.run([sys.executable, "-c", script, str(database(tmp_path))], check=False)
    spoil(database(tmp_path), page)
    Store.open_mended(f"sqlite:///{database(tmp_path)}").close()
    assert files(tmp_path, ".corrupt.")


def test_another_store_follows_and_what_it_wrote_meanwhile_is_not_called_kept(tmp_path: Path) -> None:
    one, other = filled(tmp_path, 1, 100), Store.open(f"sqlite:///{database(tmp_path)}")
    other.add(batched([readings("one", 101, 1)]))
    one.mend(DamagedError("said by somebody"))
    other.add(batched([readings("one", 102, 1)]))
    one.mend(DamagedError("said late by somebody who"))  # had not noticed: once is enough
    one.add(batched([readings("one", 103, 1)]))
    one.close()
    other.close()
    assert numbers(database(tmp_path), "one") == list(range(1, 104))


def test_a_commit_into_a_file_that_went_aside_is_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = filled(tmp_path, 1, 100)
    take = Ingest.take

    def take_while_it_goes(ingest: Ingest, batches: Sequence[Batch]) -> None:
        take(ingest, batches)
        database(tmp_path).rename(tmp_path / "gone.db")

    with monkeypatch.context() as context:
        context.setattr(Ingest, "take", take_while_it_goes)
        with pytest.raises(UnavailableError, match="another file took its place"):
            store.add(batched([readings("one", 101, 1)]))
    store.close()


async def test_the_recorder_mends_in_mid_run_and_the_cores_lose_nothing(tmp_path: Path) -> None:
    port = free_port()
    recorder = recorder_for(tmp_path, port)
    async with running_broker(port), recording(recorder), core(tmp_path, port) as outbox:
        outbox.put("rack-1", run_started("one"))
        await put_slowly(outbox, "one", 1, 300)
        await until(lambda: outbox.backlog == 0)
        (tmp_path / FOLDER).mkdir()
        back_up(str(database(tmp_path)), tmp_path / FOLDER)
        with closing(sqlite3.connect(database(tmp_path))) as connection:
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        size = database(tmp_path).stat().st_size
        with database(tmp_path).open("r+b") as file:  # not the first page: its header is in memory
            file.seek(PAGE)
            file.write(b"\xff" * (size - PAGE))
        with closing(sqlite3.connect(database(tmp_path))) as other:  # makes the recorder read the pages anew
            other.execute("PRAGMA user_version = 7")
        await put_slowly(outbox, "one", 301, 600)
        await until(lambda: outbox.backlog == 0)
        assert recorder.trouble is None
    assert len(files(tmp_path, ".corrupt.")) >= 1
    assert numbers(database(tmp_path), "one") == list(range(1, 601))
    kinds = [event.kind for event in Results.open(str(database(tmp_path))).events("one")]
    assert "database restored" in kinds


async def test_what_was_acknowledged_after_the_last_backup_comes_back_from_the_cores(tmp_path: Path) -> None:
    port = free_port()
    recorder = recorder_for(tmp_path, port)
    async with running_broker(port), recording(recorder), core(tmp_path, port) as outbox:
        outbox.put("rack-1", run_started("one"))
        await put_slowly(outbox, "one", 1, 300)
        await until(lambda: outbox.backlog == 0)
        (tmp_path / FOLDER).mkdir()
        back_up(str(database(tmp_path)), tmp_path / FOLDER)
        await put_slowly(outbox, "one", 301, 600)
        await until(lambda: outbox.backlog == 0)
    assert numbers(database(tmp_path), "one") == list(range(1, 601))
    size = database(tmp_path).stat().st_size
    with database(tmp_path).open("r+b") as file:  # nothing of it can be read
        file.write(b"\xff" * size)
    recorder = recorder_for(tmp_path, port)
    async with running_broker(port), core(tmp_path, port) as outbox:
        assert outbox.backlog == 0
        async with recording(recorder):
            await until(lambda: outbox.revivals == 1)
            await until(lambda: outbox.backlog == 0)
    assert numbers(database(tmp_path), "one") == list(range(1, 601))


async def test_a_backup_lets_the_cores_forget_what_it_holds(tmp_path: Path) -> None:
    port = free_port()
    recorder = Recorder(f"mqtt://127.0.0.1:{port}", str(database(tmp_path)), look=0.01)
    async with running_broker(port), recording(recorder), core(tmp_path, port) as outbox:
        outbox.put("rack-1", run_started("one"))
        await put_slowly(outbox, "one", 1, 300)
        await until(lambda: outbox.backlog == 0 and outbox.kept_bytes > 300 * 20)
        (tmp_path / FOLDER).mkdir()
        back_up(str(database(tmp_path)), tmp_path / FOLDER)
        await until(lambda: outbox.kept_bytes == 0)


def test_what_is_put_back_from_a_backup_says_what_it_lacks(tmp_path: Path) -> None:
    store = filled(tmp_path, 1, 100)
    [name] = store.holdings()
    first = store.mark
    (tmp_path / FOLDER).mkdir()
    backup = back_up(str(database(tmp_path)), tmp_path / FOLDER)
    store.add(batched([readings("one", 101, 1)]))
    assert store.mark == Mark(name, first.commits + 1)
    store.close()
    restore(backup, str(database(tmp_path)))
    store = Store.open(str(database(tmp_path)))
    holdings = dict(store.holdings())
    assert holdings.pop(name) == first.commits
    assert list(holdings.values()) == [0]  # its own, under a name of its own
    store.add(batched([readings("one", 101, 1)]))
    assert store.mark.database in holdings
    store.close()


async def test_damage_only_the_figures_see_is_mended_too(tmp_path: Path) -> None:
    filled(tmp_path, 1, 3000).close()
    spoil(database(tmp_path), page_of(database(tmp_path), "readings", 1500))
    made: list[int] = []

    def figures(store: Store, run: str, step: int | None) -> None:
        made.append(len(numbers(database(tmp_path), run)))

    maker = FigureMaker(str(database(tmp_path)), figures)
    maker.wake([Ending("one", 1)])
    task = asyncio.create_task(maker.run())
    await until(lambda: made != [])
    await ended(task)
    assert 2900 < made[0] < 3000
    assert files(tmp_path, ".corrupt.")


@pytest.fixture
def small(tmp_path: Path) -> Iterator[Path]:
    """A folder on a disk of 2 MB."""
    folder = tmp_path / "small"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", str(folder)]
    if os.geteuid() != 0 or subprocess.run(mount, check=False).returncode != 0:
        pytest.skip("mounting a small disk takes root, and a machine that lets it")
    yield folder
    subprocess.run(["umount", "--lazy", str(folder)], check=True)


async def test_a_full_disk_is_waited_for_and_nothing_acknowledged(small: Path, tmp_path: Path) -> None:
    spool = tmp_path / "spool"
    spool.mkdir()
    port = free_port()
    recorder = recorder_for(small, port)
    async with running_broker(port), recording(recorder), core(spool, port) as outbox:
        await put_slowly(outbox, "one", 1, 50)
        await until(lambda: outbox.backlog == 0)
        ballast = small / "ballast"
        with pytest.raises(OSError, match="No space"):
            ballast.write_bytes(bytes(4 << 20))
        for first in range(51, 5051, 100):
            outbox.put("rack-1", readings("one", first, 100))
        await until(lambda: recorder.trouble is not None)
        assert "full" in str(recorder.trouble)
        assert outbox.backlog > 0
        ballast.unlink()
        await until(lambda: outbox.backlog == 0)
        assert recorder.trouble is None
    assert numbers(database(small), "one") == list(range(1, 5051))
