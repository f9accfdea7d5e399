"""The publisher repeats itself until a recorder has said that it has it."""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from itertools import count
from pathlib import Path

import aiomqtt
import msgspec
import pytest
import pytest_asyncio

from daemon.delivery.messages import (
    DATA_TOPICS,
    HELLO_TOPIC,
    Acknowledged,
    Batch,
    RecorderHello,
    acknowledged_topic,
)
from daemon.delivery.outbox import Outbox
from daemon.delivery.publisher import Publisher, _publish
from daemon.delivery.spool import Spool, Spooled
from daemon.errors import ConfigurationError
from tests.daemon.deliveries import ended, free_port, noted, running_broker, until


@pytest_asyncio.fixture
async def outbox(tmp_path: Path) -> AsyncIterator[Outbox]:
    outbox = Outbox(Spool.open(tmp_path / "spool.db", first=1), "core", tick=0.001)
    yield outbox
    await outbox.aclose()


async def put(outbox: Outbox, *ordinals: int) -> None:
    """One batch per ordinal."""
    for ordinal in ordinals:
        outbox.put("rack-1", noted("a", ordinal))
        await outbox.flush()


@asynccontextmanager
async def publishing(publisher: Publisher) -> AsyncIterator[None]:
    task = asyncio.create_task(publisher.run(), name="publisher")
    try:
        await until(lambda: publisher.connected)
        yield
    finally:
        await ended(task)


async def heard(client: aiomqtt.Client, count: int) -> list[int]:
    """The sequences of the next `count` batches."""
    numbers: list[int] = []
    async with asyncio.timeout(60):
        while len(numbers) < count:
            message = await anext(client.messages)
            assert isinstance(message.payload, bytes)
            numbers.append(msgspec.msgpack.decode(message.payload, type=Batch).sequence)
    return numbers


async def acknowledge(client: aiomqtt.Client, *sequences: int, core: str = "core") -> None:
    payload = msgspec.msgpack.encode(Acknowledged(core, "me", sequences))
    await client.publish(acknowledged_topic("core"), payload, qos=1)


async def test_acknowledged_batches_leave_the_spool_and_only_those(outbox: Outbox) -> None:
    port = free_port()
    async with running_broker(port), aiomqtt.Client("127.0.0.1", port) as client:
        await client.subscribe(DATA_TOPICS, qos=1)
        await put(outbox, 1, 2, 3)
        publisher = Publisher(outbox, f"mqtt://127.0.0.1:{port}", patience=60)
        async with publishing(publisher):
            assert await heard(client, 3) == [1, 2, 3]
            await until(lambda: publisher.unacknowledged == 3)
            await acknowledge(client, 1, 3)
            await until(lambda: outbox.backlog == 1)
            assert [row.sequence for row in await outbox.page(0, 10)] == [2]


async def test_no_more_than_the_window_is_sent_unacknowledged(outbox: Outbox) -> None:
    port = free_port()
    async with running_broker(port), aiomqtt.Client("127.0.0.1", port) as client:
        await client.subscribe(DATA_TOPICS, qos=1)
        await put(outbox, *range(1, 7))
        publisher = Publisher(outbox, f"mqtt://127.0.0.1:{port}", window=4, patience=60)
        async with publishing(publisher):
            assert await heard(client, 4) == [1, 2, 3, 4]
            assert publisher.unacknowledged == 4
            await acknowledge(client, 2)
            assert await heard(client, 1) == [5]


async def test_without_an_answer_everything_is_sent_again_from_the_oldest(outbox: Outbox) -> None:
    port = free_port()
    async with running_broker(port), aiomqtt.Client("127.0.0.1", port) as client:
        await client.subscribe(DATA_TOPICS, qos=1)
        await put(outbox, 1, 2)
        async with publishing(Publisher(outbox, f"mqtt://127.0.0.1:{port}", patience=0.1)):
            assert await heard(client, 4) == [1, 2, 1, 2]


async def test_what_one_recorder_took_to_its_grave_is_sent_again_though_another_goes_on(
    outbox: Outbox,
) -> None:
    port = free_port()
    async with running_broker(port), aiomqtt.Client("127.0.0.1", port) as client:
        await client.subscribe(DATA_TOPICS, qos=1)
        await put(outbox, 1, 2)
        async with publishing(Publisher(outbox, f"mqtt://127.0.0.1:{port}", patience=0.3)):
            assert await heard(client, 2) == [1, 2]
            async with asyncio.timeout(60):  # batch 1 was given to the one that died
                for ordinal in count(3):
                    await acknowledge(client, ordinal - 1)
                    await put(outbox, ordinal)
                    if await heard(client, 1) == [1]:
                        return


