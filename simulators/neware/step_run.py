"""One step while it runs: the samples that matter, what they make recorded, and what ends it."""

from math import ceil, inf
from typing import NamedTuple

from simulators.neware.drive import Drive, Seen
from simulators.neware.meter import Meter
from simulators.neware.step_file import SAMPLE, Kind, Step

OVERSHOOT = 1.15
"""By how much a change of voltage may exceed the one that makes a record: one of the next samples will do."""

AIM = 1.05
"""At which multiple of that change the next sample is looked for."""

GROWTH = 8
"""How many times longer the next stretch may be than the one before: the voltage turns corners."""

FIRST_LOOK = 10
"""Samples, into a step whose course is not known yet."""

NEVER = 1 << 60
"""A sample that does not come."""


class Data(NamedTuple):
    """One record, in SI, magnitudes where the wire has magnitudes.

    `testtime` counts from the beginning of the step, `moment` is the channel's own time.
    """

    stepid: int
    cycleid: int
    kind: Kind
    testtime: float
    moment: float
    volts: float
    amperes: float
    coulombs: float
    joules: float


class StepRun:
    """Samples are numbered from the beginning of the step, one every 0.1 s; few of them need be lived.

    `variables` holds what earlier steps set.
    """

    def __init__(
        self, step: Step, drive: Drive, meter: Meter, began: float, cycle: int, variables: dict[str, float]
    ) -> None:
        self.over = self.protected = False
        self.coulombs = self.joules = 0.0
        self.step = step
        self._cycle = cycle
        self._drive = drive
        self._meter = meter
        self._began = began
        self._sample = self._recorded = 0  # where the cell is, and where it was recorded last
        self._seen = self._kept = drive.seen  # what is seen there
        self._slope = self._slope_before = 0.0  # volts per sample, over the latest two stretches
        self._stride = FIRST_LOOK
        self._every = _samples(step.rule.seconds)
        self._change = step.rule.volts
        self._full = step.coulombs
        if step.share is not None:
            self._full = min(self._full, step.share.factor * variables.get(step.share.variable, inf))
        steady = step.kind in (Kind.CHARGE, Kind.DISCHARGE)
        self._holds = step.kind in (Kind.HOLD_CHARGING, Kind.HOLD_DISCHARGING)
        full = _samples(self._full / step.amperes) if steady else NEVER
        self._end = min(_samples(step.seconds), full)
        self._low, self._high = _calm_voltages(step)

    @property
    def time(self) -> float:
        return self._began + self._sample * SAMPLE

    def wait(self, seconds: float) -> None:
        """The step was interrupted for so long, its circuit open; its own time stood."""
        self._began += seconds
        self._seen = self._drive.live(0.0)

    def leave(self) -> None:
        """End the step at its next sample."""
        self._end = self._sample

    def first(self) -> Data:
        """Record the beginning of the step; it may be over at once."""
        measured = self._meter.measured(self._seen)
        self._judge(measured)
        return self._data(measured)

    def next(self, until: float) -> Data | None:
        """Live to the next sample worth looking at, or to `until`; return its record, if it makes one."""
        self._live(self._target(until))
        worth = self._worth_a_record()
        if not worth and self._is_calm(self._seen) and self._sample < self._end:
            return None
        measured = self._meter.measured(self._seen)
        self._judge(measured)
        if not worth and not self.over:
            return None  # by its noise: the next sample is another
        return self._data(measured)

    def _judge(self, measured: Seen) -> None:
        if self._sample < self._end and self._is_calm(measured):
            return
        self.protected = self._protects(measured)
        self.over = self.protected or self._ends(measured)

    def _data(self, measured: Seen) -> Data:
        self._recorded, self._kept = self._sample, self._seen
        elapsed = self._sample / 10  # exact to the last digit where times SAMPLE would not be
        return Data(
            self.step.number,
            self._cycle,
            self.step.kind,
            elapsed,
            self._began + elapsed,
            measured.volts,
            measured.amperes,
            self.coulombs,
            self.joules,
        )

    def _target(self, until: float) -> int:
        """Return the sample to live to: where something is known, or expected, to happen."""
        sample = self._sample
        ahead = self._expected() if self._slope and self._change < inf else NEVER
        target = min(self._recorded + self._every, self._end, sample + min(self._stride, ahead))
        if until < inf:
            target = min(target, int((until - self._began) / SAMPLE + 1e-6))
        return target if target > sample else sample + 1

    def _expected(self) -> int:
        """Return in how many samples the voltage will have changed by what makes a record.

        The slope is taken to go on changing as it did: by the same factor from stretch to stretch.
        """
        slope, before = self._slope, self._slope_before
        trend = slope / before if before else 1.0
        slope *= 2.0 if trend > 2.0 else 0.5 if trend < 0.5 else trend
        moved = self._seen[0] - self._kept[0]
        samples = (AIM * self._change - (moved if slope > 0.0 else -moved)) / abs(slope)
        return int(samples) + 1 if samples < NEVER else NEVER

    def _live(self, target: int) -> None:
        """Live to a sample, or to one before it that makes a record or an end."""
        drive, start = self._drive, self._sample
        state = drive.state()
        while True:
            seen = drive.live((target - start) * SAMPLE)
            if target - start == 1:
                break
            if not self._is_calm(seen):
                target = self._first_stir(state, start, target)
                seen = self._again(state, target - start)
                break
            moved = abs(seen[0] - self._kept[0])
            if moved <= OVERSHOOT * self._change:
                break
            share = AIM * self._change / moved
            target = start + max(1, min(target - start - 1, round(share * (target - start))))
            drive.restore(state)
        self._move(seen, target - start)

    def _move(self, seen: Seen, samples: int) -> None:
        volts, amperes = seen
        volts_before, amperes_before = self._seen
        seconds = samples * SAMPLE
        self.coulombs += 0.5 * abs(amperes_before + amperes) * seconds
        self.joules += 0.5 * abs(amperes_before * volts_before + amperes * volts) * seconds
        self._slope_before, self._slope = self._slope, (volts - volts_before) / samples
        self._stride = max(FIRST_LOOK, GROWTH * samples)
        self._seen = seen
        self._sample += samples

    def _again(self, state: object, samples: int) -> Seen:
        self._drive.restore(state)
        return self._drive.live(samples * SAMPLE)

    def _first_stir(self, state: object, start: int, end: int) -> int:
        """Return the first sample of a stretch at which something ends or protects, by halving."""
        low, high = start, end
        while high - low > 1:
            middle = (low + high) // 2
            if self._is_calm(self._again(state, middle - start)):
                low = middle
            else:
                high = middle
        return high

    def _is_calm(self, seen: Seen) -> bool:
        """Whether nothing seen ends the step or is protected."""
        if not self._low < seen[0] < self._high:
            return False
        return not self._holds or (not self._stops_by_current(seen) and not self._protects(seen))

    def _ends(self, seen: Seen) -> bool:
        step, sign = self.step, self.step.kind.sign
        return (
            self._sample >= self._end
            or self.coulombs >= self._full
            or (step.stop_volts is not None and sign * (seen.volts - step.stop_volts) >= 0.0)
            or (self._holds and self._stops_by_current(seen))
        )

    def _stops_by_current(self, seen: Seen) -> bool:
        return self.step.kind.sign * seen.amperes <= self.step.stop_amperes or self.coulombs >= self._full

    def _protects(self, seen: Seen) -> bool:
        window = self.step.window
        return not (
            window.volts[0] <= seen.volts <= window.volts[1]
            and window.amperes[0] <= seen.amperes <= window.amperes[1]
            and self.coulombs <= window.coulombs
        )

    def _worth_a_record(self) -> bool:
        volts, amperes = self._seen
        volts_kept, amperes_kept = self._kept
        return (
            self._sample - self._recorded >= self._every
            or abs(volts - volts_kept) >= self._change
            or abs(amperes - amperes_kept) >= self.step.rule.amperes
        )


def _calm_voltages(step: Step) -> tuple[float, float]:
    """Return the voltages between which nothing ends a step."""
    low, high = step.window.volts
    if step.stop_volts is not None and step.kind.sign > 0.0:
        high = min(high, step.stop_volts)
    elif step.stop_volts is not None and step.kind.sign < 0.0:
        low = max(low, step.stop_volts)
    return low, high


def _samples(seconds: float) -> int:
    """Return the first sample at or after so many seconds into the step."""
    return NEVER if seconds / SAMPLE >= NEVER else ceil(seconds / SAMPLE - 1e-6)
