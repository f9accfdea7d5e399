"""The journal: on the disk before the deed, one commit for many, nothing forgotten."""

import asyncio
import json
import sqlite3
import time
from collections.abc import AsyncIterator, Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, closing
from pathlib import Path

import pytest

from daemon.channels.journalled import Deeds, JournalledStepped
from daemon.channels.latches import Latch
from daemon.errors import BusyError, UnavailableError
from daemon.running.journal import Journal
from daemon.running.journal_file import JournalFile, Statement
from protocols.setpoint import AtRest, Current, Setpoint
from tests.daemon.stepped_bench import JumpClock, LinearCell, window


@asynccontextmanager
async def opened(path: Path) -> AsyncIterator[Journal]:
    journal = await Journal.open(path)
    try:
        yield journal
    finally:
        await journal.aclose()


def rows(path: Path, query: str) -> list[tuple[object, ...]]:
    with closing(sqlite3.connect(path)) as connection:
        return connection.execute(query).fetchall()


class Watching(LinearCell):
    """Looks into the journal's file at the moment it is told something."""

    def __init__(self, path: Path) -> None:
        super().__init__(JumpClock())
        self.path = path
        self.seen: list[list[tuple[object, ...]]] = []

    async def apply(self, setpoint: Setpoint) -> None:
        self.seen.append(rows(self.path, "SELECT kind, phase FROM action ORDER BY number"))
        await super().apply(setpoint)


async def test_an_intent_is_on_the_disk_before_the_instrument_hears_of_it(tmp_path: Path) -> None:
    path = tmp_path / "journal.db"
    async with opened(path) as journal:
        channel = Watching(path)
        await JournalledStepped(channel, Deeds(journal, "smu1", "lab-1", lambda: 1)).apply(Current(1e-3, 4.2))
        assert channel.seen == [[("apply", "intent")]]
    assert rows(path, "SELECT phase, json_extract(arguments, '$.level') FROM action") == [("done", 1e-3)]


async def test_a_ramp_writes_one_intent_and_a_new_step_another(tmp_path: Path) -> None:
    step = 1
    async with opened(tmp_path / "journal.db") as journal:
        cell = LinearCell(JumpClock())
        channel = JournalledStepped(cell, Deeds(journal, "smu1", "lab-1", lambda: step))
        for milliamperes in range(100):
            await channel.apply(Current(milliamperes * 1e-3, 4.2))
        assert len(await journal.actions("lab-1")) == 1
        step = 2
        await channel.apply(Current(0.0, 4.2))
        await channel.apply(AtRest(4.2))
        assert [action.step for action in await journal.actions("lab-1")] == [1, 2, 2]
        assert len(cell.applied) == 102


async def test_off_acts_first_and_does_not_need_the_disk(tmp_path: Path) -> None:
    path = tmp_path / "journal.db"
    async with opened(path) as journal:
        cell = LinearCell(JumpClock())
        channel = JournalledStepped(cell, Deeds(journal, "smu1", "lab-1", lambda: 1))
        with closing(sqlite3.connect(path, isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")  # nobody else can write
            await channel.off()
            assert cell.offs == 1
            with pytest.raises(UnavailableError, match="locked"):
                await channel.apply(Current(1e-3, 4.2))
            assert cell.applied == []  # what cannot be written down is not done
            other.execute("ROLLBACK")
        await channel.prepare(window((2.5, 4.2), 1.0))
        assert [(action.kind, action.phase) for action in await journal.actions("lab-1")] == [
            ("off", "done"),
            ("prepare", "done"),
        ]


async def test_an_intent_without_done_is_lost_at_the_next_start(tmp_path: Path) -> None:
    path = tmp_path / "journal.db"
    async with opened(path) as journal:
        await journal.intend("smu1", "lab-1", 1, "apply", {"function": "current"})
        journal.settle(await journal.intend("smu1", "lab-1", 2, "apply", {}), "done", "")
    async with opened(path) as journal:
        assert journal.epoch == 2
        assert [action.phase for action in await journal.actions("lab-1")] == ["lost", "done"]


async def test_a_younger_epoch_shuts_the_older_one_out(tmp_path: Path) -> None:
    path = tmp_path / "journal.db"
    async with opened(path) as old, opened(path) as young:
        with pytest.raises(BusyError, match="epoch 2 has taken over from this core's epoch 1"):
            await old.intend("smu1", "lab-1", 1, "apply", {})
        await young.intend("smu1", "lab-1", 1, "apply", {})


class Counting(JournalFile):
    commits = 0

    def commit(self, statements: Iterable[Statement]) -> None:
        self.commits += 1
        super().commit(statements)


async def test_many_channels_share_a_commit(tmp_path: Path) -> None:
    thread = ThreadPoolExecutor(max_workers=1)
    file = await asyncio.get_running_loop().run_in_executor(thread, Counting.open, tmp_path / "journal.db")
    journal = Journal(file, thread)
    await asyncio.gather(*(journal.intend(f"c{n}", f"lab-{n}", 1, "apply", {}) for n in range(64)))
    assert file.commits == 2  # the first alone, the others together while it was written
    await journal.aclose()


async def test_a_latch_that_the_disk_refused_is_written_when_it_takes_something_again(tmp_path: Path) -> None:
    path = tmp_path / "journal.db"
    latch = Latch("smu1", 1e9, "lab-1", "voltage 4.31 V is outside 2.5 to 4.3 V", [])
    async with opened(path) as journal:
        with closing(sqlite3.connect(path, isolation_level=None)) as other:
            refusing = "CREATE TRIGGER full BEFORE INSERT ON latch BEGIN SELECT RAISE(ABORT, 'full'); END"
            other.execute(refusing)
            with pytest.raises(UnavailableError, match="full"):
                await journal.latch(latch)
            other.execute("DROP TRIGGER full")
    async with opened(path) as journal:
        assert journal.latches == {"smu1": latch}


async def test_latches_and_cells_outlive_the_core_and_clearing_is_kept(tmp_path: Path) -> None:
    path = tmp_path / "journal.db"
    latch = Latch("smu1", 1e9, "lab-1", "voltage 4.31 V is outside 2.5 to 4.3 V", [(1.0, 4.31, 0.5, None, 0)])
    async with opened(path) as journal:
        await journal.latch(latch)
    async with opened(path) as journal:
        assert journal.latches["smu1"].facts()["readings"][0]["voltage"] == 4.31
        before = time.time()
        await journal.clear("smu1", "ada", "cell changed")
        [(moment, who, detail)] = await journal.audited("clear", "smu1", 0.0)
        assert (who, json.loads(detail)["reason"]) == ("ada", "cell changed")
        assert before <= moment <= time.time()
    async with opened(path) as journal:
        assert journal.latches == {}


async def test_a_damaged_journal_is_set_aside(tmp_path: Path) -> None:
    path = tmp_path / "journal.db"
    async with opened(path) as journal:
        await journal.intend("smu1", "lab-1", 1, "apply", {})
    path.write_bytes(b"not a database" * 1000)
    async with opened(path) as journal:
        assert journal.epoch == 1
        assert list(tmp_path.glob("journal.db.corrupt.*"))
