"""A laboratory whose processes can be killed one by one: broker, recorder and core are the real ones.

Its simulated instruments live in the test's process and survive everything.
"""

import asyncio
import json
import os
import shutil
import signal
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from daemon.client import ask
from daemon.host.child import Child
from daemon.places import Places
from daemon.reading.results import Results
from daemon.requests import Request, Runs, Status, Submit
from daemon.running.order import ResumePolicy
from daemon.sources import cell_source, protocol_source
from simulators.cells.library import make_cell
from simulators.faults import Faults
from simulators.server import serve
from tests.daemon.deliveries import free_port
from tests.system.watched import WatchedCell, watched

_PATIENCE = 180.0  # seconds that anything here may take on a machine that has much else to do
MOSQUITTO = shutil.which("mosquitto", path=f"{os.environ.get('PATH', '')}:/usr/sbin")


@dataclass(frozen=True, slots=True)
class Place:
    """One channel of the bench: its instrument, the simulated cell in it, and how fast it lives."""

    name: str
    driver: str
    cell: str
    speed: float
    seed: int = 0
    sample: str = "1 s"


@dataclass(slots=True)
class Laboratory:
    """The processes by name, the cells by channel, and where everything is."""

    places: Places
    database: str
    broker: str
    children: Mapping[str, Child]
    cells: Mapping[str, WatchedCell]
    faults: Mapping[str, Faults]
    """What goes wrong with the instrument of each channel; a test injects into it."""
    ready_after: list[float] = field(default_factory=list)
    """Seconds each start of the core took until it answered."""

    async def ask(self, request: Request) -> Any:
        """Ask the core as the command line does."""
        return await asyncio.to_thread(ask, self.places.socket, request)

    async def submit(
        self,
        channel: str,
        protocol: str,
        cell: str,
        variables: Mapping[str, str] | None = None,
        resume: ResumePolicy = ResumePolicy.CONFIRM,
    ) -> str:
        """Start a run and return its name; both files may be names of ready ones."""
        written, facts = protocol_source(protocol), cell_source(cell)
        request = Submit(
            written.text, written.file, facts.text, facts.file, channel, dict(variables or {}), resume
        )
        return str((await self.ask(request))["run"])

    async def kill(self, name: str) -> None:
        """End a process as a power cut would."""
        child = self.children[name]
        assert child.pid is not None
        os.kill(child.pid, signal.SIGKILL)
        await child._running.wait()

    async def start(self, name: str) -> None:
        """Start a process that was killed; returns once it says that it is ready."""
        loop = asyncio.get_running_loop()
        began = loop.time()
        await self.children[name].start()
        if name == "core":
            self.ready_after.append(loop.time() - began)

    async def over(self, run: str) -> Mapping[str, Any]:
        """Wait until the run is over; return what the core says of it."""
        async with asyncio.timeout(_PATIENCE):
            while True:
                for known in await self.ask(Runs()):
                    if known["run"] == run and known["state"] not in ("running", "paused"):
                        return dict(known)
                await asyncio.sleep(0.02)

    async def delivered(self) -> None:
        """Wait until the spool is empty: everything was acknowledged."""
        await until(self._is_delivered)

    async def figured(self, runs: Sequence[str]) -> None:
        """Wait until the figures of every run cover its end."""

        async def are_figured() -> bool:
            return await asyncio.to_thread(_are_figured, self.database, runs)

        await until(are_figured)

    async def _is_delivered(self) -> bool:
        spool = (await self.ask(Status()))["spool"]
        return bool(spool["backlog"] == 0 and spool["waiting"] == 0)


def _are_figured(database: str, runs: Sequence[str]) -> bool:
    results = Results.open(database)
    try:
        return results.all_figured(runs)
    finally:
        results.close()


async def until(true: Callable[[], Any]) -> None:
    """Wait until an awaitable condition holds."""
    async with asyncio.timeout(_PATIENCE):
        while not await true():
            await asyncio.sleep(0.02)


@asynccontextmanager
async def laboratory(
    folder: Path, bench: Sequence[Place], *, mosquitto: bool = False
) -> AsyncIterator[Laboratory]:
    """Serve the bench and run broker, recorder and core on it while inside."""
    places = Places(folder / "state")
    places.state.mkdir()
    async with AsyncExitStack() as stack:
        faults = {place.name: Faults() for place in bench}
        cells = await _served(bench, places, faults, stack)
        url = f"mqtt://127.0.0.1:{free_port()}"
        children = _children(places, _bench_file(folder, bench), url, mosquitto)
        found = Laboratory(places, places.default_database, url, children, cells, faults)
        for name in ("broker", "recorder", "core"):
            stack.push_async_callback(children[name].stop)
            await found.start(name)
        yield found


async def _served(
    bench: Sequence[Place], places: Places, faults: Mapping[str, Faults], stack: AsyncExitStack
) -> Mapping[str, WatchedCell]:
    cells = {place.name: WatchedCell(make_cell(place.cell, place.seed)) for place in bench}
    addresses: dict[str, list[str]] = {}
    for place in bench:
        served = await stack.enter_async_context(
            serve(
                watched(place.driver, cells[place.name]),
                cell=cells[place.name],
                speed=place.speed,
                seed=place.seed,
                faults=faults[place.name],
            )
        )
        scheme = "serial" if served.address.startswith("/") else "visa"
        addresses[place.name] = [f"{scheme}://{served.address}", served.rehearsal]
    (places.state / "simulated.json").write_text(json.dumps(addresses))
    return cells


def _bench_file(folder: Path, bench: Sequence[Place]) -> Path:
    lines = ["bench: system test", "instruments:"]
    for place in bench:
        lines += [
            f"  {place.name}:",
            f"    driver: {place.driver}",
            f"    sample: {place.sample}",
            f"    simulate: {{cell: {place.cell}}}",
        ]
    file = folder / "bench.yaml"
    file.write_text("\n".join(lines) + "\n")
    return file


def _children(places: Places, bench: Path, url: str, mosquitto: bool) -> dict[str, Child]:
    state, logs = ["--state", str(places.state)], places.state
    common = [*state, "--broker", url, "--json"]
    simulated = ["--simulated", str(places.state / "simulated.json")]
    broker = ["broker", "--url", url, "--json"]
    return {
        "broker": Mosquitto(url, logs / "broker.log")
        if mosquitto
        else Child("broker", broker, logs / "broker.log"),
        "recorder": Child(
            "recorder", ["record", "--database", places.default_database, *common], logs / "recorder.log"
        ),
        "core": Child("core", ["serve", "--bench", str(bench), *simulated, *common], logs / "core.log"),
    }


class Mosquitto(Child):
    """mosquitto as it comes: no configuration, nothing kept across its end."""

    def __init__(self, url: str, log: Path) -> None:
        super().__init__("broker", [], log)
        self._port = url.rpartition(":")[2]

    async def start(self) -> None:
        assert MOSQUITTO is not None
        with self._log_file.open("ab") as log:
            self._process = await asyncio.create_subprocess_exec(
                MOSQUITTO, "-p", self._port, stdout=log, stderr=log
            )
        await until(self._listens)

    async def _listens(self) -> bool:
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", int(self._port))
        except OSError:
            return False
        writer.close()
        return True
