"""A channel of a Bio-Logic: a step becomes techniques, and their rows become readings."""

import asyncio
import time
from collections.abc import Sequence

from drivers import biologic_rate
from drivers.base import Program, ProgrammedChannel, ProgramState, ProgramStatus, Record
from drivers.biologic_compiler import Compiled, Compiler
from drivers.biologic_followed import FollowedProgram
from drivers.biologic_port import Port, Taken
from drivers.biologic_refusal import refusal
from drivers.ends import Done
from drivers.errors import RefusedError, SilenceError
from protocols.limits import Limits
from protocols.plan import PlannedStep
from protocols.reading import Reading
from protocols.techniques import ConstantVoltage, Impedance, Level, Rest, Sweep

RECORD_SECONDS = 1.0

LOOK_SECONDS = 0.1
"""How long the open circuit is looked at before anything is connected."""

PATIENCE_SECONDS = 10.0

START_SECONDS = 2.0
"""How long a channel may seem to stand after it was started."""

SHORTEST_PAUSE, LONGEST_PAUSE = 1e-3, 0.05
"""Seconds between two looks into a memory that is empty; they grow while it stays so."""


class EclibChannel(ProgrammedChannel):
    """Runs one step at a time. The memory is emptied in one place only, so that each row comes once."""

    def __init__(self, port: Port) -> None:
        self._port = port
        self._emptying = asyncio.Lock()
        self._program: FollowedProgram | None = None
        self._opened = time.monotonic()
        self._reached = 0.0
        self._deadline = 0.0  # by when a program that was started is seen at work
        self._seen = False

    def refusal(self, step: PlannedStep) -> str | None:
        return refusal(step, self._port.potentiostat.model)

    def program(self, tag: str, program: Program) -> str:
        return self._compiled(program, charging=True).text()

    async def start(self, tag: str, program: Program) -> float:
        step = program.step
        reason = self.refusal(step)
        if reason is not None:
            raise RefusedError(f"step {step.path}: {reason}")
        if self._program is not None and self._program.running:
            raise RefusedError(f"{self._port}: {self._program.tag} is running; stop it first")
        await self._port.make_ready()
        if isinstance(step.technique, Rest):
            return await self._begun(tag, program, self._compiled(program))
        found = await self._look()
        compiled = self._compiled(program, _charges(step, found.voltage), found.voltage)
        forbidden = _forbidden(step, program.limits, found.voltage)
        if forbidden is None:
            return await self._begun(tag, program, compiled)
        self._program = FollowedProgram(tag, program, compiled, self._now())
        self._program.refused(found, forbidden)
        return self._now()

    async def attach(self, tag: str, program: Program) -> float | None:
        """Follow what runs already if it is this program: its parameters tell, for want of a tag."""
        for charging in (True, False):
            compiled = self._compiled(program, charging)
            if await self._port.holds(compiled.techniques):
                origin = self._now()
                self._program, self._seen = FollowedProgram(tag, program, compiled, origin), True
                return origin
        return None

    async def state(self) -> ProgramStatus:
        if self._program is None:
            return ProgramStatus(ProgramState.IDLE)
        if self._program.running:
            await self._empty(self._program)
        return self._program.status

    async def records(self, after: int) -> Sequence[Record]:
        program = self._program
        if program is None:
            return []
        end, pause = time.monotonic() + RECORD_SECONDS, 0.0
        while not program.records(after) and program.running and time.monotonic() < end:
            await asyncio.sleep(pause)
            await self._empty(program)
            pause = min(max(2.0 * pause, SHORTEST_PAUSE), LONGEST_PAUSE)
        return program.records(after)

    async def finish(self) -> None:
        if self._program is not None and self._program.running:
            self._program.finishing = True
            await self._port.stop()

    async def off(self) -> None:
        await self._port.off()
        self._program = None

    def _compiled(self, program: Program, charging: bool = True, open_circuit: float = 0.0) -> Compiled:
        port = self._port
        compiler = Compiler(port.potentiostat, port.conventions, program.limits, program.sample)
        return compiler.compiled(program.step, Done.before(program), charging, open_circuit)

    async def _begun(self, tag: str, program: Program, compiled: Compiled) -> float:
        origin = self._now()
        followed = FollowedProgram(tag, program, compiled, origin)
        async with self._emptying:
            self._program = None  # until it is confirmed, nobody knows what the memory holds
            await self._port.begin(compiled.techniques)
            self._program, self._seen = followed, False
            self._deadline = time.monotonic() + START_SECONDS
        return origin

    async def _look(self) -> Reading:
        """Return the voltage of the cell, measured while nothing is connected."""
        port = self._port
        compiler = Compiler(port.potentiostat, port.conventions, Limits(), LOOK_SECONDS)
        async with self._emptying:
            await port.begin([compiler.look(LOOK_SECONDS)])
            found: Reading | None = None
            end = time.monotonic() + PATIENCE_SECONDS
            deadline = time.monotonic() + START_SECONDS
            while time.monotonic() < end:
                taken = await port.take()
                found = next((p for p in reversed(taken.points) if isinstance(p, Reading)), found)
                if not taken.working and not taken.points and (found or time.monotonic() > deadline):
                    break
                await asyncio.sleep(0.0 if taken.points else SHORTEST_PAUSE)
        if found is None:
            raise SilenceError(f"{port}: no voltage of the open circuit within {PATIENCE_SECONDS:g} s")
        return found

    async def _empty(self, program: FollowedProgram) -> None:
        """Take what is in the memory. The program is over once the channel stands and nothing is left."""
        async with self._emptying:
            taken = await self._port.take()
            program.take(taken.points, taken.values.TimeBase)
            self._reached = max(self._reached, program.last_time)
            self._seen = self._seen or taken.working or bool(taken.points)
            if taken.working:
                await self._judge_rate(program, taken)
            elif not taken.points and (self._seen or time.monotonic() > self._deadline):
                program.over(await self._port.said() if not program.ended_well else "")

    async def _judge_rate(self, program: FollowedProgram, taken: Taken) -> None:
        """Stop a sweep that goes at another rate than it was told."""
        if not isinstance(program.technique, Sweep):
            return
        seconds, volts = program.way(taken.values.ElapsedTime, taken.values.Ewe)
        trouble = biologic_rate.trouble(program.technique, seconds, volts) if seconds > 0.0 else None
        if trouble is not None:
            await self._port.stop()
            program.failed(trouble)

    def _now(self) -> float:
        """Return the channel's time: the host's seconds since opening, never behind the instrument's."""
        return max(time.monotonic() - self._opened, self._reached)


def _level(step: PlannedStep) -> Level | None:
    """Return the voltage a step begins to hold, None where it holds none."""
    match step.technique:
        case ConstantVoltage(level):
            return level
        case Sweep(start=start):
            return start
        case Impedance(bias=bias, galvanostatic=False):
            return bias
    return None


def _charges(step: PlannedStep, open_circuit: float) -> bool:
    """Whether what the step holds draws a charging current."""
    level = _level(step)
    return level is None or level.at(open_circuit) >= open_circuit


def _forbidden(step: PlannedStep, limits: Limits, open_circuit: float) -> float | None:
    """Return the voltage outside the window at which the step would begin, or None."""
    level = _level(step)
    voltages = (open_circuit,) if level is None else (open_circuit, level.at(open_circuit))
    return next((volts for volts in voltages if not limits.voltage.holds(volts)), None)
