"""A bidirectional supply as cheap cyclers are made of, on a raw socket: ITECH's words, one output.

Facts of ITECH's M3400 as far as they are known; what is marked [M] was not seen there.
"""

import asyncio
from collections.abc import Iterator, Mapping
from random import Random
from typing import Any, ClassVar, Literal

from simulators.cells.base import Cell
from simulators.clock import Clock
from simulators.faults.terminals import Output, Terminals
from simulators.instrument import SimulatedInstrument, Stream
from simulators.lines import Lines, LineTooLongError
from simulators.regimes import DISCONNECTED, Regimes, Source, current_source, voltage_source
from simulators.scpi import Boolean, Choice, Command, Front, Number, ScpiError, Setting, Tree, setting

VOLTS, AMPERES = 60.0, 10.0

RESOLUTION = 1e-3
"""Volts and amperes, of what is measured and of what can be set."""


class Stepped(Number):
    """A number of which the supply has whole steps only; what lies between is the nearest."""

    def parse(self, text: str) -> float:
        return RESOLUTION * round(super().parse(text) / RESOLUTION)


class Supply(SimulatedInstrument):
    """Sources and sinks; with its output off its voltmeter still sees the cell."""

    name: ClassVar[str] = "scpi-supply"
    wire: ClassVar[Literal["tcp", "pty"]] = "tcp"
    other_wires: ClassVar[tuple[str, ...]] = ("serial", "hislip", "vxi11")

    def __init__(self, cell: Cell, clock: Clock, seed: int) -> None:
        super().__init__(cell, clock, seed)
        terminals = Terminals(cell)
        self._probes = terminals.voltage, terminals.current
        self._source = Source(cell)
        self._stage: Output[Regimes] = Output(terminals)
        self._gain = 1.0 + Random(f"supply/{seed}").gauss(0.0, 2e-4)  # [M]
        self._lived = 0.0
        self._errors: list[ScpiError] = []
        self._output = Setting(Boolean(), False)
        self._function = Setting(Choice("VOLTage", "CURRent"), "VOLT", changed=lambda _: self._open())
        self._current = Setting(Stepped(-AMPERES, AMPERES, 0.0), 0.0)
        self._voltage = Setting(Stepped(0.0, VOLTS, 0.0), 0.0)
        self._voltage_limit = Setting(Number(0.0, VOLTS, VOLTS), VOLTS)
        self._positive = Setting(Number(0.0, AMPERES, AMPERES), AMPERES)
        self._negative = Setting(Number(-AMPERES, 0.0, -AMPERES), -AMPERES)
        self._protection = Setting(Number(0.0, 1.1 * VOLTS, 1.1 * VOLTS), 1.1 * VOLTS)
        self._front = Front(Tree(self._commands()), self.live, self._errors.append)
        self._one_line = asyncio.Lock()

    async def converse(self, stream: Stream) -> None:
        lines = Lines(stream)
        while True:
            try:
                line = await lines.read()
            except LineTooLongError:
                self._errors.append(ScpiError(-363))
                continue
            if line is None:
                return
            async with self._one_line:
                answer = await self._front.answer(line.decode("latin-1"))
            if answer is not None:
                await stream.write(answer.encode("latin-1") + b"\n")

    def live(self) -> None:
        now = self.clock.now()
        self._source.apply(self.cell, self._stage.obey(self._regimes(), opens=not self._output.value))
        self._source.live(max(0.0, now - self._lived))
        self._lived = max(now, self._lived)
        if self._output.value and self._source.look()[0] > self._protection.value:
            self._open()

    def truth(self) -> Mapping[str, Any]:
        self.live()
        return self.cell.truth()

    def _commands(self) -> Iterator[Command]:
        serial = f"8001{self.seed:08d}"
        yield Command("*IDN", query=lambda _: f"ITECH Ltd.,IT-M3412,{serial},1.09")
        yield Command("*RST", write=lambda _: self._reset())
        yield Command("*CLS", write=lambda _: self._errors.clear())
        yield Command(":SYSTem:REMote", write=lambda _: None)
        yield Command(":SYSTem:UPTime", query=lambda _: f"{self._lived:.3f}")  # [M]
        yield Command(":SYSTem:ERRor[:NEXT]", query=lambda _: self._next_error())
        yield setting(":FUNCtion", self._function)
        yield setting("[:SOURce]:CURRent[:LEVel]", self._current)
        yield setting("[:SOURce]:VOLTage[:LEVel]", self._voltage)
        yield setting("[:SOURce]:VOLTage:LIMit", self._voltage_limit)
        yield setting("[:SOURce]:CURRent:LIMit:POSitive", self._positive)
        yield setting("[:SOURce]:CURRent:LIMit:NEGative", self._negative)
        yield setting("[:SOURce]:VOLTage:PROTection[:LEVel]", self._protection)
        yield setting(":OUTPut[:STATe]", self._output)
        yield Command(":MEASure[:SCALar]:VOLTage[:DC]", query=lambda _: self._measured(0))
        yield Command(":MEASure[:SCALar]:CURRent[:DC]", query=lambda _: self._measured(1))

    def _regimes(self) -> Regimes:
        if not self._output.value:
            return DISCONNECTED
        if self._function.value == "CURR":
            return current_source(self._current.value, self._voltage_limit.value, AMPERES)
        return voltage_source(self._voltage.value, min(self._positive.value, -self._negative.value))

    def _measured(self, quantity: int) -> str:
        probe = self._probes[quantity]
        seen = self._gain * probe.sensed(self._source.look()[quantity])
        return f"{probe.shown(round(seen / RESOLUTION) * RESOLUTION):.3f}"

    def _open(self) -> None:
        self._output.value = False

    def _reset(self) -> None:
        settings = (self._output, self._function, self._current, self._voltage, self._voltage_limit)
        for one in (*settings, self._positive, self._negative, self._protection):
            one.reset()

    def _next_error(self) -> str:
        if not self._errors:
            return '0,"No error"'
        error = self._errors.pop(0)
        return f'{error.code},"{error.text}"'
