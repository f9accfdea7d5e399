"""Follows steps that the instrument runs by itself, one program each."""

from dataclasses import replace
from typing import NamedTuple

from daemon.engine import Engine
from daemon.gate import Gate
from daemon.logbook import Logbook
from daemon.position import StepPosition
from daemon.progress import Tally
from drivers.base import Program, ProgrammedChannel, ProgramState, ProgramStatus, Record
from drivers.errors import RefusedError
from protocols.conditions import Comparison, Quantity, Relation
from protocols.errors import LimitError
from protocols.limits import Limits
from protocols.plan import Ceiling, PlannedStep
from protocols.reading import ImpedancePoint, Reading
from protocols.recording import Recording
from protocols.techniques import Rest
from protocols.walk import Visit

_LOOK = 0.1  # seconds of open circuit before anything is done to the cell


class Behind(NamedTuple):
    """What a step had behind it when the instrument was given what is left of it."""

    seconds: float
    coulombs: float
    joules: float


class Attached(NamedTuple):
    """A program found running: the moment it began on the new timeline, and what was behind it then."""

    origin: float
    behind: Behind


class ProgrammedEngine(Engine):
    """`sample` is the interval in seconds between the instrument's own readings."""

    autonomous = True

    def __init__(
        self, channel: ProgrammedChannel, limits: Limits, sample: float, logbook: Logbook, gate: Gate
    ) -> None:
        self._channel = channel
        self._limits = limits
        self._sample = sample
        self._logbook = logbook
        self._gate = gate
        self._zero = 0.0  # instrument time at which the run began
        self._attached: Attached | None = None

    async def prepare(self) -> None:
        voltage = await self._open_circuit_voltage()
        if not self._limits.voltage.holds(voltage):
            raise LimitError(
                f"open-circuit voltage {voltage:.4f} V is outside {self._limits.voltage} V: "
                "is the cell connected, the right way round, and the one that was named?"
            )

    def attach(self, attached: Attached, began: float) -> None:
        """The next step is running already: its program began at `began`, in seconds of the run."""
        self._attached, self.attached = attached, True
        self._zero = attached.origin - began

    async def run_step(self, visit: Visit, behind: StepPosition | None = None) -> Tally:
        step = visit.step
        if behind is None:
            tally = Tally(step.until)
            self._logbook.step_started(self.time, visit, None)
        else:
            tally = Tally.continued(step.until, behind)
            self._logbook.step_continued(visit, behind, tally)
        reason = None
        while reason is None:
            reason = await self._stretch(step, tally)
            if reason is None:
                await self._wait_at_gate(step)
                tally = tally if step.resumable else Tally(step.until)
        self._logbook.step_ended(self.time, reason)
        return tally

    async def off(self) -> None:
        await self._channel.off()

    async def _stretch(self, step: PlannedStep, tally: Tally) -> str | None:
        """Let the instrument run the step, or what is left of it; None when a person pauses."""
        tag = f"{self._logbook.run}/{self._logbook.steps}"
        attached, self._attached = self._attached, None
        if attached is None:
            behind = Behind(tally.seconds, tally.coulombs, tally.joules)
            program = Program(step, self._limits, self._sample, *map(abs, behind))
            origin = await self._channel.start(tag, program)
        else:
            origin, behind = attached
        last, reason, finishing = 0, None, False
        while not self._gate.closed:
            status = await self._channel.state()
            records = await self._channel.records(after=last)
            if reason is not None and records and not finishing:
                # it goes on past an end: one that it cannot hold itself, or did not keep
                finishing = True
                await self._channel.finish()
            for record in records:
                last = record.number
                step_time = behind.seconds + record.point.time - origin
                reason = self._take(step, step_time, record, behind, tally) or reason
            if status.state is not ProgramState.RUNNING and not records:
                return reason or _reason(status, tag)
        return None

    def _take(
        self, step: PlannedStep, step_time: float, record: Record, behind: Behind, tally: Tally
    ) -> str | None:
        """Record a point, then judge it; return the end it met, which the instrument may not hold."""
        point = record.point
        self.time = point.time - self._zero
        if isinstance(point, ImpedancePoint):
            tally.seconds = step_time
            self._logbook.impedance_point(self.time, point, tally)
            return None
        progress = tally.take(step_time, point, _counted(record, behind))
        self._logbook.reading(self.time, step_time, point, tally, thinned=True)
        self._limits.check(point)
        step.ceiling.check(progress)
        met = step.until.first_met(progress) if step.until is not None else None
        return met.text if met is not None else None

    async def _wait_at_gate(self, step: PlannedStep) -> None:
        await self._channel.off()
        self._logbook.note(self.time, "paused", "circuit open until a person resumes the run")
        await self._gate.passed()
        again = "the step goes on with what is left of it" if step.resumable else "the step begins again"
        self._logbook.note(self.time, "resumed", again)

    async def _open_circuit_voltage(self) -> float:
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
        program = Program(step, anything, sample=_LOOK / 4)
        self._zero = await self._channel.start(f"{self._logbook.run}/0", program) - self.time
        voltage: float | None = None
        last = 0
        while True:
            status = await self._channel.state()
            records = await self._channel.records(after=last)
            for record in records:
                last = record.number
                if isinstance(record.point, Reading):
                    voltage = record.point.voltage
            if status.state is not ProgramState.RUNNING and not records:
                break
        if voltage is None:
            raise RefusedError("the instrument ended its look at the open-circuit voltage without a reading")
        self.open_circuit = voltage
        return voltage


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
