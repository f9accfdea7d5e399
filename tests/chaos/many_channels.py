"""One simulated Neware with four channels that outlives the cores it is given; three of them are ours."""

import asyncio
import json
import os
import signal
import sqlite3
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import msgspec

from daemon.client import ask
from daemon.delivery.messages import Batch, Item, Noted, Readings
from daemon.places import Places
from daemon.requests import Channels, Request, Runs
from drivers.links.opening import open_link
from drivers.neware import Neware
from drivers.neware_channel import NewareChannel
from simulators.instrument import Served
from simulators.neware import Neware as SimulatedNeware
from tests.system.watched import WatchedCell

PATIENCE = 120.0  # seconds that anything here may take on a machine that has much else to do
HERE = Path(__file__).parents[2]
OURS = {"n1": 0, "n2": 1, "n3": 2}
"""Our channels and their positions; the fourth place is somebody else's."""


class ManyChannels:
    """The state directory of one core after the other, and the instrument they all have in hand."""

    def __init__(self, folder: Path, served: Served, cells: list[WatchedCell]) -> None:
        self.places = Places(folder / "state")
        self.served = served
        self.cells = cells
        self._folder = folder
        self._core: asyncio.subprocess.Process | None = None

    async def start(self) -> None:
        """Start a core; returns when it is ready."""
        self._core = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "tests.daemon.mortal_core", str(self.places.state)),
            *(str(self._folder / "bench.yaml"), str(self._folder / "simulated.json")),
            stdout=asyncio.subprocess.PIPE,
            env=os.environ | {"PYTHONPATH": str(HERE)},
            cwd=HERE,
        )
        assert self._core.stdout is not None
        await self._core.stdout.readline()

    async def end(self, how: signal.Signals) -> None:
        """End the core from outside."""
        assert self._core is not None
        if self._core.returncode is None:
            self._core.send_signal(how)
        await self._core.wait()

    async def ask(self, request: Request) -> Any:
        return await asyncio.to_thread(ask, self.places.socket, request)

    async def runs(self) -> Mapping[str, Mapping[str, Any]]:
        """Return the latest run of each channel."""
        return {run["channel"]: run for run in await self.ask(Runs())}

    async def channels(self) -> Mapping[str, Mapping[str, Any]]:
        return {channel["channel"]: channel for channel in await self.ask(Channels())}

    async def until(self, **states: str) -> None:
        """Wait until the latest run of each of these channels is in that state."""

        async def are() -> bool:
            return {channel: (await self.runs())[channel]["state"] for channel in states} == states

        await self._wait(are)

    async def have_read(self, readings: int, *channels: str) -> None:
        """Wait until each of these has kept so many readings."""

        async def have() -> bool:
            runs = await self.runs()
            return all(int(runs[channel]["readings"]) >= readings for channel in channels)

        await self._wait(have)

    async def _wait(self, true: Callable[[], Awaitable[bool]]) -> None:
        try:
            async with asyncio.timeout(PATIENCE):
                while not await true():
                    await asyncio.sleep(0.05)
        except TimeoutError:
            told = {name: (run["state"], run["reason"]) for name, run in (await self.runs()).items()}
            raise AssertionError(f"it did not come true in {PATIENCE:g} s: {told}") from None

    async def working(self) -> Mapping[str, str]:
        """Return what a colleague's own client would see of each place."""
        link = await open_link(self.served.address, Neware.link_options)
        try:
            driver = await Neware.open(link)
            return {
                place: await channel._word()
                for place, channel in driver.channels.items()
                if isinstance(channel, NewareChannel)
            }
        finally:
            await link.aclose()

    def items(self) -> list[Item]:
        """Everything in the spool; nobody has acknowledged any of it."""
        with sqlite3.connect(self.places.spool) as spool:
            rows = spool.execute("SELECT payload FROM batches ORDER BY sequence").fetchall()
        spool.close()
        return [item for (payload,) in rows for item in msgspec.msgpack.decode(payload, type=Batch).items]

    def numbers(self, run: str) -> list[int]:
        """The numbers of every kept reading of a run, in the order they were committed."""
        found = [item for item in self.items() if isinstance(item, Readings) and item.run == run]
        return [item.first + n for item in found for n in range(len(item.rows))]

    def notes(self, run: str) -> list[str]:
        return [item.kind for item in self.items() if isinstance(item, Noted) and item.run == run]


@asynccontextmanager
async def many_channels(folder: Path, cells: list[WatchedCell], speed: float) -> AsyncIterator[ManyChannels]:
    """Serve the instrument here, so that it outlives every core; what is left of those is killed."""
    bays = [{"cell": cell} for cell in cells]
    async with SimulatedNeware.serve(speed=speed, bays=bays) as served:
        bench = ManyChannels(folder, served, cells)
        where = {name: [served.address, served.bays[at].rehearsal] for name, at in OURS.items()}
        (folder / "simulated.json").write_text(json.dumps(where))
        channels = ", ".join(f"{name}: {{at: {served.bays[at].place}}}" for name, at in OURS.items())
        (folder / "bench.yaml").write_text(
            "bench: b\ninstruments:\n  n:\n    driver: neware\n    sample: 1 s\n"
            f"    simulate: {{cell: li_ion/generic, speed: {speed:g}}}\n    channels: {{{channels}}}\n"
        )
        try:
            yield bench
        finally:
            await bench.end(signal.SIGKILL)
