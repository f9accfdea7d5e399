"""Follows a whole protocol that an instrument runs by itself, in lock step with the walk through it."""

import math
from collections import deque

import msgspec

from daemon.delivery.messages import ReadingRow
from daemon.engines.engine import Engine, accept, begun, note_resistance
from daemon.engines.gate import Gate
from daemon.engines.held import expected_interval, known_setpoint
from daemon.engines.progress import Tally, resumed, resumption
from daemon.guards import DEFAULT, Guards, Look
from daemon.guards.losses import Losses
from daemon.guards.patience import answered
from daemon.guards.quiet import QuietBounds
from daemon.guards.silence import Silence
from daemon.running.logbook import Logbook
from daemon.running.position import Behind, ProgramPosition, StepPosition
from drivers.base import ProgramState, ProgramStatus, Record
from drivers.clock import Clock
from drivers.errors import LinkError, RefusedError
from drivers.whole import Followed, Stretch, Taken, WholeChannel, WholeProgram
from protocols.conditions import Progress, nearly_met
from protocols.errors import LimitError
from protocols.limits import Limits
from protocols.plan import PlannedStep
from protocols.reading import ImpedancePoint, Reading
from protocols.setpoint import Setpoint
from protocols.walk import Visit

ANSWER = 30.0
"""Seconds for one look. The instrument judges the cell meanwhile: nothing is at stake but data."""


ON_TIME = 1.5
"""Sampling intervals after which the next record must have come if none is lost."""


NOT_OURS = "nobody here can open this circuit, or see whether it is open: the maker's own software can"
"""What a run on a channel that only observes says where others are switched off."""


