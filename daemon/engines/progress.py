"""How far a step has come: charge, energy and trends, counted over every reading."""

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Self

from daemon.engines.counts import Count
from daemon.running.position import StepPosition
from protocols.conditions import Comparison, Condition, Progress, Quantity
from protocols.plan import PlannedStep
from protocols.reading import Reading

SLOPE_WINDOW = 600.0
"""Seconds over which `voltage_slope` is fitted: long enough for µV/s under mV of noise."""

_POINTS = 100  # kept per trend; a fit over a hundred points costs some 20 µs


@dataclass(slots=True)
class Trend:
    """The last `window` seconds of one quantity, thinned, with a straight line through them."""

    window: float
    _points: deque[tuple[float, float]] = field(default_factory=deque)

    def take(self, time: float, value: float) -> None:
        if self._points and time - self._points[-1][0] < self.window / _POINTS:
            return
        self._points.append((time, value))
        while time - self._points[0][0] > self.window * 1.02:
            self._points.popleft()

    def line(self) -> tuple[float, float] | None:
        """Return slope (per second) and mean, or None until the window is full."""
        if len(self._points) < 3 or self._points[-1][0] - self._points[0][0] < self.window * 0.95:
            return None
        count = len(self._points)
        mean_time = sum(t for t, _ in self._points) / count
        mean = sum(v for _, v in self._points) / count
        spread = sum((t - mean_time) ** 2 for t, _ in self._points)
        return sum((t - mean_time) * (v - mean) for t, v in self._points) / spread, mean


class Tally:
    """Counts what a step passes. Times are seconds since the step began.

    Charge (coulomb) and energy (joule) are integrated by trapezoids and carry the sign of the
    current; the stretch from the step's start to its first reading counts at that reading's
    current, because the current jumps there. `seconds`, `coulombs` and `joules` are what an
    interrupted step had behind it already.
    """

    def __init__(
        self,
        until: Condition | None,
        seconds: float = 0.0,
        coulombs: float = 0.0,
        joules: float = 0.0,
    ) -> None:
        self.seconds = seconds
        self.coulombs = coulombs
        self.joules = joules
        self.readings = 0
        self.first: Reading | None = None
        self.last: Reading | None = None
        self._last_time = seconds
        self._volt_seconds = 0.0
        self._counted = 0.0
        self._own = coulombs
        self._by_instrument = False
        comparisons = tuple(until.comparisons()) if until is not None else ()
        self._slope = Trend(SLOPE_WINDOW) if _looks_at(comparisons, Quantity.VOLTAGE_SLOPE) else None
        self._drifts = {c.window: Trend(c.window) for c in comparisons if c.window is not None}

    @classmethod
    def continued(cls, until: Condition | None, behind: StepPosition) -> Self:
        """Return the tally of a step that has this behind it."""
        tally = cls(until, behind.seconds, behind.coulombs, behind.joules)
        tally.first = behind.first
        return tally

    def take(self, time: float, reading: Reading, counted: tuple[float, float] | None = None) -> Progress:
        """Count one reading taken `time` seconds into the step; return how far the step is now.

        `counted` is the charge and energy of the step so far by the instrument's own counters, which
        see more than the readings it sends and are therefore preferred.
        """
        self.count(time, reading, counted)
        return self._progress(time, reading)

    @property
    def progress(self) -> Progress | None:
        """How far the step was at the last reading; None before it."""
        return None if self.last is None else self._progress(self.seconds, self.last)

    def count(self, time: float, reading: Reading, counted: tuple[float, float] | None = None) -> None:
        """Count one reading, as `take` does, where nobody wants to know how far the step is."""
        before = self.last if self.last is not None else reading
        stretch = time - self._last_time
        passed = 0.5 * (before.current + reading.current) * stretch
        self.coulombs += passed
        self._own += passed
        self.joules += 0.5 * (before.current * before.voltage + reading.current * reading.voltage) * stretch
        if counted is not None:
            self.coulombs, self.joules = counted
            self._by_instrument = True
        self._volt_seconds += 0.5 * (before.voltage + reading.voltage) * stretch
        self._counted += stretch
        self._last_time = self.seconds = time
        self.first = self.first or reading
        self.last = reading
        self.readings += 1
        if self._slope is not None:
            self._slope.take(time, reading.voltage)
        for trend in self._drifts.values():
            trend.take(time, reading.current)

    def went_on(self, count: Count, readings: int) -> None:
        """Take over what was counted elsewhere, `readings` more by now."""
        self.seconds = self._last_time = count.time - count.step_zero
        self.coulombs, self.joules = count.capacity, count.energy
        self._volt_seconds, self._counted = count.volt_seconds, count.counted
        self.readings += readings
        self.last = Reading(count.time, count.voltage, count.current)

    @property
    def volt_seconds(self) -> tuple[float, float]:
        """The integral of the voltage, and the seconds it was taken over."""
        return self._volt_seconds, self._counted

    @property
    def own_coulombs(self) -> float | None:
        """The integral of the readings, to hold against the instrument's counter; None if it has none."""
        return self._own if self._by_instrument else None

    @property
    def mean_voltage(self) -> float | None:
        """Energy over charge; the time mean where hardly any charge passed; None before a reading."""
        if self.last is None:
            return None
        if abs(self.coulombs) > 1e-12:
            return self.joules / self.coulombs
        return self._volt_seconds / self._counted if self._counted > 0 else self.last.voltage

    def _progress(self, time: float, reading: Reading) -> Progress:
        line = self._slope.line() if self._slope is not None else None
        return Progress(
            time=time,
            voltage=reading.voltage,
            current=abs(reading.current),
            capacity=abs(self.coulombs),
            energy=abs(self.joules),
            temperature=reading.temperature,
            voltage_slope=abs(line[0]) if line is not None else None,
            current_drift={w: drift for w, t in self._drifts.items() if (drift := _drift(t)) is not None},
        )


def resumed(step: PlannedStep, tally: Tally) -> Tally:
    """Return what a step has behind it that is resumed: nothing where it begins again."""
    return tally if step.resumable else Tally(step.until)


def resumption(step: PlannedStep) -> str:
    """Say how a step is resumed."""
    return "the step goes on with what is left of it" if step.resumable else "the step begins again"


def _looks_at(comparisons: Iterable[Comparison], quantity: Quantity) -> bool:
    return any(comparison.quantity is quantity for comparison in comparisons)


def _drift(trend: Trend) -> float | None:
    line = trend.line()
    if line is None or line[1] == 0.0:
        return None
    return abs(line[0]) * trend.window / abs(line[1])
