"""Follows steps that the instrument runs by itself, one program each."""

from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

from daemon.engines.engine import Engine, accept, begun, note_resistance
from daemon.engines.gate import Gate
from daemon.engines.held import expected_interval, known_setpoint
from daemon.engines.progress import Tally, resumed, resumption
from daemon.guards import DEFAULT, Guards, Look
from daemon.guards.losses import Losses
from daemon.guards.patience import answered
from daemon.guards.silence import Silence
from daemon.running.logbook import Logbook
from daemon.running.position import Behind, StepPosition
from drivers.base import Program, ProgrammedChannel, ProgramState, ProgramStatus, Record
from drivers.errors import LinkError, RefusedError
from drivers.whole import WholeChannel
from protocols.conditions import Comparison, Progress, Quantity, Relation
from protocols.errors import LimitError
from protocols.limits import Limits
from protocols.plan import Ceiling, PlannedStep
from protocols.reading import ImpedancePoint, Reading
from protocols.recording import Recording
from protocols.techniques import Rest
from protocols.walk import Visit

_LOOK = 0.1  # seconds of open circuit before anything is done to the cell


_ANSWER = 15.0
"""Seconds for one answer. The instrument judges the cell meanwhile: nothing is at stake but data."""


class Attached(NamedTuple):
    """A program found running: the moment it began on the new timeline, and what was behind it then."""

    origin: float
    behind: Behind