class WholeEngine(Engine):
    """`sample` is the interval in seconds between the instrument's readings where a step names none."""

    autonomous = True

    def __init__(
        self,
        channel: WholeChannel,
        limits: Limits,
        sample: float,
        clock: Clock,
        logbook: Logbook,
        gate: Gate,
        guards: Guards | None = None,
    ) -> None:
        self._channel = channel
        self.controls = channel.controls
        self._limits = limits
        self._sample = sample
        self._clock = clock
        self._logbook = logbook
        self._gate = gate
        self._guards = guards or Guards(DEFAULT, limits, sample)
        self._losses = Losses()
        self._stretches: deque[Stretch] = deque()
        self._waiting = False  # the circuit was opened at the gate; what came before it is still taken
        self._silence = Silence(None, 0.0)
        self._before: Reading | None = None
        self._asked = False  # whether the guards were asked about the reading before
        self._opened = 0.0
        self._taken_over: Taken | None = None  # what another core had kept, until its next record is here

    async def prepare(self) -> None:
        async with answered(ANSWER, "look at the cell"):
            reading = await self._channel.look()
        self.open_circuit = reading.voltage
        accept(reading, self.time, self._logbook, self._guards, self._limits)
        if not self.controls:
            self._logbook.note(self.time, "followed", "started and controlled by the maker's own software")

    def attach(self, program: ProgramPosition) -> None:
        """The program is running already, or over, under the tag of the step it began with."""
        self.program, self.attached = program, True
        if not self._channel.tells_again:
            self._taken_over = program.taken

    async def run_step(self, visit: Visit, behind: StepPosition | None = None) -> Tally:
        step = self.surroundings.begin(visit.step)
        tally = begun(visit, step.until, behind, self.time, self._logbook)
        self._guards.begin()
        self._before = None
        self.interval = expected_interval(step)
        self._silence = Silence(self.interval, ANSWER)
        reason = None
        while reason is None:
            if self.program is None:
                await self._start(step, tally)
            if self._gate.closed and not self._waiting and self.controls:
                await self._open_the_circuit()
            stretch = await self._next(step, tally)
            if stretch is not None:
                reason = self._take(stretch, step, tally)
            elif self._waiting:
                await self._wait_at_gate(step)
                tally = resumed(step, tally)
        self._logbook.step_ended(self.time, reason)
        return tally

    async def off(self) -> None:
        if self.controls:
            await self._channel.off()
        else:
            self._logbook.note(self.time, "not ours", NOT_OURS)

    async def _start(self, step: PlannedStep, tally: Tally) -> None:
        """Give the instrument everything from here on."""
        if self.walk is None:
            raise ValueError("nothing is being walked")
        state = msgspec.msgpack.encode(self.walk.state())
        behind = Behind(tally.seconds, tally.coulombs, tally.joules)
        program = WholeProgram(self.walk.remaining(), self._sample, *map(abs, behind))
        number = self._logbook.steps
        async with answered(2.0 * ANSWER, "confirmation of a program"):
            await self._channel.start_whole(f"{self._logbook.run}/{number}", program)
        self.program = ProgramPosition(self.time, number, state, behind, Taken())

    async def _next(self, step: PlannedStep, tally: Tally) -> Stretch | None:
        """Return what comes next; None if nothing is here yet, or ever will be."""
        if self._stretches:
            return self._stretches.popleft()
        followed = await self._look()
        self._silence.check(bool(followed.stretches))
        self._guards.check_interlocks()
        self._stretches.extend(followed.stretches)
        if self._stretches:
            return self._stretches.popleft()
        if followed.status.state is ProgramState.RUNNING:
            await self._hold_to_its_ends(step, tally)
        elif not self._waiting:
            _complain(followed.status)
        return None

    async def _look(self) -> Followed:
        async with answered(ANSWER, "answer"):
            while True:
                try:
                    followed = await self._channel.follow()
                    stretches = [
                        stretch._replace(records=await self.surroundings.around_all(stretch.records))
                        for stretch in followed.stretches
                    ]
                    return followed._replace(stretches=stretches)
                except LinkError as error:
                    self._losses.count(self.time, error)
                    self._logbook.note(self.time, "answer lost", str(error))

    def _take(self, stretch: Stretch, step: PlannedStep, tally: Tally) -> str | None:
        """Record a stretch, then judge it; return why the step is over where it is."""
        program = self._under_way
        wanted = self._logbook.steps - program.step + 1
        if (stretch.visit, stretch.path) != (wanted, step.path):
            raise RefusedError(
                f"the instrument runs step {stretch.path} as the {stretch.visit}th it began; "
                f"wanted step {step.path} as the {wanted}th: it runs another program"
            )
        behind = program.behind if stretch.visit == 1 else Behind()
        self._tell_of_a_gap(stretch, step)
        progress = self._record(stretch, program, behind, tally)
        self._judge(stretch, step, progress)
        if stretch.over:
            return stretch.reason or _end_met(step, tally.progress)
        return None

    def _tell_of_a_gap(self, stretch: Stretch, step: PlannedStep) -> None:
        """Note what the core before us had taken and not kept, where the instrument tells nothing twice."""
        if self._taken_over is None or not stretch.records:
            return
        taken, self._taken_over = self._taken_over, None
        seconds = stretch.records[0].point.time - taken.time
        interval = expected_interval(step)
        if interval is not None and seconds <= ON_TIME * interval:
            return
        readings = None if interval is None else round(seconds / interval) - 1
        about = "what was read" if readings is None else f"about {readings} reading{'s' * (readings != 1)}"
        self._logbook.note(
            self.time,
            "readings lost",
            f"{about} within {seconds:.4g} s: the instrument tells nothing twice, and the core that went "
            "away had not kept what it was told last",
            {"seconds": seconds, "readings": readings},
        )

    def _record(
        self, stretch: Stretch, program: ProgramPosition, behind: Behind, tally: Tally
    ) -> Progress | None:
        """Put every record of a stretch into the logbook; return how far the step is."""
        last = None
        rows: list[ReadingRow] = []
        for last in stretch.records:
            point = last.point
            step_time = behind.seconds + point.time - stretch.began
            self.time = program.zero + point.time
            if isinstance(point, ImpedancePoint):
                tally.seconds = step_time
                self._logbook.impedance_point(self.time, point, tally)
                continue
            tally.count(step_time, point, _counted(last, behind))
            rows.append(
                ReadingRow(
                    self.time,
                    point.voltage,
                    point.current,
                    tally.coulombs,
                    tally.joules,
                    point.temperature,
                    point.flags,
                )
            )
        if rows:
            self._logbook.stretch(rows, tally)
        if last is not None:
            time = last.point.time
            taken = Taken(last.number, stretch.visit, time, time - stretch.began)
            self.program = program._replace(taken=taken)
        return tally.progress if rows else None

    def _judge(self, stretch: Stretch, step: PlannedStep, progress: Progress | None) -> None:
        """Ask the guards about every reading that is not as quiet as nothing can be said of it."""
        setpoint = known_setpoint(step.technique)
        quiet = self._quiet_bounds(setpoint)
        readings = [record.point for record in stretch.records if isinstance(record.point, Reading)]
        for reading in readings:
            before, since = self._before, reading.time - stretch.began
            self._before = reading
            if quiet is not None and before is not None and _is_quiet(quiet, since, before, reading):
                if self._asked:
                    self._guards.begin()  # objections count in a row, and here is one that gave no cause
                self._asked = False
                continue
            self._asked = True
            look = Look(reading, setpoint, since, before)
            self._guards.judge(look)
            note_resistance(self._logbook, self.time, self._guards, look)
        if readings:
            self._guards.contacts.look(Look(readings[-1], setpoint, math.inf, readings[-1]))
        self._limits.check_all(readings)
        if progress is not None:
            step.ceiling.check(progress)

    def _quiet_bounds(self, setpoint: Setpoint | None) -> QuietBounds | None:
        if setpoint is None or self._guards.remembering(setpoint):
            return None
        return self._guards.quiet(setpoint)

    async def _hold_to_its_ends(self, step: PlannedStep, tally: Tally) -> None:
        """End a step that goes on past one of its ends, which the instrument did not keep."""
        met = step.until.first_met(tally.progress) if step.until is not None and tally.progress else None
        if met is not None:
            self._logbook.note(self.time, "end not kept", f"the instrument went on past {met.text}")
            await self._channel.skip()

    async def _open_the_circuit(self) -> None:
        self._waiting = True
        await self._channel.off()
        self._opened = await self._clock.now()
        self._logbook.note(self.time, "paused", "circuit open until a person resumes the run")

    async def _wait_at_gate(self, step: PlannedStep) -> None:
        await self._gate.passed()
        self._waiting = False
        self.program = None
        self.time += max(0.0, await self._clock.now() - self._opened)
        self._logbook.note(self.time, "resumed", f"{resumption(step)}, and the protocol after it")

    @property
    def _under_way(self) -> ProgramPosition:
        if self.program is None:
            raise ValueError("no program was begun")
        return self.program


