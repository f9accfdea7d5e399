"""A PalmSens EmStat4 as it is on its serial port: commands, MethodSCRIPT, and a cell at its leads."""

import asyncio
from dataclasses import dataclass, replace
from enum import Enum
from typing import ClassVar, Literal

from simulators.cells.base import Cell
from simulators.clock import Clock
from simulators.front_end import FrontEnd
from simulators.instrument import SimulatedInstrument, Stream
from simulators.methodscript.errors import Code, ScriptError
from simulators.methodscript.loader import load
from simulators.methodscript.machine import Machine, Program
from simulators.methodscript.potentiostat import Potentiostat, Ratings
from simulators.methodscript.ranges import Range
from simulators.methodscript.run import Run

LONGEST_COMMAND = 1000
"""Characters in a line from the host; the rest of a longer one is thrown away."""

FLOW_CONTROL = bytes((0x11, 0x13))

COMMUNICATION = (1, 32, 33, 34, 35, 36, 37, 38, 48, 49, 96, 97, 98, 99, 101)
"""Bits of `CC`: the commands this instrument knows."""

SCRIPT = (*range(1, 22), 23, 24, *range(28, 37), *range(38, 43), 51, *range(62, 71), 92)
"""Bits of `CM`: the script commands it knows, as far as their bits are documented."""

_CURRENTS = tuple(Range(index, 10.0 ** (index / 3 - 10)) for index in range(3, 28, 3))
_POTENTIALS = (Range(2, 0.05), Range(3, 0.1), Range(4, 0.2), Range(5, 0.5), Range(6, 1.0))

_PICO_FAST = (100e-9, 1e-6, 6e-6, 13e-6, 25e-6, 50e-6, 100e-6, 200e-6, 1e-3, 5e-3)
_PICO_SLOW = (100e-9, 2e-6, 4e-6, 8e-6, 16e-6, 32e-6, 63e-6, 125e-6, 250e-6, 500e-6, 1e-3, 5e-3)

_NEXUS_CURRENTS = (
    *((16, 100e-12), (0, 1e-9), (1, 10e-9), (2, 100e-9), (3, 1e-6), (4, 10e-6), (5, 100e-6)),
    *((8, 1e-3), (9, 10e-3), (10, 100e-3), (11, 1.0)),  # 6 and 7 are the same scales by another way
)

_LR = Ratings(
    name="lr",
    device="es4_lr",
    voltage_limit=3.0,
    current_limit=0.03,  # not documented in what was read: assumed
    current_ranges=_CURRENTS[:8],  # 1 nA to 10 mA
    potential_ranges=_POTENTIALS,
    smallest_step=1e-4,  # assumed
    frequencies=(1e-5, 200e3),  # assumed
    largest_amplitude=1.0,  # assumed
)

RATINGS = {
    "lr": _LR,
    "hr": replace(
        _LR,
        name="hr",
        device="es4_hr",
        voltage_limit=6.0,
        current_limit=0.2,
        current_ranges=_CURRENTS[2:],  # 100 nA to 100 mA
    ),
    "pico": replace(
        _LR,
        name="pico",
        device="espico",
        voltage_limit=2.0,  # not documented in what was read: assumed
        current_limit=0.005,
        current_ranges=tuple(Range(128 + n, full) for n, full in enumerate(_PICO_FAST)),
        slow_ranges=tuple(Range(n, full) for n, full in enumerate(_PICO_SLOW)),
        potential_ranges=(Range(0, 2.0),),
        galvanostat=False,
    ),
    "nexus": replace(
        _LR,
        name="nexus",
        device="nexus1",
        voltage_limit=10.0,  # assumed
        current_limit=1.05,  # assumed
        current_ranges=tuple(Range(n, full) for n, full in _NEXUS_CURRENTS),
        potential_ranges=tuple(Range(3 - n, 10.0 ** (n - 3)) for n in range(4)),
    ),
}


@dataclass(frozen=True, slots=True)
class Manners:
    """What differs between instruments of the family, or is not documented and may be either way.

    `joined_echo`: the `e` that starts a script comes without its line end. `amplitude_is_rms`: so
    the argument of `meas_loop_eis` is understood. `script_size` in characters. A host that takes
    nothing for `patience` seconds is talked past until it is heard from again, so that a script
    whose host died runs on to its own end.
    """

    model: Literal["lr", "hr", "pico", "nexus"] = "hr"
    firmware: str = "1500#Jan 15 2026 10:00:00"
    joined_echo: bool = False
    amplitude_is_rms: bool = True
    empty_line_after_error: bool = False
    script_size: int = 32_768
    patience: float = 30.0


class Loading(Enum):
    """What will be done with the lines that are coming in."""

    LOAD = "l"
    EXECUTE = "e"


