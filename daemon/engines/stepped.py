"""Runs steps on a channel that the core drives reading by reading."""

from collections import deque
from collections.abc import Sequence
from itertools import pairwise

from daemon.engines.demand import Demand
from daemon.engines.engine import Engine, accept, begun, note_resistance
from daemon.engines.foresight import Foresight
from daemon.engines.gate import Gate
from daemon.engines.progress import Tally, resumed, resumption
from daemon.engines.quiet import Quiet, quiet
from daemon.engines.scans import Asked
from daemon.engines.sitting import Place, Sitting
from daemon.guards import DEFAULT, Guards, Look
from daemon.guards.losses import Losses
from daemon.guards.patience import answered
from daemon.running.logbook import Logbook
from daemon.running.position import StepPosition
from drivers.base import SteppedChannel
from drivers.clock import Clock, WallClock
from drivers.errors import LinkError
from protocols.conditions import Progress
from protocols.limits import Limits
from protocols.plan import PlannedStep
from protocols.reading import Reading
from protocols.setpoint import Setpoint
from protocols.techniques import Rest
from protocols.walk import Visit

_REHEARSED = 3.0
"""A simulated instrument may share its processor with a hundred others: it gets so much more real time."""

_EARLY = 0.1  # of the interval between readings: what a wire's answer may come sooner than the one before
_REMEMBERED = 4  # readings that guards and foresight look back upon
VERIFIED = 100
"""Readings after which the settings of the instrument are read back once more."""

_LOOK = 0.1  # seconds the look at a cell at rest may take