def _is_quiet(bounds: QuietBounds, since: float, before: Reading, reading: Reading) -> bool:
    """Whether no guard can object to a reading under a set value."""
    _, voltage, current, temperature, flags = reading
    return (
        bounds.low_voltage <= voltage <= bounds.high_voltage
        and bounds.low_current <= current <= bounds.high_current
        and abs(voltage - before.voltage) < bounds.jump
        and (voltage != before.voltage or current != before.current)
        and since >= bounds.settle
        and (bounds.lead_current < 0.0 or abs(current) > bounds.lead_current)
        and reading.time > before.time
        and temperature is None
        and not flags
    )


def _counted(record: Record, behind: Behind) -> tuple[float, float] | None:
    """The charge and energy of the whole step by the instrument's counters, where it has them."""
    if record.coulombs is None or record.joules is None:
        return None
    return behind.coulombs + record.coulombs, behind.joules + record.joules


def _end_met(step: PlannedStep, progress: Progress | None) -> str:
    """Return which end the last reading of a step meets, where the instrument does not tell."""
    if step.until is None or progress is None:
        return f"{step.verb} complete"
    met = nearly_met(step.until, progress)
    return met.text if met is not None else "ended by the instrument, short of every end"


def _complain(status: ProgramStatus) -> None:
    """Raise what a program that stopped in the middle of a step has to say for itself."""
    if status.limit:
        raise LimitError(f"the instrument left the window and opened the circuit: {status.reason}")
    reason = status.reason or "no reason given"
    raise RefusedError(f"program {status.tag} is {status.state.value} in the middle of a step: {reason}")
