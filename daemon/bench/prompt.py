"""How soon: the service ready, a run's first reading, a circuit open, an outage caught up with."""

import asyncio
import json
import sqlite3
import time
from collections.abc import Mapping
from functools import partial
from typing import Any

from daemon.bench.laboratory import Laboratory, Racks, laboratory, load_protocol
from daemon.bench.row import Row, Settings, quantile
from daemon.bench.tap import Tap
from daemon.requests import Runs


async def starting(settings: Settings) -> list[Row]:
    """From the start of the core to its answer, and from a submission to the first reading."""
    racks = Racks(1, 8, 0.1)
    ready: list[float] = []
    async with laboratory(settings.folder / "starting", racks, settings.broker) as lab:
        core = lab.children["core"]
        for _ in range(3):
            await core.stop()
            began = time.monotonic()
            await core.start()
            ready.append(time.monotonic() - began)
        first = [await _first_reading(lab, channel) for channel in racks.names]
    return [
        Row("start to ready", quantile(ready, 0.5), "s", 1.5, seconds=sum(ready), note="median of 3"),
        Row(
            "submit to first reading", quantile(first, 0.5), "s", 0.3, seconds=sum(first), note="median of 8"
        ),
    ]


async def _first_reading(lab: Laboratory, channel: str) -> float:
    began = time.monotonic()
    [run] = await lab.submit_all({channel: load_protocol(0.1, 2.0)})
    while True:
        known: list[Mapping[str, Any]] = await lab.ask(Runs())
        if any(each["run"] == run and each["readings"] for each in known):
            return time.monotonic() - began
        await asyncio.sleep(0.005)


async def tripping(settings: Settings) -> list[Row]:
    """All channels busy: from a reading outside the window to the command that opens its circuit.

    Meanwhile another rack hangs for three seconds: what that costs the others is counted too.
    """
    racks = Racks(16, 64, 0.1)
    protocols = dict.fromkeys(reversed(racks.names), load_protocol(0.1, 900.0))
    highs = [1.62 + 0.01 * number for number in range(64)]  # 20 mV/s: one every half second
    for channel, high in zip(racks.names, highs, strict=False):
        protocols[channel] = load_protocol(0.1, 900.0, amperes=0.06, high=high)
    async with (
        Tap(highs) as tap,
        laboratory(settings.folder / "tripping", racks, settings.broker, {racks.instruments[0]: tap}) as lab,
    ):
        await lab.submit_all(protocols)
        began = time.monotonic()
        await _hang(lab, racks.instruments[-1], 3.0)
        await asyncio.sleep(max(12.0, min(settings.seconds, 30.0)))
        passed = time.monotonic() - began
        await lab.children["core"].stop()
        waited = _waited(lab.database)
    delays = tap.delays
    note = f"{len(delays)} trips, seen on the wire between core and rack"
    row = partial(Row, seconds=passed, note=note)
    return [
        row("limit trip, 1024 busy: reading to off on the wire, p99", quantile(delays, 0.99), "s", 0.02),
        row("limit trip, 1024 busy: reading to off on the wire, median", quantile(delays, 0.5), "s", None),
        row("one rack hangs: readings of the others that came two intervals late", waited, "readings", 0.0),
    ]


async def _hang(lab: Laboratory, rack: str, seconds: float) -> None:
    """Let a rack say nothing for so long."""
    host, port = str(lab.simulated[rack]["rehearsal"]).removeprefix("tcp://").split(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    writer.write(json.dumps({"fault": f"mute for {seconds:g} s"}).encode() + b"\n")
    await reader.readline()
    writer.close()
    await writer.wait_closed()


def _waited(database: str) -> int:
    """Return how many readings on racks that did not hang came more than three intervals after the last."""
    query = """
        SELECT count(*) FROM readings AS a JOIN readings AS b
        ON b.run_id = a.run_id AND b.number = a.number + 1 AND b.step = a.step
        JOIN runs ON runs.id = a.run_id
        WHERE b.time - a.time > 0.3 AND a.time > 3 AND runs.channel NOT LIKE 'rack16-%'
    """
    connection = sqlite3.connect(database.removeprefix("sqlite:///"))
    try:
        return int(connection.execute(query).fetchone()[0])
    finally:
        connection.close()


async def catching_up(settings: Settings) -> list[Row]:
    """The recorder is away for a while; afterwards its backlog goes in beside what goes on coming."""
    racks = Racks(4, 64, 0.1)
    away = min(settings.seconds, 20.0)
    async with laboratory(settings.folder / "outage", racks, settings.broker) as lab:
        await lab.submit_all(dict.fromkeys(racks.names, load_protocol(0.1, 900.0)))
        await asyncio.sleep(4.0)
        recorder = lab.children["recorder"]
        await recorder.stop()
        await asyncio.sleep(away)
        backlog = (await lab.status())["spool"]["backlog"]
        before = _count(lab.database)
        await recorder.start()
        began = time.monotonic()
        while (await lab.status())["spool"]["backlog"] > 8:  # noqa: ASYNC110 - another process's backlog
            await asyncio.sleep(0.02)
        passed = time.monotonic() - began
        rate = (_count(lab.database) - before) / passed
    note = f"{backlog} batches of {away:g} s; from the recorder being ready until all is acknowledged"
    return [
        Row(
            "catching up after an outage",
            rate / racks.rate,
            "of the live rate",
            5.0,
            None,
            True,
            passed,
            note,
        )
    ]


def _count(database: str) -> int:
    connection = sqlite3.connect(database.removeprefix("sqlite:///"))
    try:
        return int(connection.execute("SELECT count(*) FROM readings").fetchone()[0])
    finally:
        connection.close()