class ProgrammedEngine(Engine):
    """`sample` is the interval in seconds between the instrument's own readings."""

    autonomous = True

    def __init__(
        self,
        channel: ProgrammedChannel,
        limits: Limits,
        sample: float,
        logbook: Logbook,
        gate: Gate,
        guards: Guards | None = None,
    ) -> None:
        self._channel = channel
        self._limits = limits
        self._sample = sample
        self._logbook = logbook
        self._gate = gate
        self._guards = guards or Guards(DEFAULT, limits, sample)
        self._losses = Losses()
        self._zero = 0.0  # instrument time at which the run began
        self._attached: Attached | None = None

    async def prepare(self) -> None:
        began, reading = await self._first_look()
        self._zero = began - self.time
        self.open_circuit = reading.voltage
        accept(reading, self.time, self._logbook, self._guards, self._limits)

    def attach(self, attached: Attached, began: float) -> None:
        """The next step is running already: its program began at `began`, in seconds of the run."""
        self._attached, self.attached = attached, True
        self._zero = attached.origin - began

    async def run_step(self, visit: Visit, behind: StepPosition | None = None) -> Tally:
        step = self.surroundings.begin(visit.step)
        tally = begun(visit, step.until, behind, self.time, self._logbook)
        reason = None
        while reason is None:
            reason = await self._stretch(step, tally)
            if reason is None:
                await self._wait_at_gate(step)
                tally = resumed(step, tally)
        self._logbook.step_ended(self.time, reason)
        return tally

    async def off(self) -> None:
        await self._channel.off()

    async def _stretch(self, step: PlannedStep, tally: Tally) -> str | None:
        """Let the instrument run the step, or what is left of it; None when a person pauses."""
        tag = f"{self._logbook.run}/{self._logbook.steps}"
        attached, self._attached = self._attached, None
        self._guards.begin()
        if attached is None:
            behind = Behind(tally.seconds, tally.coulombs, tally.joules)
            program = Program(step, self._limits, self._sample, *map(abs, behind))
            origin = await self._start(tag, program)
        else:
            origin, behind = attached
        self.interval = expected_interval(step)
        silence = Silence(self.interval, _ANSWER)
        setpoint = known_setpoint(step.technique)
        before: Reading | None = None
        last, reason, finishing = 0, None, False
        known = -1.0 if attached is None else tally.seconds  # what an earlier core took comes once more
        while not self._gate.closed:
            status, records = await self._look(after=last)
            silence.check(bool(records))
            self._guards.check_interlocks()
            if reason is not None and records and not finishing:
                # it goes on past an end: one that it cannot hold itself, or did not keep
                finishing = True
                await self._channel.finish()
            for record in records:
                last = record.number
                since = record.point.time - origin
                if behind.seconds + since <= known:
                    continue
                progress = self._take(behind.seconds + since, record, behind, tally)
                if progress is not None and isinstance(record.point, Reading):
                    look = Look(record.point, setpoint, since, before)
                    reason = self._judge(step, look, progress) or reason
                    before = record.point
            if status.state is not ProgramState.RUNNING and not records:
                return reason or _reason(status, tag)
        return None

    def _take(self, step_time: float, record: Record, behind: Behind, tally: Tally) -> Progress | None:
        """Record a point; return how far a reading brings the step."""
        point = record.point
        self.time = point.time - self._zero
        if isinstance(point, ImpedancePoint):
            tally.seconds = step_time
            self._logbook.impedance_point(self.time, point, tally)
            return None
        progress = tally.take(step_time, point, _counted(record, behind))
        self._logbook.reading(self.time, step_time, point, tally, thinned=True)
        return progress

    def _judge(self, step: PlannedStep, look: Look, progress: Progress) -> str | None:
        """Return the end that is met, which the instrument may not hold, or None."""
        self._guards.judge(look)
        note_resistance(self._logbook, self.time, self._guards, look)
        self._limits.check(look.reading)
        if (arrived := self.surroundings.arrived()) is not None:
            return arrived
        step.ceiling.check(progress)
        met = step.until.first_met(progress) if step.until is not None else None
        return met.text if met is not None else None

    async def _start(self, tag: str, program: Program) -> float:
        async with answered(2.0 * _ANSWER, "confirmation of a program"):
            return await self._channel.start(tag, program)

    async def _look(self, after: int) -> tuple[ProgramStatus, Sequence[Record]]:
        """Return the state and, read after it, what is new. A lost line is noted, and some are forgiven."""
        async with answered(_ANSWER, "answer"):
            while True:
                try:
                    status, records = await self._channel.state(), await self._channel.records(after)
                    return status, await self.surroundings.around_all(records)
                except LinkError as error:
                    self._losses.count(self.time, error)
                    self._logbook.note(self.time, "answer lost", str(error))

    async def _wait_at_gate(self, step: PlannedStep) -> None:
        await self._channel.off()
        self._logbook.note(self.time, "paused", "circuit open until a person resumes the run")
        await self._gate.passed()
        self._logbook.note(self.time, "resumed", resumption(step))

    async def _first_look(self) -> tuple[float, Reading]:
        """Look at the cell; where that takes a program, with a short rest."""
        if isinstance(self._channel, WholeChannel):
            async with answered(_ANSWER, "look at the cell"):
                reading = await self._channel.look()
            return reading.time, reading
        return await self._look_at_rest()

    async def _look_at_rest(self) -> tuple[float, Reading]:
        """Return the moment a short rest began, and its last reading."""
        end = Comparison(Quantity.TIME, Relation.AT_LEAST, _LOOK, f"time >= {_LOOK} s")
        step = PlannedStep(
            path="0",
            line=0,
            verb="rest",
            technique=Rest(),
            setting="",
            until=end,
            record=Recording(every=_LOOK),
            ceiling=Ceiling(seconds=10 * _LOOK, coulombs=0.0),
        )
        # a cell outside its window is what this look is for: the instrument must not stop at it
        anything = replace(self._limits, voltage=type(self._limits.voltage)())
        began = await self._start(f"{self._logbook.run}/0", Program(step, anything, sample=_LOOK / 4))
        silence = Silence(_LOOK, _ANSWER)
        found: Reading | None = None
        last = 0
        while True:
            status, records = await self._look(after=last)
            silence.check(bool(records))
            for record in records:
                last = record.number
                found = record.point if isinstance(record.point, Reading) else found
            if status.state is not ProgramState.RUNNING and not records:
                break
        if found is None:
            raise RefusedError("the instrument ended its look at the open-circuit voltage without a reading")
        return began, found


def _counted(record: Record, behind: Behind) -> tuple[float, float] | None:
    """The charge and energy of the whole step by the instrument's counters, where it has them."""
    if record.coulombs is None or record.joules is None:
        return None
    return behind.coulombs + record.coulombs, behind.joules + record.joules


def _reason(status: ProgramStatus, tag: str) -> str:
    """Return why the instrument ended the program by itself; raise where that was no end of a step."""
    if status.limit:
        raise LimitError(f"the instrument left the window and opened the circuit: {status.reason}")
    if status.state is not ProgramState.FINISHED or status.tag != tag:
        raise RefusedError(f"program {tag} is {status.state.value}: {status.reason or 'no reason given'}")
    return status.reason or "complete"
