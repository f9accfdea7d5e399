"""Runs steps on a channel that the core drives reading by reading."""

from daemon.demand import Demand
from daemon.engine import Engine
from daemon.foresight import Foresight
from daemon.gate import Gate
from daemon.logbook import Logbook
from daemon.position import StepPosition
from daemon.progress import Tally
from drivers.base import SteppedChannel
from drivers.clock import Clock
from protocols.conditions import Progress
from protocols.errors import LimitError
from protocols.limits import Limits
from protocols.plan import PlannedStep
from protocols.reading import Reading
from protocols.techniques import Rest
from protocols.walk import Visit


class SteppedEngine(Engine):
    """`sample` is the interval in seconds between readings where no end and no limit is near."""

    autonomous = False

    def __init__(
        self,
        channel: SteppedChannel,
        clock: Clock,
        limits: Limits,
        sample: float,
        logbook: Logbook,
        gate: Gate,
    ) -> None:
        self._channel = channel
        self._clock = clock
        self._limits = limits
        self._sample = sample
        self._logbook = logbook
        self._gate = gate
        self._last: Reading | None = None
        self._zero = 0.0  # instrument time at which the run began

    async def prepare(self) -> None:
        await self._channel.prepare(self._limits)
        reading = await self._look_at_rest()
        self._zero = reading.time - self.time
        self.open_circuit = reading.voltage
        if not self._limits.voltage.holds(reading.voltage):
            raise LimitError(
                f"open-circuit voltage {reading.voltage:.4f} V is outside {self._limits.voltage} V: "
                "is the cell connected, the right way round, and the one that was named?"
            )

    async def run_step(self, visit: Visit, behind: StepPosition | None = None) -> Tally:
        step = visit.step
        open_circuit = await self._open_circuit_voltage(step)
        if behind is None:
            tally = Tally(step.until)
            self._logbook.step_started(self.time, visit, open_circuit)
        else:
            tally = Tally.continued(step.until, behind)
            open_circuit = open_circuit if behind.open_circuit is None else behind.open_circuit
            self._logbook.step_continued(visit, behind, tally)
        demand = Demand(step.technique, self._limits, open_circuit)
        reason = None
        while reason is None:
            reason = await self._stretch(step, demand, tally)
            if reason is None:
                await self._wait_at_gate()
                tally = tally if step.resumable else Tally(step.until)
        self._logbook.step_ended(self.time, reason)
        return tally

    async def off(self) -> None:
        await self._channel.off()

    async def _stretch(self, step: PlannedStep, demand: Demand, tally: Tally) -> str | None:
        """Hold the demand until an end is met, and return which; None when a person pauses."""
        foresight = Foresight(step, self._limits, self._sample, demand.longest_interval)
        setpoint = demand.at(tally.seconds, tally.last)
        await self._channel.apply(setpoint)
        began, behind = await self._clock.now(), tally.seconds
        origin: float | None = None  # instrument time at which this stretch began
        woke, interval = began, 0.1
        while not self._gate.closed:
            reading = await self._channel.measure(within=interval)
            if origin is None:
                origin = reading.time - (await self._clock.now() - began)
            progress = self._take(behind + reading.time - origin, reading, tally)
            reason = self._judge(step, demand, reading, progress)
            if reason is not None:
                return reason
            interval = foresight.interval(progress)
            woke = await self._clock.sleep_until(woke + interval)
            wanted = demand.at(behind + woke - began, reading)
            if wanted != setpoint:
                await self._channel.apply(wanted)
                setpoint = wanted
        return None

    def _take(self, step_time: float, reading: Reading, tally: Tally) -> Progress:
        self.time = reading.time - self._zero
        progress = tally.take(step_time, reading)
        self._logbook.reading(self.time, step_time, reading, tally, thinned=False)
        self._last = reading
        return progress

    def _judge(self, step: PlannedStep, demand: Demand, reading: Reading, progress: Progress) -> str | None:
        """Return why the step is over, or None; the window comes first."""
        self._limits.check(reading)
        met = step.until.first_met(progress) if step.until is not None else None
        if met is not None:
            return met.text
        if demand.duration is not None and progress.time >= demand.duration:
            return "sweep complete"
        step.ceiling.check(progress)
        return None

    async def _wait_at_gate(self) -> None:
        await self._channel.off()
        self._logbook.note(self.time, "paused", "circuit open until a person resumes the run")
        await self._gate.passed()
        self._logbook.note(self.time, "resumed", "the step goes on with what is left of it")

    async def _open_circuit_voltage(self, step: PlannedStep) -> float:
        """The voltage at zero current right before the step: the last reading if that was at rest."""
        if self._last is not None and not step.needs_open_circuit:
            return self._last.voltage
        return (await self._look_at_rest()).voltage

    async def _look_at_rest(self) -> Reading:
        await self._channel.apply(Demand(Rest(), self._limits, 0.0).at(0.0, None))
        self._last = await self._channel.measure(within=0.1)
        return self._last
