"""A classic Keithley 2400 source-measure unit with its SCPI command set.

Written from facts of its manual (2400S-900-01); what is marked [M] beside it was not checked there.
The real one has GPIB and RS-232: a raw socket here is what a gateway for either would be.
"""

import asyncio
import random
from collections.abc import Mapping
from itertools import chain
from typing import Any, ClassVar, Literal

from simulators.cells.base import Cell
from simulators.clock import Clock
from simulators.instrument import SimulatedInstrument, Stream
from simulators.keithley2400.readings import Readings
from simulators.keithley2400.source import sense_commands, source_commands
from simulators.keithley2400.sourcemeter import SourceMeter
from simulators.keithley2400.system import System
from simulators.keithley2400.trigger import Memory, Triggering
from simulators.lines import Lines, LineTooLongError
from simulators.scpi import Front, ScpiError, Tree


class Keithley2400(SimulatedInstrument):
    """It starts as the real one does: output off, and *off* a 0 V source, until told to be HIMPedance.

    `lead_resistance` in ohm is what two-wire sensing has in its way, both leads together.
    """

    name: ClassVar[str] = "keithley2400"
    wire: ClassVar[Literal["tcp", "pty"]] = "tcp"
    other_wires: ClassVar[tuple[str, ...]] = ("serial", "hislip", "vxi11")

    def __init__(
        self,
        cell: Cell,
        clock: Clock,
        seed: int,
        *,
        lead_resistance: float = 0.1,
        line_frequency: float = 50.0,
    ) -> None:
        super().__init__(cell, clock, seed)
        self._smu = SourceMeter(cell, seed, lead_resistance, line_frequency)
        self._memory = Memory()
        self._triggering = Triggering(self._smu, clock, self._memory)
        self._front = Front(self._tree(), self._live, self._smu.refuse)
        self._one_line = asyncio.Lock()

    async def converse(self, stream: Stream) -> None:
        lines = Lines(stream)
        while True:
            try:
                line = await lines.read()
            except LineTooLongError:
                self._smu.refuse(ScpiError(-363))
                continue
            if line is None:
                return
            answer = await self.answer(line.decode("latin-1"))
            if answer is not None:
                await stream.write(answer.encode("latin-1") + b"\n")

    async def answer(self, line: str) -> str | None:
        """Do what one line says and return its answer, if it asks; clients take turns line by line."""
        async with self._one_line:
            return await self._front.answer(line)

    def truth(self) -> Mapping[str, Any]:
        self._live()
        return self.cell.truth()

    def _live(self) -> None:
        """Let everything that should have happened by now have happened."""
        now = self.clock.now()
        self._triggering.live(now)
        self._smu.live(now)

    def _tree(self) -> Tree:
        serial = str(random.Random(self.seed).randrange(1_000_000, 2_000_000))
        smu, triggering, memory = self._smu, self._triggering, self._memory
        return Tree(
            chain(
                source_commands(smu.settings, smu),
                sense_commands(smu.settings, smu),
                Readings(smu, triggering, memory).commands(),
                System(smu, triggering, memory, serial).commands(),
            )
        )
