"""From the outbox through broker and recorder to the database: nothing lost, nothing twice."""

import asyncio
import shutil
import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from pathlib import Path

import aiomqtt
import msgspec
import pytest

from daemon.delivery.messages import VERSION, Acknowledged, Batch, Readings, acknowledged_topic, data_topic
from daemon.delivery.outbox import Outbox
from daemon.delivery.publisher import Publisher
from daemon.delivery.spool import Spool
from daemon.reading.results import Counts, Results
from daemon.recording.figure_maker import later
from daemon.recording.recorder import Recorder, record
from daemon.recording.store import Store
from tests.daemon.deliveries import (
    batched,
    ended,
    free_port,
    killed_broker,
    noted,
    readings,
    run_ended,
    running_broker,
    until,
    whole_run,
)


@asynccontextmanager
async def core(folder: Path, port: int) -> AsyncIterator[Outbox]:
    """Outbox and publisher as the core runs them; gone, with the spool closed, when the block ends."""
    outbox = Outbox(Spool.open(folder / "spool.db"), "core", tick=0.002)
    publisher = Publisher(outbox, f"mqtt://127.0.0.1:{port}", patience=0.3)
    tasks = [asyncio.create_task(outbox.run()), asyncio.create_task(publisher.run())]
    try:
        yield outbox
    finally:
        for task in tasks:
            await ended(task)
        await outbox.aclose()


@asynccontextmanager
async def recording(recorder: Recorder) -> AsyncIterator[None]:
    task = asyncio.create_task(recorder.run(), name="recorder")
    try:
        await until(lambda: recorder.connected or task.done())
        if task.done():
            task.result()
        yield
    finally:
        await ended(task)


def recorder_for(folder: Path, port: int, name: str = "recorder") -> Recorder:
    url = f"sqlite:///{folder / 'results.db'}?timeout=0.05"
    return Recorder(f"mqtt://127.0.0.1:{port}", url, name, flush=0.002)


async def put_slowly(outbox: Outbox, run: str, first: int, last: int) -> None:
    """One reading after the other, so that many ticks and batches come of it."""
    for number in range(first, last + 1):
        outbox.put("rack-1", readings(run, number, 1))
        if number % 10 == 0:
            await asyncio.sleep(0.002)


async def test_a_run_arrives_whole_and_the_spool_is_empty(tmp_path: Path) -> None:
    port = free_port()
    async with running_broker(port), recording(recorder_for(tmp_path, port)), core(tmp_path, port) as outbox:
        for item in whole_run("one"):
            outbox.put("rack-1", item)
        await outbox.flush()
        await until(lambda: outbox.backlog == 0)
    results = Results.open(str(tmp_path / "results.db"))
    assert results.run("one").state == "finished"
    assert results.counts("one") == Counts(expected=40, stored=40)
    assert results.cycles("one")[0].coulombic_efficiency == pytest.approx(0.9)
    assert Spool.open(tmp_path / "spool.db").page(0, 1) == []


async def test_nothing_is_lost_while_broker_recorder_and_core_come_and_go(tmp_path: Path) -> None:
    port = free_port()
    async with core(tmp_path, port) as outbox:
        await put_slowly(outbox, "one", 1, 200)  # nobody there
        async with killed_broker(port):
            await put_slowly(outbox, "one", 201, 400)  # a broker, and nobody behind it
            async with recording(recorder_for(tmp_path, port)):
                await put_slowly(outbox, "one", 401, 600)
        async with recorder_late(tmp_path, port), killed_broker(port):  # both again, in the other order
            await put_slowly(outbox, "one", 601, 800)
        await put_slowly(outbox, "one", 801, 1000)
    async with core(tmp_path, port) as outbox:  # the core has restarted too: its spool knows
        outbox.put("rack-1", run_ended("one", 1000))
        await outbox.flush()
        async with killed_broker(port), recording(recorder_for(tmp_path, port)):
            await until(lambda: outbox.backlog == 0)
    results = Results.open(str(tmp_path / "results.db"))
    assert results.counts("one") == Counts(expected=1000, stored=1000)
    # The k-th reading was put with the time k: rows are not only there but the right ones.
    assert [row.time for row in results.readings("one")] == [float(number) for number in range(1, 1001)]


@asynccontextmanager
async def recorder_late(folder: Path, port: int) -> AsyncIterator[None]:
    """A recorder started before there is a broker."""
    task = asyncio.create_task(recorder_for(folder, port).run())
    try:
        yield
    finally:
        await ended(task)


async def test_two_recorders_of_one_database_record_everything_once(tmp_path: Path) -> None:
    port = free_port()
    async with (
        running_broker(port),
        recording(recorder_for(tmp_path, port, "left")),
        recording(recorder_for(tmp_path, port, "right")),
        core(tmp_path, port) as outbox,
    ):
        await put_slowly(outbox, "one", 1, 300)
        await outbox.flush()
        await until(lambda: outbox.backlog == 0)
    assert Results.open(str(tmp_path / "results.db")).counts("one").stored == 300


