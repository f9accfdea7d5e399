"""A Keithley 2450 source-measure unit with its SCPI command set, on a raw socket.

Written from facts of the 2461 reference manual (2461-901-01 Rev. A, shared by the family) and the
2450's (2450-901-01 Rev. B); what is marked [M] beside it was not checked against either.
"""

import asyncio
import random
from itertools import chain
from typing import ClassVar, Literal

from simulators.cells.base import Cell
from simulators.clock import Clock
from simulators.instrument import SimulatedInstrument, Stream
from simulators.keithley2450.commands.readings import Readings
from simulators.keithley2450.commands.sense import sense_commands
from simulators.keithley2450.commands.source import protection_commands, source_commands
from simulators.keithley2450.commands.system import System
from simulators.keithley2450.commands.triggering import Triggering
from simulators.keithley2450.models import MODEL_2450, MODEL_2460, MODEL_2461, Model
from simulators.keithley2450.sourcemeter import SourceMeter
from simulators.keithley2450.trigger import TriggerModel
from simulators.lines import Lines, LineTooLongError
from simulators.scpi import Front, ScpiError, Tree


class Keithley2450(SimulatedInstrument):
    """It starts as the real one does: output off, and *off* a 0 V source, until told to be HIMPedance.

    `lead_resistance` in ohm is what two-wire sensing has in its way, both leads together.
    """

    name: ClassVar[str] = "keithley2450"
    wire: ClassVar[Literal["tcp", "pty"]] = "tcp"
    other_wires: ClassVar[tuple[str, ...]] = ("hislip", "vxi11")
    model: ClassVar[Model] = MODEL_2450

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
        self._smu = SourceMeter(cell, self.model, seed, lead_resistance, line_frequency)
        self._trigger = TriggerModel(self._smu)
        self._front = Front(self._tree(), self.live, self._smu.refuse)
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

    def live(self) -> None:
        now = self.clock.now()
        self._trigger.live(now)
        self._smu.live(now)

    def _tree(self) -> Tree:
        serial = str(random.Random(self.seed).randrange(1_000_000, 10_000_000)).zfill(8)
        smu = self._smu
        return Tree(
            chain(
                source_commands(smu),
                protection_commands(smu),
                sense_commands(smu.settings),
                Readings(smu, self.clock, self._trigger).commands(),
                Triggering(smu, self._trigger).commands(),
                System(smu, self.clock, self._trigger, serial).commands(),
            )
        )


class Keithley2460(Keithley2450):
    """The 7 A, 100 V member."""

    name = "keithley2460"
    model = MODEL_2460


class Keithley2461(Keithley2450):
    """The 10 A pulse, 7 A direct current, 100 V member."""

    name = "keithley2461"
    model = MODEL_2461
