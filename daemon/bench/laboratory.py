"""A laboratory for the bench: real processes of the service on loopback, and simulated racks."""

import asyncio
import shutil
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from daemon.bench.mosquitto import Mosquitto
from daemon.bench.processes import Usage
from daemon.bench.tap import Tap
from daemon.client import ask
from daemon.host.child import Child
from daemon.places import Places
from daemon.requests import Request, Runs, Status, Submit
from daemon.running.order import ResumePolicy
from daemon.up import free_port

CELL = "cell: supercapacitor\nwindow: {voltage: 0 V .. 2.7 V, current: 1 A}\n"
"""Three farads at 1.5 V: 10 mA move it by a third of a millivolt in a tenth of a second."""


@dataclass(frozen=True, slots=True)
class Racks:
    """How many racks of how many channels, and the seconds between the readings of each channel."""

    count: int
    channels: int
    sample: float

    @property
    def names(self) -> list[str]:
        """The channels, as the bench file names them."""
        return [f"{rack}-{number}" for rack in self.instruments for number in range(1, self.channels + 1)]

    @property
    def instruments(self) -> list[str]:
        return [f"rack{number}" for number in range(1, self.count + 1)]

    @property
    def rate(self) -> float:
        """Readings per second of all channels together."""
        return self.count * self.channels / self.sample


@dataclass(slots=True)
class Laboratory:
    """The processes by name, and where they are."""

    places: Places
    database: str
    broker_url: str
    children: Mapping[str, Child]
    simulated: Mapping[str, Mapping[str, Any]]
    """What each simulated instrument said of itself when it was served."""

    @property
    def pids(self) -> dict[str, int]:
        """Core, broker and recorder: what is counted. What is simulated is not."""
        names = ("core", "broker", "recorder")
        return {name: pid for name in names if (pid := self.children[name].pid) is not None}

    def usage(self) -> Usage:
        """Begin to look at what core, broker and recorder use."""
        return Usage(self.pids)

    async def ask(self, request: Request) -> Any:
        """Ask the core as the command line does."""
        return await asyncio.to_thread(ask, self.places.socket, request)

    async def submit_all(self, protocols: Mapping[str, str], cell: str = CELL) -> list[str]:
        """Submit a protocol to each channel, a few at a time; return the runs."""
        some = asyncio.Semaphore(8)

        async def submit(channel: str, protocol: str) -> str:
            async with some:
                request = Submit(protocol, "load.yaml", cell, "cell.yaml", channel, {}, ResumePolicy.CONFIRM)
                return str((await self.ask(request))["run"])

        return list(await asyncio.gather(*(submit(*pair) for pair in protocols.items())))

    async def status(self) -> Mapping[str, Any]:
        """Return what the core says of itself."""
        status: Mapping[str, Any] = await self.ask(Status())
        return status

    async def runs_over(self, deadline: float) -> list[Mapping[str, Any]]:
        """Wait until no run is under way, at most `deadline` seconds; return what is said of each."""
        async with asyncio.timeout(deadline):
            while True:
                known: list[Mapping[str, Any]] = await self.ask(Runs())
                if all(run["state"] not in ("running", "paused") for run in known):
                    return known
                await asyncio.sleep(0.5)

    async def delivered(self, deadline: float = 120.0) -> None:
        """Wait until every reading is committed and acknowledged."""
        async with asyncio.timeout(deadline):
            while True:
                spool = (await self.status())["spool"]
                if spool["backlog"] == 0 and spool["waiting"] == 0:
                    return
                await asyncio.sleep(0.1)


@asynccontextmanager
async def laboratory(
    folder: Path, racks: Racks, broker: str, taps: Mapping[str, Tap] = {}
) -> AsyncIterator[Laboratory]:
    """Run everything while inside, with these racks, some of them behind a tap."""
    folder.mkdir(parents=True)
    places = Places(folder / "state")
    places.state.mkdir()
    url = f"mqtt://127.0.0.1:{free_port()}"
    children = {"broker": broker_process(broker, url, folder / "broker.log")}
    simulated_bench = folder / "simulated.yaml"
    simulated_bench.write_text(_simulated(racks))
    arguments = ["simulate", "--bench", str(simulated_bench), "--json"]
    children["simulators"] = Child("simulators", arguments, folder / "simulators.log", lines=racks.count)
    common = ["--state", str(places.state), "--broker", url, "--json"]
    children["recorder"] = Child("recorder", ["record", *common], folder / "recorder.log")
    try:
        await asyncio.gather(*(child.start() for child in children.values()))
        simulated = {said["name"]: said for said in children["simulators"].said}
        served = folder / "bench.yaml"
        addresses = {
            name: await _address(said["address"], taps.get(name)) for name, said in simulated.items()
        }
        served.write_text(_bench_file(racks, addresses))
        children["core"] = Child("core", ["serve", "--bench", str(served), *common], folder / "core.log")
        await children["core"].start()
        yield Laboratory(places, places.default_database, url, children, simulated)
    finally:
        for name in ("core", "recorder", "simulators", "broker"):
            if name in children:
                await children[name].stop()


def broker_process(kind: str, url: str, log: Path) -> Child:
    """Return the broker to be started: mosquitto as it comes, or the embedded one."""
    if kind == "mosquitto":
        return Mosquitto(url, log)
    return Child("broker", ["broker", "--url", url, "--json"], log)


def usual_broker() -> str:
    """Return the broker a lab would use, if it is installed here."""
    return "mosquitto" if shutil.which("mosquitto", path="/usr/sbin:/usr/bin:/usr/local/sbin") else "embedded"


def load_protocol(sample: float, seconds: float, amperes: float = 0.01, high: float = 2.6) -> str:
    """Return a protocol that charges for so long, with every reading kept."""
    return "\n".join(
        (
            "protocol: load",
            f"limits: {{voltage: 0.5 V .. {high:g} V, current: 0.5 A}}",
            f"record: every {sample:g} s",
            "steps:",
            f"  - charge: {amperes:g} A",
            f"    until: time >= {seconds:g} s",
        )
    )


def _simulated(racks: Racks) -> str:
    lines = ["bench: load", "instruments:"]
    for number, name in enumerate(racks.instruments):
        simulation = f"{{cell: supercapacitor/3f, seed: {1000 * number}}}"
        lines.append(f"  {name}: {{driver: rack, simulate: {simulation}, channels: {racks.channels}}}")
    return "\n".join(lines) + "\n"


def _bench_file(racks: Racks, addresses: Mapping[str, str]) -> str:
    """Return the bench file of a lab: it does not know that what is behind an address is simulated."""
    lines = ["bench: load", "instruments:"]
    for name, address in addresses.items():
        where = f"address: {address}, channels: {racks.channels}, sample: {racks.sample:g} s"
        lines.append(f"  {name}: {{driver: rack, {where}}}")
    return "\n".join(lines) + "\n"


async def _address(resource: str, tap: Tap | None) -> str:
    """Return a raw socket's PyVISA resource string as the address of a plain link, tapped or not."""
    _, host, port, _ = resource.split("::")
    return f"tcp://{host}:{port}" if tap is None else await tap.open(host, int(port))