async def test_rubbish_is_kept_apart_and_what_follows_is_recorded(tmp_path: Path) -> None:
    port = free_port()
    good = batched([noted("one", 1), noted("one", 2)])
    encode = msgspec.msgpack.encode
    newer = Batch("core", 1, 3, "rack-1", [noted("one", 3)], version=VERSION + 1)
    beyond = Batch("core", 1, 4, "rack-1", [Readings("one", 2**62 * 2, 1, 1, readings("one", 1, 1).rows)])
    letters = [
        (data_topic("core", "rack-1"), encode(good[0])),
        (data_topic("core", "rack-1"), b"\xc1 no batch at all"),
        (data_topic("core", "rack-1"), encode({"core": "core", "epoch": "one"})),
        (data_topic("core", "rack-2"), encode(good[0])),  # another instrument's topic
        (data_topic("core", "rack-1"), encode(newer)),
        (data_topic("core", "rack-1"), encode(beyond)),  # decodes, but no database takes such a step
        (data_topic("core", "rack-1"), encode(good[1])),
    ]
    recorder = recorder_for(tmp_path, port)
    async with running_broker(port), recording(recorder), aiomqtt.Client("127.0.0.1", port) as client:
        await client.subscribe(acknowledged_topic("core"), qos=1)
        for topic, payload in letters:
            await client.publish(topic, payload, qos=1)
        acknowledged: set[int] = set()
        async with asyncio.timeout(60):
            while acknowledged != {1, 2}:
                message = await anext(client.messages)
                assert isinstance(message.payload, bytes)
                acknowledged |= set(msgspec.msgpack.decode(message.payload, type=Acknowledged).sequences)
    assert recorder.dead_letters == 5
    connection = sqlite3.connect(tmp_path / "results.db")
    reasons = [row[0] for row in connection.execute("SELECT reason FROM dead_letters ORDER BY reason")]
    kept = connection.execute("SELECT ordinal FROM events ORDER BY ordinal").fetchall()
    connection.close()
    assert len(reasons) == 5
    assert any("version 2, wanted 1" in reason for reason in reasons)
    assert any("came on 'galvanod/v1/core/data/rack-2'" in reason for reason in reasons)
    assert kept == [(1,), (2,)]


async def test_a_locked_database_is_waited_for_and_nothing_acknowledged(tmp_path: Path) -> None:
    port = free_port()
    recorder = recorder_for(tmp_path, port)
    async with running_broker(port), recording(recorder), core(tmp_path, port) as outbox:
        other = sqlite3.connect(tmp_path / "results.db", isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        await put_slowly(outbox, "one", 1, 50)
        await until(lambda: recorder.trouble is not None)
        assert "locked" in str(recorder.trouble)
        assert outbox.backlog > 0
        other.execute("ROLLBACK")
        other.close()
        await until(lambda: outbox.backlog == 0)
        assert recorder.trouble is None
    assert Results.open(str(tmp_path / "results.db")).counts("one").stored == 50


async def test_figures_are_made_beside_the_recording_and_cover_the_end(tmp_path: Path) -> None:
    port = free_port()
    seen: list[tuple[str, int | None]] = []

    def figures(store: Store, run: str, step: int | None) -> None:
        seen.append((run, step))
        if step == 2:
            raise ZeroDivisionError  # a flaw in a figure ends nothing

    url = str(tmp_path / "results.db")
    recorder = Recorder(f"mqtt://127.0.0.1:{port}", url, on_step_ended=figures, flush=0.002)
    async with running_broker(port), recording(recorder), core(tmp_path, port) as outbox:
        for item in whole_run("one"):
            outbox.put("rack-1", item)
            await outbox.flush()
        await until(lambda: figured(url) == ["end"])
    assert ("one", None) in seen
    assert [run for run, _ in seen] == ["one"] * len(seen)


def figured(path: str) -> list[str]:
    """Return up to where the figures of each run are made."""
    with closing(sqlite3.connect(path)) as connection:
        return [found for (found,) in connection.execute("SELECT figured FROM runs")]


async def test_figures_an_earlier_recorder_left_undone_are_made(tmp_path: Path) -> None:
    port = free_port()
    url = str(tmp_path / "results.db")
    store = Store.open(url)
    store.add(batched(whole_run("one")))
    store.close()
    seen: list[tuple[str, int | None]] = []

    def figures(store: Store, run: str, step: int | None) -> None:
        seen.append((run, step))

    task = asyncio.create_task(record(f"mqtt://127.0.0.1:{port}", url, "recorder", figures))
    await until(lambda: seen == [("one", None)])
    await ended(task)


def test_the_end_of_a_run_is_later_than_any_step() -> None:
    assert [later(1, 3), later(4, 2), later(None, 9), later(9, None)] == [3, 4, None, None]


@pytest.mark.skipif(shutil.which("mosquitto") is None, reason="mosquitto is not installed here")
async def test_nothing_is_lost_when_mosquitto_is_killed_with_its_queue(tmp_path: Path) -> None:
    port = free_port()

    async def start() -> asyncio.subprocess.Process:
        return await asyncio.create_subprocess_exec(
            "mosquitto", "-p", str(port), stderr=asyncio.subprocess.DEVNULL
        )

    recorder = recorder_for(tmp_path, port)
    broker = await start()
    async with recording(recorder), core(tmp_path, port) as outbox:
        for first in (1, 301, 601):
            await put_slowly(outbox, "one", first, first + 299)
            broker.kill()
            await broker.wait()
            broker = await start()
        await until(lambda: outbox.backlog == 0)
    broker.kill()
    await broker.wait()
    assert Results.open(str(tmp_path / "results.db")).counts("one") == Counts(expected=900, stored=900)
