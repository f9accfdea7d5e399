"""An ESPEC chamber with a P-300 controller, as it is on its serial port or its TCP forwarder.

Conditioning at a constant set point, alarms and monitoring; it holds no programs and no water.
"""

from collections.abc import Mapping
from typing import Any, ClassVar, Literal

from simulators.cells.base import Cell
from simulators.clock import Clock
from simulators.espec.air import Walls
from simulators.espec.commands import answer
from simulators.espec.controller import Controller
from simulators.instrument import SimulatedInstrument, Stream
from simulators.lines import Lines, LineTooLongError

LONGEST_LINE = 256


class Espec(SimulatedInstrument):
    """What lies in it is a cell that nobody drives: other instruments' cells know nothing of this one.

    `address` is its number on an RS-485 line, where each line begins with one; None for RS-232 and
    TCP, where a number is accepted and not looked at. `protected` is the switch at its panel that
    lets nothing be changed from afar.
    """

    name: ClassVar[str] = "espec"
    wire: ClassVar[Literal["tcp", "pty"]] = "tcp"
    other_wires: ClassVar[tuple[str, ...]] = ("serial",)

    def __init__(
        self,
        cell: Cell,
        clock: Clock,
        seed: int,
        *,
        walls: Walls | None = None,
        address: int | None = None,
        protected: bool = False,
    ) -> None:
        super().__init__(cell, clock, seed)
        self._controller = Controller(cell, walls or Walls())
        self._address = address
        self._protected = protected

    async def converse(self, stream: Stream) -> None:
        lines = Lines(stream, LONGEST_LINE)
        while True:
            try:
                line = await lines.read()
            except LineTooLongError:
                await stream.write(b"NA:CMD ERR\r\n")
                continue
            if line is None:
                return
            said = self.answer(line.decode("latin-1").strip())
            if said is not None:
                await stream.write(said.encode("latin-1") + b"\r\n")

    def answer(self, line: str) -> str | None:
        """Return the answer to one line; None where another chamber on the line is meant."""
        number, comma, rest = line.partition(",")
        if comma and number.isascii() and number.isdigit():
            if self._address is not None and int(number) != self._address:
                return None
            line = rest.strip()
        elif self._address is not None:
            return None
        self._controller.live(self.clock.now())
        return answer(self._controller, line, self._protected)

    def truth(self) -> Mapping[str, Any]:
        self._controller.live(self.clock.now())
        return {"air": self._controller.air.celsius, "set_point": self._controller.set_point}
