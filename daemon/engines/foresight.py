"""When a stepped channel should look again: soon where an end is near, seldom where none is.

Pure arithmetic on the readings so far. A cut-off is met by readings that close in on it, so that
the last one before it lies within a small fraction of the way, and the overshoot stays small
even where the voltage turns up steeply, as it does when a plated electrode runs empty.
"""

import math
from collections import deque
from dataclasses import dataclass, field

from protocols.conditions import Comparison, Progress, Quantity
from protocols.limits import Limits
from protocols.plan import PlannedStep
from protocols.techniques import ConstantVoltage, Sweep

SHORTEST = 0.005
"""Seconds: about what a source-measure unit needs for one short-aperture reading."""

_FIRST = 0.1  # the first interval of a step; it may then double from reading to reading
_SHARE = 0.25  # of the way left to a cut-off that one interval may cover
_NOTICED = 0.05  # of the way left: a smaller move tells nothing about how it bends


@dataclass(slots=True)
class Course:
    """The last three readings of one quantity, and where it is heading."""

    _points: deque[tuple[float, float]] = field(default_factory=lambda: deque(maxlen=3))

    def take(self, time: float, value: float) -> None:
        """Note a value; two at the same moment count as one."""
        if not self._points or time > self._points[-1][0]:
            self._points.append((time, value))

    def interval_towards(self, target: float) -> float:
        """Return seconds in which the quantity covers about a quarter of the way to `target`.

        Infinite while it stands still or moves away. The course is continued as a parabola when
        it bends towards the target, as a straight line when it bends away. Of an electrode that runs
        empty, whose voltage grows like the logarithm of what is left, speed over bend is the time left:
        no more than a quarter of that either, for a parabola would come too late.
        """
        if len(self._points) < 2:
            return math.inf
        (t1, v1), (t2, v2) = self._points[-2], self._points[-1]
        way = target - v2
        speed = (v2 - v1) / (t2 - t1)
        bend = 0.0
        if len(self._points) == 3:
            t0, v0 = self._points[0]
            earlier = (v1 - v0) / (t1 - t0)
            bend = (speed - earlier) / (0.5 * (t2 - t0))
            speed += bend * 0.5 * (t2 - t1)  # at the last reading, not half an interval before it
        if way < 0:
            way, speed, bend = -way, -speed, -bend
        share = _time_to_cover(_SHARE * way, speed, max(0.0, bend))
        # of nothing but noise one cannot say where it heads: the last move must count against the way
        heading = bend > 0.0 and abs(v2 - v1) > _NOTICED * way
        return min(share, _SHARE * speed / bend) if heading else share


def _time_to_cover(way: float, speed: float, bend: float) -> float:
    """Solve way = speed t + bend t²/2 for the first t > 0; infinite if there is none."""
    if bend <= 0.0:
        return way / speed if speed > 0.0 else math.inf
    root = math.sqrt(max(0.0, speed * speed + 2.0 * bend * way))
    return (root - speed) / bend


class Foresight:
    """Decides the interval to the next reading of one step.

    `sample` is the interval where nothing is near. Times are seconds since the step began.
    """

    def __init__(
        self, step: PlannedStep, limits: Limits, sample: float, longest: float | None = None
    ) -> None:
        """`longest` is an interval never to be exceeded, for techniques that ramp."""
        self._comparisons = tuple(step.until.comparisons()) if step.until is not None else ()
        held = isinstance(step.technique, ConstantVoltage | Sweep)
        edges = () if held else (limits.voltage.low, limits.voltage.high)
        self._edges = [edge.value for edge in edges if edge is not None]
        self._ceiling = step.ceiling
        self._record = step.record
        self._sample = min(filter(None, (sample, step.record.every, longest)))
        self._voltage = Course()
        self._current = Course()
        self._previous = _FIRST / 2

    @property
    def usual(self) -> float:
        """The interval in seconds where nothing is near."""
        return self._sample

    def follow(self, time: float, voltage: float, current: float) -> None:
        """Note a reading that somebody else judged; the current is a magnitude."""
        self._voltage.take(time, voltage)
        self._current.take(time, current)

    def interval(self, progress: Progress) -> float:
        """Return the seconds to wait after the reading `progress` was made from."""
        self.follow(progress.time, progress.voltage, progress.current)
        wishes = [self._sample, 2.0 * self._previous, self._ceiling.seconds - progress.time]
        wishes += [self._until(comparison, progress) for comparison in self._comparisons]
        wishes += [self._voltage.interval_towards(edge) for edge in self._edges]
        if self._record.per_decade is not None:
            wishes.append(self._record.next_moment(progress.time) - progress.time)
        self._previous = max(SHORTEST, min(wishes))
        return self._previous

    def _until(self, comparison: Comparison, progress: Progress) -> float:
        """Seconds until this end is met, or until a look at it is due."""
        match comparison.quantity:
            case Quantity.TIME:
                left = comparison.value - progress.time
            case Quantity.CAPACITY:
                left = _quotient(comparison.value - progress.capacity, progress.current)
            case Quantity.ENERGY:
                power = abs(progress.voltage) * progress.current
                left = _quotient(comparison.value - progress.energy, power)
            case Quantity.VOLTAGE:
                left = self._voltage.interval_towards(comparison.value)
            case Quantity.CURRENT:
                left = self._current.interval_towards(comparison.value)
            case _:
                left = math.inf
        return left if left > 0.0 else math.inf


def _quotient(amount: float, rate: float) -> float:
    return amount / rate if rate > 0.0 else math.inf