class SteppedEngine(Engine):
    """`sample` is the interval in seconds between readings where no end and no limit is near.

    It is cut to what the guards call stale: nobody but the core judges this cell. At its `place` among
    others of its instrument a channel spends the time in which nothing happens; see `daemon.engines.quiet`.
    """

    autonomous = False

    def __init__(
        self,
        channel: SteppedChannel,
        clock: Clock,
        limits: Limits,
        sample: float,
        logbook: Logbook,
        gate: Gate,
        guards: Guards | None = None,
        place: Place | None = None,
    ) -> None:
        self._channel = channel
        self._clock = clock
        self._limits = limits
        self._logbook = logbook
        self._gate = gate
        self._guards = guards or Guards(DEFAULT, limits, sample)
        self._sample = min(sample, self._guards.stale)
        self._place = place
        self._sitting: Sitting | None = None
        self._losses = Losses()
        self._last: Reading | None = None
        self._unverified = 0  # readings since the settings were read back
        self._zero = 0.0  # instrument time at which the run began
        self._stretched = 1.0 if isinstance(clock, WallClock) else _REHEARSED

    async def prepare(self) -> None:
        await self._channel.prepare(self._limits)
        reading = await self._look_at_rest()
        self._zero = reading.time - self.time
        self.open_circuit = reading.voltage
        accept(reading, self.time, self._logbook, self._guards, self._limits)

    async def run_step(self, visit: Visit, behind: StepPosition | None = None) -> Tally:
        step = self.surroundings.begin(visit.step)
        open_circuit = await self._open_circuit_voltage(step)
        tally = begun(visit, step.until, behind, self.time, self._logbook, open_circuit)
        if behind is not None and behind.open_circuit is not None:
            open_circuit = behind.open_circuit
        demand = Demand(step.technique, self._limits, open_circuit)
        reason = None
        while reason is None:
            reason = await self._stretch(step, demand, tally)
            if reason is None:
                await self._wait_at_gate(step)
                tally = resumed(step, tally)
        self._logbook.step_ended(self.time, reason)
        return tally

    async def off(self) -> None:
        await self._channel.off()

    def settle(self) -> None:
        if self._sitting is not None and (last := self._sitting.settle()) is not None:
            self._last = last
            self.time = last.time - self._zero

    async def _stretch(self, step: PlannedStep, demand: Demand, tally: Tally) -> str | None:
        """Hold the demand until an end is met, and return which; None when a person pauses."""
        foresight = Foresight(step, self._limits, self._sample, demand.longest_interval)
        setpoint = demand.at(tally.seconds, tally.last)
        self._guards.begin()
        await self._apply(setpoint)
        began, behind = await self._clock.now(), tally.seconds
        at_first = demand.open_circuit if not behind else None  # later the cell stands elsewhere
        origin: float | None = None  # instrument time at which this stretch began
        before: Reading | None = None
        woke, interval = began, 0.1
        bounds = self._bounds(step, setpoint, foresight)
        woken: deque[Reading] = deque()  # seen among others, and still to be judged
        while not self._gate.closed:
            reading = woken.popleft() if woken else await self._measure(within=interval)
            if origin is None:
                origin = reading.time - (await self._clock.now() - began)
            progress = self._take(behind + reading.time - origin, reading, tally)
            since = reading.time - origin
            look = Look(reading, setpoint, since, before, at_first, interval)
            reason = self._judge(step, demand, look, progress)
            if reason is not None:
                return reason
            await self._verify()
            before, interval = reading, foresight.interval(progress)
            if woken:
                continue
            if bounds is not None and interval >= foresight.usual and since > bounds.settle:
                woken += await self._sit(bounds, look, tally, foresight, origin - behind)
                before, woke = self._last, await self._clock.now()
                continue
            woke = await self._clock.sleep_until(woke + interval)
            wanted = demand.at(behind + woke - began, reading)
            if wanted != setpoint:
                await self._apply(wanted)
                setpoint = wanted
        return None

    def _bounds(self, step: PlannedStep, setpoint: Setpoint, foresight: Foresight) -> Quiet | None:
        """Return inside what the channel may sit among others; None where it has to stand alone."""
        if self._place is None:
            return None
        return quiet(step, self._limits, self._guards, setpoint, foresight.usual)

    async def _sit(
        self, bounds: Quiet, look: Look, tally: Tally, foresight: Foresight, step_zero: float
    ) -> Sequence[Reading]:
        """Be counted with others while nothing happens; return the readings that are to be judged."""
        assert self._place is not None  # noqa: S101 - there are no bounds without one
        self._sitting = Sitting(self._place, bounds, self._logbook, tally, step_zero, self._zero)
        self.scanned = True
        try:
            woken = await self._sitting.until_woken(self._gate, self._asked(look))
        finally:
            self.settle()
            self.scanned = False
            sitting, self._sitting = self._sitting, None
        if sitting.readings:
            self._guards.begin()
        seen = sitting.recent(_REMEMBERED)
        if len(seen) == sitting.readings:  # nothing was counted between the two
            seen.insert(0, look.reading)
        for before, reading in pairwise(seen):
            since = look.since + reading.time - look.reading.time
            self._guards.judge(look._replace(reading=reading, before=before, since=since))
            foresight.follow(reading.time - step_zero, reading.voltage, abs(reading.current))
        return woken

    def _asked(self, look: Look) -> Asked | None:
        """Return what asks those guards that must see every reading; None where none must."""
        if look.setpoint is None or not (guards := self._guards.remembering(look.setpoint)):
            return None
        before = look.reading

        def content(reading: Reading) -> bool:
            nonlocal before
            since = look.since + reading.time - look.reading.time
            now = look._replace(reading=reading, before=before, since=since)
            before = reading
            return all(guard.objection(now) is None for guard in guards)

        return content

    def _take(self, step_time: float, reading: Reading, tally: Tally) -> Progress:
        self.time = reading.time - self._zero
        progress = tally.take(step_time, reading)
        self._logbook.reading(
            self.time, step_time, reading, tally, thinned=False, early=_EARLY * self._sample
        )
        self._last = reading
        return progress

    def _judge(self, step: PlannedStep, demand: Demand, look: Look, progress: Progress) -> str | None:
        """Return why the step is over, or None; what must not be comes before what was wished for."""
        self._guards.judge(look)
        note_resistance(self._logbook, self.time, self._guards, look)
        self._limits.check(look.reading)
        if (arrived := self.surroundings.arrived()) is not None:
            return arrived
        met = step.until.first_met(progress) if step.until is not None else None
        if met is not None:
            return met.text
        if demand.duration is not None and progress.time >= demand.duration:
            return "sweep complete"
        step.ceiling.check(progress)
        return None

    async def _apply(self, setpoint: Setpoint) -> None:
        async with answered(self._guards.stale * self._stretched, f"confirmation of {setpoint}"):
            await self._channel.apply(setpoint)

    async def _verify(self) -> None:
        """Have the settings read back now and then; an answer the wire lost waits for the next time."""
        self._unverified += 1
        if self._unverified < VERIFIED:
            return
        self._unverified = 0
        try:
            async with answered(self._guards.stale * self._stretched, "settings"):
                await self._channel.verify()
        except LinkError as error:
            self._losses.count(self.time, error)
            self._logbook.note(self.time, "answer lost", str(error))

    async def _measure(self, within: float) -> Reading:
        """Return a reading while it is fresh; an answer the wire lost is asked for again."""
        async with answered(self._guards.patience * self._stretched, "reading"):
            while True:
                try:
                    reading = await self._channel.measure(within)
                    await self.surroundings.follow(reading.time)
                    return self.surroundings.around(reading)
                except LinkError as error:
                    self._losses.count(self.time, error)
                    self._logbook.note(self.time, "answer lost", str(error))

    async def _wait_at_gate(self, step: PlannedStep) -> None:
        await self._channel.off()
        self._logbook.note(self.time, "paused", "circuit open until a person resumes the run")
        await self._gate.passed()
        self._logbook.note(self.time, "resumed", resumption(step))

    async def _open_circuit_voltage(self, step: PlannedStep) -> float:
        """The voltage at zero current right before the step: the last reading if that was at rest."""
        if self._last is not None and not step.needs_open_circuit:
            return self._last.voltage
        return (await self._look_at_rest()).voltage

    async def _look_at_rest(self) -> Reading:
        await self._apply(Demand(Rest(), self._limits, 0.0).at(0.0, None))
        self._last = await self._measure(within=_LOOK)
        return self._last
