"""The outbox takes items at once and brings them to the spool once per tick."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import msgspec
import pytest
import pytest_asyncio
from hypothesis import given
from hypothesis import strategies as st

from daemon.delivery.messages import Batch, Item, ReadingRow, Readings, data_topic
from daemon.delivery.outbox import BATCH_BYTES, Outbox, merged, next_deadline, portions
from daemon.delivery.spool import Spool
from daemon.errors import UnavailableError
from tests.daemon.deliveries import ended, noted, readings, run_started, until


@pytest.fixture
def spool(tmp_path: Path) -> Spool:
    return Spool.open(tmp_path / "spool.db", first=1)


@pytest_asyncio.fixture
async def outbox(spool: Spool) -> AsyncIterator[Outbox]:
    outbox = Outbox(spool, "core", tick=0.001)
    yield outbox
    await outbox.aclose()


async def batches(outbox: Outbox) -> list[Batch]:
    return [msgspec.msgpack.decode(row.payload, type=Batch) for row in await outbox.page(0, 1000)]


async def test_readings_of_one_step_become_one_item_and_one_batch_per_instrument(outbox: Outbox) -> None:
    for number in (1, 2, 3):
        outbox.put("rack-1", readings("a", number, 1))
        outbox.put("rack-2", readings("b", number, 1))
    await outbox.flush()
    first, second = await batches(outbox)
    assert [first.instrument, second.instrument] == ["rack-1", "rack-2"]
    assert [first.sequence, second.sequence] == [1, 2]
    assert list(first.items) == [readings("a", 1, 3)]
    assert [row.topic for row in await outbox.page(0, 1)] == [data_topic("core", "rack-1")]
    assert outbox.committed == 6


async def test_the_loop_commits_without_being_asked_and_once_more_when_cancelled(outbox: Outbox) -> None:
    task = asyncio.create_task(outbox.run())
    outbox.put("rack-1", readings("a", 1, 1))
    await until(lambda: outbox.committed == 1)
    outbox.put("rack-1", readings("a", 2, 1))
    await ended(task)
    assert outbox.committed == 2


async def test_nothing_is_written_where_nothing_came(outbox: Outbox) -> None:
    outbox.put("rack-1", noted("a", 1))
    await outbox.flush()
    await outbox.flush()
    assert [batch.sequence for batch in await batches(outbox)] == [1]


async def test_the_latest_checkpoint_is_kept_with_the_readings(outbox: Outbox, spool: Spool) -> None:
    outbox.put("rack-1", readings("a", 1, 1))
    outbox.checkpoint("a", b"one")
    outbox.checkpoint("a", b"two")
    outbox.checkpoint("b", None)
    await outbox.flush()
    assert spool.states() == {"a": b"two"}


async def test_what_is_acknowledged_is_neither_paged_nor_counted_and_soon_gone(
    outbox: Outbox, spool: Spool
) -> None:
    for ordinal in (1, 2):
        outbox.put("rack-1", noted("a", ordinal))
        await outbox.flush()
    outbox.acknowledge([1])
    assert [row.sequence for row in await outbox.page(0, 10)] == [2]
    assert outbox.backlog == 1
    await outbox.flush()
    assert (spool.count, outbox.backlog) == (1, 1)


async def test_a_disk_that_is_full_loses_nothing_and_is_told(outbox: Outbox, spool: Spool) -> None:
    spool._connection.execute("PRAGMA max_page_count = 12")
    outbox.put("rack-1", readings("a", 1, 2000))
    outbox.checkpoint("a", b"state")
    with pytest.raises(UnavailableError, match="2000 readings: database or disk is full"):
        await outbox.flush()
    assert outbox.trouble == "database or disk is full"
    outbox.put("rack-1", readings("a", 2001, 1))
    spool._connection.execute("PRAGMA max_page_count = 10000")
    await outbox.flush()
    assert outbox.trouble is None
    assert [list(batch.items) for batch in await batches(outbox)] == [[readings("a", 1, 2001)]]
    assert spool.states() == {"a": b"state"}


async def test_the_loop_tries_again_by_itself(outbox: Outbox, spool: Spool) -> None:
    spool._connection.execute("PRAGMA max_page_count = 12")
    task = asyncio.create_task(outbox.run())
    outbox.put("rack-1", readings("a", 1, 2000))
    await until(lambda: outbox.trouble is not None)
    spool._connection.execute("PRAGMA max_page_count = 10000")
    await until(lambda: outbox.committed == 2000)
    await ended(task)


async def test_a_full_memory_refuses_readings_but_not_the_end_of_a_run(spool: Spool) -> None:
    outbox = Outbox(spool, "core", capacity=10)
    outbox.put("rack-1", readings("a", 1, 10))
    with pytest.raises(UnavailableError, match="10 readings wait for the disk and no more than 10 may"):
        outbox.put("rack-1", readings("a", 11, 1))
    outbox.put("rack-1", noted("a", 1))
    await outbox.flush()
    assert outbox.committed == 10
    outbox.put("rack-1", readings("a", 11, 1))
    await outbox.aclose()
    assert outbox.committed == 11


async def test_what_cannot_be_encoded_is_refused_at_the_door(outbox: Outbox) -> None:
    with pytest.raises(TypeError):
        outbox.put("rack-1", noted("a", 1).__class__("a", 1, 0.0, "k", "t", {"x": object()}))
    await outbox.flush()
    assert await batches(outbox) == []


def test_readings_are_not_joined_across_a_step_a_cycle_or_a_missing_number() -> None:
    items: list[Item] = [
        readings("a", 1, 2),
        readings("a", 3, 1, step=2),
        readings("a", 4, 1, step=2, cycle=2),
        readings("a", 6, 1, step=2, cycle=2),
    ]
    assert merged(items) == items


def test_readings_are_not_joined_across_an_event_of_their_run_but_across_one_of_another() -> None:
    items: list[Item] = [
        readings("a", 1, 1),
        noted("b", 1),
        readings("a", 2, 1),
        noted("a", 1),
        readings("a", 3, 1),
    ]
    assert merged(items) == [readings("a", 1, 2), noted("b", 1), noted("a", 1), readings("a", 3, 1)]


@given(st.lists(st.sampled_from("abc"), max_size=40), st.integers(200, 2000))
def test_joining_and_splitting_keeps_every_row_in_order(runs: list[str], limit: int) -> None:
    numbers = dict.fromkeys("abc", 0)
    items: list[Item] = []
    for run in runs:
        numbers[run] += 1
        items.append(readings(run, numbers[run], 1))
    portioned = [item for portion in portions(merged(items), limit) for item in portion]
    for run in "abc":
        mine = [item for item in portioned if isinstance(item, Readings) and item.run == run]
        times = [row.time for item in mine for row in item.rows]
        assert times == [float(number) for number in range(1, numbers[run] + 1)]
        assert all(item.rows[0].time == item.first for item in mine)


def test_no_batch_is_larger_than_promised() -> None:
    longest = ReadingRow(1.1, 1.1, 1.1, 1.1, 1.1, 1.1, 2**40)
    items: list[Item] = [Readings("a", 1, 1, 1, [longest] * 20_000), run_started("b")]
    sizes = [
        len(msgspec.msgpack.encode(Batch("core", 1, 2**50, "rack-1", portion))) for portion in portions(items)
    ]
    assert len(sizes) == 7  # 20 000 rows at 196608 // 66 = 2978 rows per batch
    assert max(sizes) <= BATCH_BYTES + 1024


def test_deadlines_stay_on_the_grid_whatever_was_missed() -> None:
    assert next_deadline(10.0, 10.05, 0.1) == pytest.approx(10.1)
    assert next_deadline(10.0, 10.35, 0.1) == pytest.approx(10.4)


async def test_of_a_delay_it_is_told_what_it_went_into(outbox: Outbox) -> None:
    outbox.put("rack-1", noted("a", 1))
    await outbox.flush()
    outbox.acknowledge([1], waited=0.2, took=0.3)
    [delay] = outbox.delays
    assert (delay.waited, delay.took) == (0.2, 0.3)
    assert delay.spooled > 0.0
    assert delay.total == pytest.approx(delay.spooled + delay.carried + 0.5)
