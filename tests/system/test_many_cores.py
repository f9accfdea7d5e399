"""Past one machine: four cores, two recorders that share the work, PostgreSQL; a core and a recorder die."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from daemon.client import ask
from daemon.host.child import Child
from daemon.places import Places
from daemon.reading.results import Results
from daemon.requests import Runs, Status, Submit
from daemon.running.order import ResumePolicy
from simulators.rack import Rack
from tests.daemon.deliveries import free_port
from tests.postgres import binaries, cluster
from tests.system.laboratory import MOSQUITTO, Mosquitto

WHERE = binaries()
pytestmark = [
    pytest.mark.system,
    pytest.mark.timeout(600),
    pytest.mark.skipif(WHERE is None, reason="PostgreSQL is not installed here"),
    pytest.mark.skipif(MOSQUITTO is None, reason="mosquitto is not installed here"),
]

CORES = ("north", "east", "south", "west")
CHANNELS = 4
SECONDS = 8
PATIENCE = 120.0

PROTOCOL = f"""
protocol: a load
limits: {{voltage: 0.5 V .. 2.6 V, current: 100 mA}}
record: every 100 ms
steps:
  - charge: 10 mA
    until: time >= {SECONDS} s
"""
CELL = "cell: supercapacitor\nwindow: {voltage: 0 V .. 2.7 V, current: 1 A}\n"


@pytest.fixture(scope="module")
def database() -> Iterator[str]:
    assert WHERE is not None
    with cluster(WHERE) as url:
        yield f"{url}/postgres"


@dataclass(frozen=True, slots=True)
class Site:
    """The processes, and the state directory of each core."""

    children: dict[str, Child]
    places: dict[str, Places]

    async def submit(self, core: str, channel: str) -> str:
        request = Submit(PROTOCOL, "load.yaml", CELL, "cell.yaml", channel, {}, ResumePolicy.AUTO)
        return str((await asyncio.to_thread(ask, self.places[core].socket, request))["run"])

    async def killed(self, name: str) -> None:
        """End a process as a power cut would, and start it again."""
        child = self.children[name]
        assert child.pid is not None
        os.kill(child.pid, signal.SIGKILL)
        await child._running.wait()
        await child.start()

    async def has_read(self, core: str, readings: int) -> None:
        """Return once every run of the core has so many readings."""
        async with asyncio.timeout(PATIENCE):
            while min(run["readings"] for run in await self.runs(core)) < readings:
                await asyncio.sleep(0.05)

    async def runs(self, core: str) -> list[Mapping[str, Any]]:
        return list(await asyncio.to_thread(ask, self.places[core].socket, Runs()))

    async def is_quiet(self, core: str) -> bool:
        status = await asyncio.to_thread(ask, self.places[core].socket, Status())
        over = all(run["state"] not in ("running", "paused", "interrupted") for run in await self.runs(core))
        return bool(over and status["spool"]["backlog"] == status["spool"]["waiting"] == 0)


@asynccontextmanager
async def site(folder: Path, database: str) -> AsyncIterator[Site]:
    url = f"mqtt://127.0.0.1:{free_port()}"
    children: dict[str, Child] = {"broker": Mosquitto(url, folder / "broker.log")}
    places = {core: Places(folder / core) for core in CORES}
    async with AsyncExitStack() as stack:
        common = ["--broker", url, "--json"]
        for name in ("first", "second"):
            where = ["--state", str(folder / name), "--database", database, "--share", "lab"]
            children[name] = Child(name, ["record", "--name", name, *where, *common], folder / f"{name}.log")
        for core in CORES:
            served = await stack.enter_async_context(
                Rack.serve(cell="supercapacitor/3f", speed=1.0, seed=1, bays=[{}] * CHANNELS)
            )
            port = served.address.split("::")[2]
            bench = folder / f"{core}.yaml"
            rack = f"driver: rack, address: tcp://127.0.0.1:{port}, channels: {CHANNELS}, sample: 100 ms"
            bench.write_text(f"bench: {core}\ninstruments:\n  rack: {{{rack}}}\n")
            where = ["--bench", str(bench), "--state", str(places[core].state), "--name", core]
            children[core] = Child(core, ["serve", *where, *common], folder / f"{core}.log")
        for child in children.values():
            stack.push_async_callback(child.stop)
            await child.start()
        yield Site(children, places)


async def test_a_core_and_a_recorder_die_and_nothing_is_lost(tmp_path: Path, database: str) -> None:
    async with site(tmp_path, database) as lab:
        runs = [
            await lab.submit(core, f"rack-{number}") for core in CORES for number in range(1, CHANNELS + 1)
        ]
        await lab.has_read("north", 20)
        await lab.killed("first")
        await lab.has_read("east", 40)
        await lab.killed("east")
        async with asyncio.timeout(PATIENCE):
            for core in CORES:
                while not await lab.is_quiet(core):
                    await asyncio.sleep(0.2)
    results = Results.open(database)
    try:
        records = {run: results.run(run) for run in runs}
        assert {record.state for record in records.values()} == {"finished"}, records
        for run in runs:
            counts = results.counts(run)
            assert counts.expected >= 40
            assert counts.missing == 0
            assert results.gaps(run) == []
            [step] = results.steps(run)
            assert step.duration is not None
            assert step.duration >= SECONDS
            assert step.capacity == pytest.approx(0.01 * step.duration, rel=0.05)
    finally:
        results.close()
