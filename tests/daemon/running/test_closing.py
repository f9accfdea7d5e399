"""A run that is over while its core's disk takes nothing is closed as soon as it does."""

import asyncio
import sqlite3
from collections.abc import Awaitable, Callable
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import Any

import msgspec
import pytest

from daemon.client import AnswerError
from daemon.delivery.messages import RunEnded
from daemon.requests import Doctor, Pause, Queue, Resume, Runs, Status
from daemon.running.runs import REMEMBERED
from tests.daemon.running.test_recovery import order
from tests.daemon.survival import survival

FULL = """CREATE TRIGGER full BEFORE UPDATE OF closed ON run
BEGIN SELECT RAISE(ABORT, 'the disk is full'); END"""
FULL_SPOOL = FULL.replace("UPDATE OF closed ON run", "INSERT ON batches")

SHORT = "protocol: short\nsteps:\n  - charge: 1 mA\n    until: time >= 5 s\n"


async def until(asked: Callable[[], Awaitable[Any]], answer: Any) -> None:
    async with asyncio.timeout(30.0):
        while await asked() != answer:
            await asyncio.sleep(0.02)


async def test_a_run_whose_end_the_disk_refused_is_closed_later_and_the_queue_waits_for_it(
    tmp_path: Path,
) -> None:
    async with survival(tmp_path) as bench:
        await bench.start()

        async def unconcluded() -> Any:
            return (await bench.ask(Status()))["unconcluded"]

        async def states() -> Any:
            return [run["state"] for run in await bench.ask(Runs())]

        with closing(sqlite3.connect(bench.places.journal, isolation_level=None)) as disk:
            disk.execute(FULL)
            await bench.ask(order(protocol=SHORT.replace("5 s", "200 s")))
            await bench.ask(Pause("1"))
            await bench.ask(msgspec.structs.replace(order(protocol=SHORT), queue=True))
            await bench.ask(Resume("1"))
            await until(unconcluded, {"lab-1": "the journal did not take it: the disk is full"})
            assert len((await bench.ask(Queue("a1")))["waiting"]) == 1
            [found] = await bench.ask(Doctor("a1"))
            said = [finding["text"] for finding in found["findings"] if finding["wrong"]]
            assert said == [
                "run lab-1 is over, which is not on the disk; tried again: "
                "the journal did not take it: the disk is full"
            ]
            disk.execute("DROP TRIGGER full")
            await until(unconcluded, {})
            await until(states, ["finished", "finished"])
            await until(
                lambda: asyncio.to_thread(disk_says, bench.places.journal), [("lab-1", 1), ("lab-2", 1)]
            )


async def test_runs_that_are_long_over_are_let_go_of_and_how_they_ended_is_still_known(
    tmp_path: Path,
) -> None:
    short = "protocol: short\nsteps:\n  - charge: 1 mA\n    until: time >= 1 s\n"
    async with survival(tmp_path) as bench:
        await bench.start()

        async def known() -> Any:
            return [run["run"] for run in await bench.ask(Runs()) if run["state"] == "finished"]

        last = REMEMBERED + 3
        for number in range(1, last + 1):
            assert (await bench.ask(order(protocol=short)))["run"] == f"lab-{number}"
            await until(partial(ended, bench.places.journal, f"lab-{number}"), True)
        await until(known, [f"lab-{number}" for number in range(3, last + 1)])  # with its channel's own


async def ended(journal: Path, run: str) -> bool:
    """Whether the journal knows how a run ended."""
    with closing(sqlite3.connect(journal)) as connection:
        return bool(connection.execute("SELECT 1 FROM ending WHERE run = ?", (run,)).fetchall())


def disk_says(journal: Path) -> list[tuple[str, int]]:
    """Return every run of the journal, and whether it is closed."""
    with closing(sqlite3.connect(journal)) as connection:
        return connection.execute("SELECT name, closed IS NOT NULL FROM run ORDER BY name").fetchall()


async def test_a_submission_whose_run_never_began_begins_one_when_it_is_sent_again(tmp_path: Path) -> None:
    keyed = msgspec.structs.replace(order(protocol=SHORT), key="mine")
    async with survival(tmp_path) as bench:
        await bench.start()
        with closing(sqlite3.connect(bench.places.spool, isolation_level=None)) as disk:
            disk.execute(FULL_SPOOL)
            with pytest.raises(AnswerError, match="the disk is full"):
                await bench.ask(keyed)
            disk.execute("DROP TRIGGER full")
        await until(
            lambda: asyncio.to_thread(disk_says, bench.places.journal),
            [("lab-1", 1)],
        )
        assert (await bench.ask(keyed))["run"] == "lab-2"
        assert (await bench.ask(keyed))["run"] == "lab-2"
        await bench.run_is("finished")
        ended = {item.run: item.state for item in bench.items() if isinstance(item, RunEnded)}
        assert ended == {"lab-1": "failed", "lab-2": "finished"}
