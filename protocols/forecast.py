"""What a plan will take: seconds and kept rows, per step and in all, before anything is run.

Loops are multiplied, never walked, so that ten thousand cycles cost no more than one.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import pairwise
from typing import NamedTuple

from protocols.cell import Cell
from protocols.conditions import AllOf, AnyOf, Comparison, Condition, Quantity
from protocols.limits import Limits, Range
from protocols.plan import Plan, PlannedEntry, PlannedRepeat, PlannedStep
from protocols.recording import Recording
from protocols.techniques import (
    ChamberTemperature,
    ConstantCurrent,
    Impedance,
    Level,
    Rest,
    Sweep,
    direction,
)

ASSUMED_HOLD = 3600.0
"""A hold that only a falling current ends is taken to last an hour."""

ASSUMED_CHAMBER = 1800.0
"""A chamber is taken to need half an hour."""

LEAST_IMPEDANCE_POINT = 0.1
PERIODS_PER_POINT = 3.0


@dataclass(frozen=True, slots=True)
class StepForecast:
    """One step: how often it runs, and for one run its seconds and rows, and how that is known.

    `basis` is "exact", "at most" (ends that may come earlier), "estimated" (from the cell's
    capacity or the step before) or "assumed" (nothing to go by).
    """

    path: str
    line: int
    verb: str
    times: int
    seconds: float
    rows: int
    basis: str


@dataclass(frozen=True, slots=True)
class Forecast:
    """All steps of a plan in the order of the file; totals have the loops multiplied."""

    steps: tuple[StepForecast, ...]

    @property
    def seconds(self) -> float:
        return math.fsum(step.seconds * step.times for step in self.steps)

    @property
    def rows(self) -> int:
        return sum(step.rows * step.times for step in self.steps)

    @property
    def visits(self) -> int:
        """How many steps will be executed."""
        return sum(step.times for step in self.steps)


class _Span(NamedTuple):
    seconds: float
    basis: str


@dataclass(slots=True)
class _Passed:
    """The charge the steps so far are expected to have passed: by verb, and in all with its sign."""

    capacity: float | None
    by_verb: dict[str, float] = field(default_factory=dict)
    net: float = 0.0

    def expected(self, way: int) -> float | None:
        """Return what a step to a voltage will pass: the whole cell, else what went the other way before."""
        if self.capacity is not None:
            return self.capacity
        return abs(self.net) if self.net * way < 0.0 else None


def forecast(plan: Plan, cell: Cell) -> Forecast:
    """Return what `plan` will take on `cell`. Early ends of loops (retention) are not foreseen."""
    return Forecast(tuple(_all(plan.steps, 1, plan.limits, _Passed(cell.capacity))))


def _all(
    entries: tuple[PlannedEntry, ...], times: int, limits: Limits, passed: _Passed
) -> Iterator[StepForecast]:
    for entry in entries:
        if isinstance(entry, PlannedRepeat):
            before = passed.net
            yield from _all(entry.steps, times * entry.times, limits, passed)
            passed.net = before + entry.times * (passed.net - before)
        else:
            span = _span(entry, passed)
            _note(entry, span.seconds, passed)
            rows = _rows(entry, span.seconds, limits)
            yield StepForecast(entry.path, entry.line, entry.verb, times, span.seconds, rows, span.basis)


def _span(step: PlannedStep, passed: _Passed) -> _Span:
    match step.technique:
        case Impedance():
            return _Span(sum(map(_point_seconds, step.technique.frequencies())), "exact")
        case Sweep():
            return _Span(_travel(step.technique) / step.technique.rate, "exact")
        case ChamberTemperature():
            return _Span(ASSUMED_CHAMBER, "assumed")
    ends = [] if step.until is None else list(_ends(step, step.until, passed))
    if not ends:
        return _Span(ASSUMED_HOLD, "assumed")
    soonest = min(ends, key=lambda span: span.seconds)
    sole = isinstance(step.until, Comparison)
    if isinstance(step.technique, Rest) and not sole:
        return soonest._replace(basis="at most")
    return soonest if sole or soonest.basis != "exact" else soonest._replace(basis="at most")


def _point_seconds(frequency: float) -> float:
    return max(LEAST_IMPEDANCE_POINT, PERIODS_PER_POINT / frequency)


def _travel(sweep: Sweep) -> float:
    """Return the volts a sweep passes over. An unknown open-circuit voltage counts as the first vertex."""
    first = _length((sweep.start, *sweep.vertices))
    further = _length((sweep.vertices[-1], *sweep.vertices))
    return first + further * (sweep.cycles - 1)


def _length(path: tuple[Level, ...]) -> float:
    return sum(_apart(a, b) for a, b in pairwise(path))


def _apart(a: Level, b: Level) -> float:
    return abs(a.volts - b.volts) if a.versus_open_circuit == b.versus_open_circuit else 0.0


def _ends(step: PlannedStep, until: Condition, passed: _Passed) -> Iterator[_Span]:
    """Yield when each end that can be foreseen will come; an `and` comes with its last part."""
    match until:
        case AnyOf(parts):
            for part in parts:
                yield from _ends(step, part, passed)
        case AllOf(parts):
            spans = [span for part in parts for span in _ends(step, part, passed)]
            if spans:
                yield max(spans, key=lambda span: span.seconds)
        case Comparison():
            span = _end(step, until, passed)
            if span is not None:
                yield span


def _end(step: PlannedStep, end: Comparison, passed: _Passed) -> _Span | None:
    if end.quantity is Quantity.TIME:
        return _Span(end.value, "exact") if end.relation.rising else None
    if not isinstance(step.technique, ConstantCurrent):
        return None
    amperes, way = abs(step.technique.amperes), direction(step.technique)
    if end.quantity is Quantity.CAPACITY and end.relative_to is None:
        return _Span(end.value / amperes, "exact")
    if end.quantity is Quantity.CAPACITY and end.relative_to in passed.by_verb:
        return _Span(end.value * passed.by_verb[end.relative_to] / amperes, "estimated")
    charge = passed.expected(way)
    if end.quantity is Quantity.VOLTAGE and end.relation.rising == (way > 0) and charge is not None:
        return _Span(charge / amperes, "estimated")
    return None


def _note(step: PlannedStep, seconds: float, passed: _Passed) -> None:
    if isinstance(step.technique, ConstantCurrent):
        charge = abs(step.technique.amperes) * seconds
        passed.by_verb[step.verb] = charge
        passed.net += step.technique.amperes * seconds


def _rows(step: PlannedStep, seconds: float, limits: Limits) -> int:
    """Return the rows kept, first and last included; voltage steps count over the most it can travel."""
    if isinstance(step.technique, Impedance):
        return len(step.technique.frequencies())
    rule = step.record
    return 2 + _by_clock(rule, seconds) + _by_voltage(step, rule, limits)


def _by_clock(rule: Recording, seconds: float) -> int:
    regular = 0 if rule.every is None else int(seconds / rule.every)
    if rule.per_decade is None:
        return regular
    decades = max(0.0, math.log10(max(seconds, 1e-9) / (rule.from_time or 1e-3)))
    return regular + int(decades * rule.per_decade)


def _by_voltage(step: PlannedStep, rule: Recording, limits: Limits) -> int:
    if rule.voltage_step is None:
        return 0
    if isinstance(step.technique, Sweep):
        return int(_travel(step.technique) / rule.voltage_step + 1e-9)
    if direction(step.technique) == 0:
        return 0
    return int(_width(limits.voltage) / rule.voltage_step)


def _width(allowed: Range) -> float:
    return 0.0 if allowed.low is None or allowed.high is None else allowed.high.value - allowed.low.value
