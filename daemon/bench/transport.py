"""The bare parts: one message after the other over the broker, and an event loop with nothing to do."""

import asyncio
import time

import aiomqtt

from daemon.bench.laboratory import broker_process
from daemon.bench.processes import Usage
from daemon.bench.row import Row, Settings, quantile
from daemon.delivery.connection import BrokerAddress, connected
from daemon.up import free_port

_PAYLOAD = 4 * 1024  # bytes: about what a rack has to say in one tick
_WINDOW = 20  # messages in flight, as the publisher has them


async def bare_mqtt(settings: Settings) -> list[Row]:
    """Messages of a rack's size from one client to another, acknowledged, with nothing done to them."""
    url = f"mqtt://127.0.0.1:{free_port()}"
    broker = broker_process(settings.broker, url, settings.folder / "broker.log")
    await broker.start()
    try:
        return await _mqtt(BrokerAddress.parse(url), broker.pid or 0, settings)
    finally:
        await broker.stop()


async def _mqtt(address: BrokerAddress, broker: int, settings: Settings) -> list[Row]:
    delays: list[float] = []
    async with connected(address, "bench-to") as subscriber, connected(address, "bench-from") as publisher:
        await subscriber.subscribe("bench/data", qos=1)
        listening = asyncio.create_task(_listen(subscriber, delays))
        usage, began = Usage({"broker": broker}), time.monotonic()
        while time.monotonic() - began < min(10.0, settings.seconds):
            payloads = [f"{time.monotonic():.9f}".encode().ljust(_PAYLOAD, b"x") for _ in range(_WINDOW)]
            await asyncio.gather(*(publisher.publish("bench/data", payload, qos=1) for payload in payloads))
        passed = time.monotonic() - began
        rate, cores = len(delays) / passed, usage.cores()["broker"]
        listening.cancel()
        await asyncio.wait({listening})
    name = f"bare MQTT through {settings.broker}"
    return [
        Row(f"{name}: messages of 4 KiB", rate, "messages/s", None, None, True, passed),
        Row(f"{name}: delay, p99", quantile(delays, 0.99), "s", None, None, False, passed),
        Row(
            f"{name}: broker per message",
            cores * passed / max(1, len(delays)),
            "core s",
            None,
            seconds=passed,
        ),
    ]


async def _listen(client: aiomqtt.Client, delays: list[float]) -> None:
    async for message in client.messages:
        sent = message.payload[:20] if isinstance(message.payload, bytes) else b"nan"
        delays.append(time.monotonic() - float(sent.rstrip(b"x")))


async def bare_loop(settings: Settings) -> list[Row]:
    """How late the event loop is for a deadline every 10 ms with nothing else to do."""
    late: list[float] = []
    loop = asyncio.get_running_loop()
    began = due = loop.time()
    while loop.time() - began < min(5.0, settings.seconds):
        due += 0.01
        await asyncio.sleep(max(0.0, due - loop.time()))
        late.append(loop.time() - due)
    passed = loop.time() - began
    return [Row("bare event loop: late, p99", quantile(late, 0.99), "s", None, seconds=passed)]