async def test_a_hello_brings_everything_at_once(outbox: Outbox) -> None:
    port = free_port()
    async with running_broker(port), aiomqtt.Client("127.0.0.1", port) as client:
        await put(outbox, 1, 2)
        publisher = Publisher(outbox, f"mqtt://127.0.0.1:{port}", patience=60)
        async with publishing(publisher):
            await until(lambda: publisher.unacknowledged == 2)  # into the void: nobody listens yet
            await client.subscribe(DATA_TOPICS, qos=1)
            await client.publish(HELLO_TOPIC, msgspec.msgpack.encode(RecorderHello("me")), qos=1)
            sequences: set[int] = set()
            while sequences != {1, 2}:  # the broker may still have been busy with the first time
                sequences |= set(await heard(client, 1))


async def test_nobody_can_acknowledge_what_was_never_sent_nor_for_another_core(outbox: Outbox) -> None:
    port = free_port()
    async with running_broker(port), aiomqtt.Client("127.0.0.1", port) as client:
        await client.subscribe(DATA_TOPICS, qos=1)
        await put(outbox, 1, 2)
        publisher = Publisher(outbox, f"mqtt://127.0.0.1:{port}", window=1, patience=60)
        async with publishing(publisher):
            assert await heard(client, 1) == [1]
            await acknowledge(client, 2, -1)
            await acknowledge(client, 1, core="another")
            await client.publish(acknowledged_topic("core"), b"\xc1 rubbish", qos=1)
            await acknowledge(client, 1)
            assert await heard(client, 1) == [2]  # after all of that, it is still there to be sent
            assert outbox.backlog == 1


def more_is_said(caplog: pytest.LogCaptureFixture, before: int) -> bool:
    return len(caplog.records) > before


async def test_a_broker_that_comes_late_and_goes_again_is_waited_for(
    outbox: Outbox, caplog: pytest.LogCaptureFixture
) -> None:
    port = free_port()
    publisher = Publisher(outbox, f"mqtt://127.0.0.1:{port}")
    task = asyncio.create_task(publisher.run())
    with caplog.at_level(logging.WARNING):
        await put(outbox, 1)
        await until(lambda: len(caplog.records) == 1)
        for said_before in (1, 2):
            async with running_broker(port):
                await until(lambda: publisher.connected)
            await until(partial(more_is_said, caplog, said_before))
    await ended(task)
    said = [record.message.partition(f"broker 127.0.0.1:{port} ")[2] for record in caplog.records]
    assert [each.partition(":")[0] for each in said] == [
        "does not answer, and is asked again",
        "is gone",
        "is gone",
    ]
    assert outbox.backlog == 1


async def test_a_page_that_cannot_be_sent_does_not_end_the_publisher() -> None:
    port = free_port()
    async with running_broker(port), aiomqtt.Client("127.0.0.1", port) as client:
        pass
    task = asyncio.current_task()
    assert task is not None
    with pytest.raises(aiomqtt.MqttError):
        await _publish(client, [Spooled(1, "topic", b""), Spooled(2, "topic", b"")])
    assert task.cancelling() == 0  # what the loop around it goes by


async def test_a_broker_that_accepts_and_never_answers_leaves_nothing_behind(outbox: Outbox) -> None:
    come, gone = asyncio.Event(), asyncio.Event()

    async def mute(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while await reader.read(1000):
            come.set()
        writer.close()
        await writer.wait_closed()
        gone.set()

    server = await asyncio.start_server(mute, "127.0.0.1", 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        task = asyncio.create_task(Publisher(outbox, f"mqtt://127.0.0.1:{port}").run())
        async with asyncio.timeout(60):
            await come.wait()
        await ended(task)
        async with asyncio.timeout(60):
            await gone.wait()  # the socket was closed, by us


@pytest.mark.parametrize("url", ["http://host", "mqtt://", "mqtt://host:port", "host:1883"])
def test_an_address_that_is_none_is_named(url: str) -> None:
    from daemon.delivery.connection import BrokerAddress

    with pytest.raises(ConfigurationError, match="broker '"):
        BrokerAddress.parse(url)