class EmStat4(SimulatedInstrument):
    """Idle, loading or running; only `h H Z Y R` are taken while it runs."""

    name: ClassVar[str] = "emstat4"
    wire: ClassVar[Literal["tcp", "pty"]] = "pty"
    usual: ClassVar[Manners] = Manners()

    def __init__(
        self,
        cell: Cell,
        clock: Clock,
        seed: int,
        manners: Manners | None = None,
        front_end: FrontEnd | None = None,
    ) -> None:
        super().__init__(cell, clock, seed)
        self.manners = manners or self.usual
        self._ratings = ratings = RATINGS[self.manners.model]
        self._potentiostat = Potentiostat(
            ratings, cell, front_end or ratings.front_end(seed), self.manners.amplitude_is_rms
        )
        self._potentiostat.time = clock.now()
        self._stream: Stream | None = None
        self._sending = asyncio.Lock()
        self._loading: Loading | None = None
        self._script: list[str] = []
        self._size = 0
        self._program: Program | None = None
        self._run: Run | None = None

    def live(self) -> None:
        if self._run is None:
            self._potentiostat.live_until(self.clock.now())

    @property
    def cell_is_on(self) -> bool:
        return self._potentiostat.on

    async def converse(self, stream: Stream) -> None:
        """Talk to one client until it is gone; a script it left running is seen to its end."""
        async with asyncio.TaskGroup() as scripts:
            rest = b""
            while data := await stream.read():
                self._stream = stream
                *lines, rest = (rest + data.translate(None, FLOW_CONTROL)).split(b"\n")
                rest = rest[: LONGEST_COMMAND + 1]
                for line in lines:
                    await self._hear(line[: LONGEST_COMMAND + 1].decode("latin-1"), scripts)
            if self._stream is stream:
                self._stream = None
                self._loading = None

    async def _hear(self, line: str, scripts: asyncio.TaskGroup) -> None:
        if self._loading is not None:
            await self._load(line, self._loading, scripts)
        elif self._run is not None:
            if line:
                self._run.hear(_printable(line))
        elif line in ("e", "l"):
            self._loading, self._script, self._size = Loading(line), [], 0
        elif line == "r":
            await self._execute("r", scripts)
        else:
            await self._send(self._reply(_printable(line)))

    def _reply(self, line: str) -> str:
        """Return the answer of an idle instrument."""
        if len(line) > LONGEST_COMMAND:
            return _refusal(line, Code.COMMAND_TOO_LONG)
        match line:
            case "":
                return "\n"
            case "t":
                return f"t{self._ratings.device}{self.manners.firmware}\nR*\n"
            case "i":
                return f"iES4{self.manners.model.upper()}{self.seed:08d}\n"
            case "v":
                return "v1.9\n"
            case "CC":
                return f"C{_mask(COMMUNICATION):X}\n"
            case "CM":
                return f"C{_mask(SCRIPT):X}\n"
            case "h" | "H" | "Z" | "Y" | "R":
                return _refusal(line, Code.MODE_INVALID)
        return _refusal(line, Code.UNKNOWN_REGISTER if line[0] in "SG" else Code.UNKNOWN_COMMUNICATION)

    async def _load(self, line: str, then: Loading, scripts: asyncio.TaskGroup) -> None:
        if line:
            self._size += len(line) + 1
            if self._size <= self.manners.script_size or not self._script:
                self._script.append(line)
            return
        self._loading = None
        try:
            if self._size > self.manners.script_size:
                raise ScriptError(Code.SCRIPT_TOO_LARGE, len(self._script) + 1, 1)
            for number, text in enumerate(self._script, start=1):
                if len(text) > LONGEST_COMMAND:
                    raise ScriptError(Code.COMMAND_TOO_LONG, number, LONGEST_COMMAND + 1)
            self._program = load(self._script)
        except ScriptError as error:
            await self._send(error.reply(then.value))
            return
        if then is Loading.EXECUTE:
            await self._execute("e", scripts)
        else:
            await self._send("l\n")

    async def _execute(self, echo: str, scripts: asyncio.TaskGroup) -> None:
        if self._program is None:
            await self._send(_refusal(echo, Code.NO_SCRIPT))
            return
        self._potentiostat.live_until(self.clock.now())
        self._potentiostat.reset_ranges()
        machine = Machine(self._program, self._potentiostat)
        greeting = echo if self.manners.joined_echo else echo + "\n"
        self._run = Run(machine, self.clock, self._send, greeting)
        scripts.create_task(self._see_through(self._run), name="script")

    async def _see_through(self, run: Run) -> None:
        try:
            error = await run.finish()
        finally:
            self._run = None
        if error is None:
            await self._send("\n")
        else:
            await self._send(error.reply() + ("\n" if self.manners.empty_line_after_error else ""))

    async def _send(self, text: str) -> None:
        """Send to whoever is there; what nobody takes is lost, as on any serial line."""
        async with self._sending:
            if self._stream is None:
                return
            try:
                async with asyncio.timeout(self.manners.patience):
                    await self._stream.write(text.encode("ascii"))
            except (TimeoutError, OSError):
                self._stream = None


class EmStatPico(EmStat4):
    """A potentiostat of its own ranges, and no galvanostat; its script memory is small."""

    name = "emstat-pico"
    usual = Manners(model="pico", firmware="1302#Jun 03 2025 12:00:00", script_size=4096)


class Nexus(EmStat4):
    """The large one: an ampere, ten volts, and finer ranges."""

    name = "nexus"
    usual = Manners(model="nexus", firmware="1101#Sep 09 2025 09:00:00")


def _printable(line: str) -> str:
    """Return a line that can be echoed: what is not printable ASCII becomes `?`."""
    return "".join(character if " " <= character <= "~" else "?" for character in line)


def _refusal(line: str, code: Code) -> str:
    return f"{line[0]}!{code:04X}\n"


def _mask(bits: tuple[int, ...]) -> int:
    return sum(1 << bit for bit in bits)
