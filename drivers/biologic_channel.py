"""A channel of a Bio-Logic: a step becomes techniques, and their rows become readings."""

import asyncio
import time
from collections.abc import Sequence

from drivers import biologic_rate
from drivers.base import Program, ProgramState, ProgramStatus, Record
from drivers.biologic_compiler import Compiled, Compiler
from drivers.biologic_followed import FollowedProgram
from drivers.biologic_holding import unheld
from drivers.biologic_linked import MOST_TECHNIQUES, Beginning, Linked, linked
from drivers.biologic_port import LONGEST_PAUSE, SHORTEST_PAUSE, Port
from drivers.biologic_refusal import refusal
from drivers.biologic_trace import Trace
from drivers.biologic_whole import LinkedProgram
from drivers.eclib_structs import CurrentValues
from drivers.ends import Done
from drivers.errors import RefusedError, SilenceError
from drivers.whole import Followed, Taken, Unheld, WholeChannel, WholeProgram
from protocols.limits import Limits
from protocols.plan import Plan, PlannedStep
from protocols.reading import Reading
from protocols.techniques import ConstantVoltage, Impedance, Level, Rest, Sweep

RECORD_SECONDS = 1.0

LOOK_SECONDS = 0.1
"""How long the open circuit is looked at before anything is connected."""

PATIENCE_SECONDS = 10.0


class EclibChannel(WholeChannel):
    """Runs a whole protocol as one list of techniques, or one step at a time."""

    def __init__(self, port: Port) -> None:
        self._port = port
        self._emptying = asyncio.Lock()
        self._program: FollowedProgram | None = None
        self._whole: LinkedProgram | None = None
        self._opened = time.monotonic()
        self._reached = 0.0

    @property
    def tells_again(self) -> bool:
        return False  # the library gives each row once

    def refusal(self, step: PlannedStep) -> str | None:
        return refusal(step, self._port.potentiostat.model)

    def program(self, tag: str, program: Program) -> str:
        return self._compiled(program, charging=True).text()

    def unheld(self, plan: Plan) -> Sequence[Unheld]:
        return unheld(plan, self._compiler(plan.limits, LOOK_SECONDS))

    def whole_program(self, tag: str, program: WholeProgram) -> str:
        return self._linked(program).text()

    async def start_whole(self, tag: str, program: WholeProgram) -> None:
        await self._port.make_ready()
        first = next(program.plan.each_step())
        if isinstance(first.technique, ConstantVoltage):
            found = (await self.look()).voltage
            whole = self._linked(program, _charges(first, found), found)
        else:
            whole = self._linked(program)
        if len(whole.techniques) > MOST_TECHNIQUES:
            seen = f"{len(whole.techniques)} techniques"
            raise RefusedError(f"{self._port}: {seen}, where there is room for {MOST_TECHNIQUES}")
        self._program = self._whole = None  # until it is confirmed, nobody knows what the memory holds
        await self._port.begin(whole.techniques)
        self._whole = LinkedProgram(self._port, tag, whole, Trace(whole), program.plan.limits)

    async def attach_whole(self, tag: str, program: WholeProgram, taken: Taken) -> bool:
        for charging in (True, False):
            whole = self._linked(program, charging)
            if await self._port.holds(whole.techniques):
                trace = Trace(whole, taken)
                self._whole = LinkedProgram(self._port, tag, whole, trace, program.plan.limits)
                return True
        return False

    async def follow(self) -> Followed:
        if self._whole is None:
            return Followed(ProgramStatus(ProgramState.IDLE), ())
        async with self._emptying:
            return await self._whole.follow()

    async def skip(self) -> None:
        if self._whole is not None:
            await self._whole.skip()

    async def start(self, tag: str, program: Program) -> float:
        step = program.step
        reason = self.refusal(step)
        if reason is not None:
            raise RefusedError(f"step {step.path}: {reason}")
        await self._port.make_ready()
        if isinstance(step.technique, Rest):
            return await self._begun(tag, program, self._compiled(program))
        found = await self.look()
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
                self._program = FollowedProgram(tag, program, compiled, origin)
                return origin
        return None

    async def look(self) -> Reading:
        port, origin = self._port, self._now()
        await port.make_ready()
        async with self._emptying:
            await port.begin([self._compiler(Limits(), LOOK_SECONDS).look(LOOK_SECONDS)])
            found: Reading | None = None
            end = time.monotonic() + PATIENCE_SECONDS
            while not (emptied := await port.empty()).over and time.monotonic() < end:
                found = next((p for p in reversed(emptied.points) if isinstance(p, Reading)), found)
                await asyncio.sleep(0.0 if emptied.points else SHORTEST_PAUSE)
        if found is None:
            raise SilenceError(f"{port}: no voltage of the open circuit within {PATIENCE_SECONDS:g} s")
        self._reached = max(self._reached, origin + found.time)
        return found._replace(time=origin + found.time)

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
        self._program = self._whole = None

    def _compiled(self, program: Program, charging: bool = True, open_circuit: float = 0.0) -> Compiled:
        compiler = self._compiler(program.limits, program.sample)
        return compiler.compiled(program.step, Done.before(program), charging, open_circuit)

    def _linked(self, program: WholeProgram, charging: bool = True, open_circuit: float = 0.0) -> Linked:
        done = Done(program.seconds_done, abs(program.coulombs_done), abs(program.joules_done))
        compiler = self._compiler(program.plan.limits, program.sample)
        return linked(compiler, program.plan.steps, Beginning(done, open_circuit, charging))

    def _compiler(self, limits: Limits, sample: float) -> Compiler:
        return Compiler(self._port.potentiostat, self._port.conventions, limits, sample)

    async def _begun(self, tag: str, program: Program, compiled: Compiled) -> float:
        origin = self._now()
        followed = FollowedProgram(tag, program, compiled, origin)
        async with self._emptying:
            self._program = self._whole = None  # until it is confirmed, nobody knows what the memory holds
            await self._port.begin(compiled.techniques)
            self._program = followed
        return origin

    async def _empty(self, program: FollowedProgram) -> None:
        """Take what is in the memory. The program is over once the channel stands and nothing is left."""
        async with self._emptying:
            emptied = await self._port.empty()
            program.take(emptied.points, emptied.values.TimeBase)
            self._reached = max(self._reached, program.last_time)
            if emptied.over:
                program.over(await self._port.said() if not program.ended_well else "")
            else:
                await self._judge_rate(program, emptied.values)

    async def _judge_rate(self, program: FollowedProgram, values: CurrentValues) -> None:
        """Stop a sweep that goes at another rate than it was told."""
        if not isinstance(program.technique, Sweep):
            return
        seconds, volts = program.way(values.ElapsedTime, values.Ewe)
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
