"""One simulated instrument that outlives the cores it is given, and what those cores wrote down."""

import asyncio
import json
import os
import signal
import sqlite3
import sys
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import msgspec

from daemon.client import ask
from daemon.delivery.messages import Batch, Item, Noted, ReadingRow, Readings, RunEnded, StepEnded
from daemon.places import Places
from daemon.requests import Request, Runs
from simulators.cells.base import Cell
from simulators.emstat4 import EmStat4
from simulators.faults import Faults
from simulators.instrument import SimulatedInstrument, Stream
from simulators.keithley2450 import Keithley2450
from tests.simulators.linear_cell import LinearCell

HERE = Path(__file__).parents[2]
SPEED = 50.0
PATIENCE = 90.0  # seconds that anything here may take on a machine that has much else to do

CELL = "cell: {name}\narea: 1 cm2\nnominal_capacity: 3 mAh\nwindow: {{voltage: 1 V .. 5 V, current: 10 mA}}\n"


class Tapped(Stream):
    """A client's stream; what it says is noted with the moment."""

    def __init__(self, stream: Stream, heard: list[tuple[float, str]]) -> None:
        self._stream = stream
        self._heard = heard

    async def read(self) -> bytes:
        data = await self._stream.read()
        self._heard.append((time.time(), data.decode("latin-1")))
        return data

    async def write(self, data: bytes) -> None:
        await self._stream.write(data)


class HeardKeithley(Keithley2450):
    """Notes everything it is told, whoever tells it."""

    heard: list[tuple[float, str]]

    async def converse(self, stream: Stream) -> None:
        await super().converse(Tapped(stream, self.heard))


class Survival:
    """The state directory of one core after the other, and the cell they all have in hand."""

    def __init__(self, directory: Path, kind: str, cell: LinearCell) -> None:
        self.places = Places(directory / "state")
        self.cell = cell
        self.heard: list[tuple[float, str]] = []
        self.kind = kind
        self.faults = Faults()
        """What goes wrong with the instrument."""
        self._directory = directory
        self._core: asyncio.subprocess.Process | None = None

    async def start(self, *end_at: str | int) -> None:
        """Start a core; returns once it is ready, or has ended itself at a point on its way."""
        directory = self._directory
        self._core = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "tests.daemon.mortal_core", str(self.places.state)),
            *(str(directory / "bench.yaml"), str(directory / "simulated.json"), *map(str, end_at)),
            stdout=asyncio.subprocess.PIPE,
            env=os.environ | {"PYTHONPATH": str(HERE)},
            cwd=HERE,
        )
        assert self._core.stdout is not None
        await self._core.stdout.readline()

    async def killed(self) -> None:
        """Return once the core has killed itself."""
        assert await self.ended() == -signal.SIGKILL

    async def ended(self) -> int:
        """Return the core's exit status once it has one."""
        assert self._core is not None
        async with asyncio.timeout(PATIENCE):
            return await self._core.wait()

    async def end(self, how: signal.Signals) -> int:
        """End the core from outside and return its exit status."""
        assert self._core is not None
        if self._core.returncode is None:
            self._core.send_signal(how)
        return await self.ended()

    async def ask(self, request: Request) -> Any:
        return await asyncio.to_thread(ask, self.places.socket, request)

    async def run_is(self, *states: str) -> Mapping[str, Any]:
        """Return the one run once it is in one of these states, and its instrument was asked about it."""
        async with asyncio.timeout(PATIENCE):
            while (run := (await self.ask(Runs()))[0])["state"] not in states or "being asked" in run[
                "reason"
            ]:
                await asyncio.sleep(0.02)
        found: Mapping[str, Any] = run
        return found

    async def waits_for_a_person(self) -> None:
        """Return once the recovery has decided so; it may still be asking when the core is ready."""
        async with asyncio.timeout(PATIENCE):
            while "galvanod resume lab-1" not in (await self.ask(Runs()))[0]["reason"]:
                await asyncio.sleep(0.02)

    async def run_has_ended(self) -> None:
        """Return once the end of the run is in the spool."""
        async with asyncio.timeout(PATIENCE):
            while not any(isinstance(item, RunEnded) for item in self.items()):
                await asyncio.sleep(0.02)

    async def has_read_on(self) -> None:
        """Return once the run has kept a reading more than it has now."""
        before = (await self.ask(Runs()))[0]["readings"]
        async with asyncio.timeout(PATIENCE):
            while (await self.ask(Runs()))[0]["readings"] <= before:
                await asyncio.sleep(0.02)

    async def cell_has_taken(self, coulombs: float) -> None:
        """Return once so much has passed through the cell, whoever knows of it."""
        async with asyncio.timeout(PATIENCE):
            while self.cell.charge < 0.999 * coulombs:
                await asyncio.sleep(0.02)

    def items(self) -> list[Item]:
        """Everything in the spool; nobody has acknowledged any of it."""
        with sqlite3.connect(self.places.spool) as spool:
            rows = spool.execute("SELECT payload FROM batches ORDER BY sequence").fetchall()
        spool.close()
        decoder = msgspec.msgpack.Decoder(Batch)
        return [item for (payload,) in rows for item in _items(decoder.decode(payload))]

    def rows(self) -> list[tuple[int, ReadingRow]]:
        """Every kept reading with its number."""
        found = [item for item in self.items() if isinstance(item, Readings)]
        return [(item.first + i, row) for item in found for i, row in enumerate(item.rows)]

    def notes(self, kind: str) -> list[Noted]:
        return [item for item in self.items() if isinstance(item, Noted) and item.kind == kind]

    def steps(self) -> list[StepEnded]:
        return [item for item in self.items() if isinstance(item, StepEnded)]

    def actions(self) -> list[tuple[str, str, str, float | None]]:
        """Kind, arguments, phase and moment of intent of every action in the journal, in order."""
        with sqlite3.connect(self.places.journal) as journal:
            query = "SELECT kind, arguments, phase, intended FROM action ORDER BY number"
            rows = journal.execute(query).fetchall()
        journal.close()
        return rows


def _items(batch: Batch) -> list[Item]:
    return list(batch.items)


@asynccontextmanager
async def survival(
    directory: Path, kind: str = "keithley2450", speed: float = SPEED
) -> AsyncIterator[Survival]:
    """Serve the instrument here, so that it outlives every core; what is left of those is killed."""
    cell = LinearCell(rest=3.7, farads=1000.0, ohms=2.0)
    bench = Survival(directory, kind, cell)
    heard = bench.heard

    class Heard(HeardKeithley):
        def __init__(self, cell: Cell, clock: Any, seed: int) -> None:
            super().__init__(cell, clock, seed)
            self.heard = heard

    served: type[SimulatedInstrument] = Heard if kind == "keithley2450" else EmStat4
    async with served.serve(cell=cell, speed=speed, seed=1, faults=bench.faults) as where:
        scheme = "serial" if where.address.startswith("/") else "visa"
        addresses = {"a1": [f"{scheme}://{where.address}", where.rehearsal]}
        (directory / "simulated.json").write_text(json.dumps(addresses))
        simulation = f"simulate: {{cell: li_ion/generic, speed: {speed:g}}}"
        (directory / "bench.yaml").write_text(
            f"bench: b\ninstruments:\n  a1: {{driver: {kind}, {simulation}, sample: 1 s}}\n"
        )
        try:
            yield bench
        finally:
            await bench.end(signal.SIGKILL)
