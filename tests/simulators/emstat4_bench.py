"""A bench for the simulated EmStat4: a cell one can reckon with, a clock that jumps, a wire in memory."""

import asyncio
import math
import re
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from simulators.cells.base import Cell
from simulators.clock import Clock
from simulators.emstat4 import RATINGS, EmStat4, Manners
from simulators.instrument import Stream


class LinearCell(Cell):
    """E = E0 + Q / C + I R: a capacitor of C farad behind R ohm. Its impedance is R + 1 / (j w C)."""

    def __init__(self, volts: float = 3.0, farads: float = 1000.0, ohms: float = 0.1) -> None:
        self.volts = volts
        self.farads = farads
        self.ohms = ohms
        self.coulombs = 0.0
        self.seconds = 0.0

    def drive_current(self, amperes: float, seconds: float) -> float:
        self.coulombs += amperes * seconds
        self.seconds += seconds
        return self.volts + self.coulombs / self.farads + amperes * self.ohms

    def drive_voltage(self, volts: float, seconds: float) -> float:
        inside = self.volts + self.coulombs / self.farads
        left = (volts - inside) * math.exp(-seconds / (self.ohms * self.farads))
        self.coulombs = (volts - left - self.volts) * self.farads
        self.seconds += seconds
        return left / self.ohms

    def charge_passed(self) -> float:
        return self.coulombs

    def impedance(self, frequency: float) -> complex:
        return complex(self.ohms, -1.0 / (2.0 * math.pi * frequency * self.farads))

    def state(self) -> tuple[float, float]:
        return self.coulombs, self.seconds

    def restore(self, state: Any) -> None:
        self.coulombs, self.seconds = state

    def truth(self) -> Mapping[str, Any]:
        return {"farads": self.farads}


class JumpClock(Clock):
    """Stands still unless somebody wants to be later; `gate` lets a test hold it before a moment."""

    def __init__(self, speed: float = math.inf) -> None:
        self.speed = speed
        self.time = 0.0
        self.gate: float = math.inf
        self._moved = asyncio.Event()
        self._advanced = asyncio.Event()
        self._waited_for = asyncio.Event()

    def now(self) -> float:
        return self.time

    async def reach(self, moment: float) -> None:
        await asyncio.sleep(0)
        while moment > self.gate:
            self.time = max(self.time, self.gate)
            self._moved.clear()
            self._waited_for.set()
            await self._moved.wait()
        self.time = max(self.time, moment)
        self._advanced.set()

    async def passed(self, moment: float) -> None:
        """Return once it is `moment`."""
        while self.time < moment:
            self._advanced.clear()
            await self._advanced.wait()

    def open_until(self, moment: float) -> None:
        self.gate = moment
        self._waited_for.clear()
        self._moved.set()

    async def at_the_gate(self) -> None:
        """Return once somebody wants to pass the gate."""
        async with asyncio.timeout(60):
            await self._waited_for.wait()


class MemoryStream(Stream):
    """Two queues of bytes; `take` may be cleared to play a host that does not read."""

    def __init__(self) -> None:
        self._incoming: asyncio.Queue[bytes] = asyncio.Queue()
        self.take = asyncio.Event()
        self.take.set()
        self.heard = bytearray()
        self._news = asyncio.Event()

    def say(self, text: str | bytes) -> None:
        self._incoming.put_nowait(text.encode("latin-1", "replace") if isinstance(text, str) else text)

    def hang_up(self) -> None:
        self._incoming.put_nowait(b"")

    async def read(self) -> bytes:
        return await self._incoming.get()

    async def write(self, data: bytes) -> None:
        await self.take.wait()
        self.heard += data
        self._news.set()

    async def until(self, end: bytes) -> str:
        """Return what was heard up to and with `end`, and forget it."""
        async with asyncio.timeout(60):
            while (at := self.heard.find(end)) < 0:
                self._news.clear()
                await self._news.wait()
        text = bytes(self.heard[: at + len(end)])
        del self.heard[: at + len(end)]
        return text.decode("ascii")

    async def line(self) -> str:
        return (await self.until(b"\n")).rstrip("\n")

    async def synchronised(self) -> list[str]:
        """Go through the vendor's recovery until nothing runs; return every line heard on the way."""
        lines: list[str] = []
        self.say("\n\n")
        while not lines or lines[-1] != "Z!0006":
            self.say("Z\n")
            lines.append(await self.line())
            while not lines[-1].startswith("Z"):
                lines.append(await self.line())
        return lines


@dataclass
class Bench:
    """An instrument in conversation."""

    cell: LinearCell
    clock: JumpClock
    stream: MemoryStream
    instrument: EmStat4
    conversation: "asyncio.Task[None] | None" = field(default=None)

    async def ask(self, command: str) -> str:
        """Return the one line a command is answered with."""
        self.stream.say(command + "\n")
        return await self.stream.until(b"\n")

    def send_script(self, script: str) -> None:
        self.stream.say("e\n" + unindented(script) + "\n\n")

    async def run(self, script: str) -> list[str]:
        """Return the lines a script says, without its echo and its empty line."""
        self.send_script(script)
        text = await self.stream.until(b"\n\n")
        assert text.startswith("e\n")
        return text[2:-1].splitlines()

    async def error(self, script: str) -> str:
        """Return the error line of a script that is refused or fails, whatever came before it."""
        self.send_script(script)
        text = ""
        while "!" not in text:
            text = await self.stream.until(b"\n")
        return text.rstrip("\n")


def unindented(script: str) -> str:
    return "\n".join(line.strip() for line in script.strip().splitlines())


@asynccontextmanager
async def bench(
    cell: LinearCell | None = None, clock: JumpClock | None = None, manners: Manners | None = None
) -> AsyncIterator[Bench]:
    """An EmStat4 with one host, gone and quiet at the end."""
    cell, clock, stream = cell or LinearCell(), clock or JumpClock(), MemoryStream()
    manners = manners or Manners()
    exact = RATINGS[manners.model].front_end(0, exact=True)
    instrument = EmStat4(cell, clock, seed=7, manners=manners, front_end=exact)
    one = Bench(cell, clock, stream, instrument)
    async with asyncio.TaskGroup() as group:
        one.conversation = group.create_task(instrument.converse(stream), name="conversation")
        try:
            yield one
        finally:
            one.conversation.cancel()


_VALUE = re.compile(r"([a-z]{2})(?:([0-9A-F]{7})([afpnum kMGTPEi])|     nan)((?:,[0-9A-F]+)*)")
_FACTORS = dict(zip("afpnum kMGTPE", (10.0**power for power in range(-18, 19, 3)), strict=True)) | {"i": 1.0}


def decode(line: str) -> list[tuple[str, float, str]]:
    """Return vartype, value and metadata of everything in a package; written from the format alone."""
    assert line.startswith("P"), line
    values = []
    for text in line[1:].split(";"):
        found = _VALUE.fullmatch(text)
        assert found, text
        digits, prefix = found[2], found[3]
        value = (int(digits, 16) - 0x8000000) * _FACTORS[prefix] if digits else math.nan
        values.append((found[1], value, found[4]))
    return values


def packages(lines: list[str]) -> list[list[float]]:
    """Return the bare values of every package among the lines."""
    return [[value for _, value, _ in decode(line)] for line in lines if line.startswith("P")]
