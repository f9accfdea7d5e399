"""What a plan will take: seconds and kept rows, per step and in all, before anything is run.

Loops are multiplied, never walked, so that ten thousand cycles cost no more than one. How much a
cell delivers is what its file expects, else its nominal capacity, else what cells of its chemistry
deliver at that rate of the theoretical one; how far that may be out is told with it.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import NamedTuple

from protocols.cell import Cell
from protocols.chemistry import Chemistry, chemistry_of
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

EXPECTED_SPREAD = 0.05
NOMINAL_SPREAD = 0.1
"""How far, relatively, a capacity may be out that a cell file expects, or calls nominal."""

ASSUMED_LOW, ASSUMED_HIGH = 0.25, 4.0
"""What is assumed may as well be a quarter of it, or four times."""

LEAST_IMPEDANCE_POINT = 0.1
PERIODS_PER_POINT = 3.0


@dataclass(frozen=True, slots=True)
class StepForecast:
    """One step: how often it runs, and for one run its seconds and rows, and how that is known.

    It will hardly take less than `low` or more than `high` seconds. `basis` is "exact", "at most"
    (ends that may come earlier), "estimated" (from the cell's capacity or the step before) or
    "assumed" (nothing to go by).
    """

    path: str
    line: int
    verb: str
    times: int
    seconds: float
    rows: int
    basis: str
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Forecast:
    """All steps of a plan in the order of the file; totals have the loops multiplied.

    `because` says in words what the capacity was taken to be, where any was needed.
    """

    steps: tuple[StepForecast, ...]
    because: str = ""

    @property
    def seconds(self) -> float:
        return math.fsum(step.seconds * step.times for step in self.steps)

    @property
    def low(self) -> float:
        """Seconds it will hardly take less than: every step as short as it may be."""
        return math.fsum(step.low * step.times for step in self.steps)

    @property
    def high(self) -> float:
        """Seconds it will hardly take more than."""
        return math.fsum(step.high * step.times for step in self.steps)

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
    low: float
    high: float


class Delivered(NamedTuple):
    """Coulombs a cell delivers at a current, and between what they will hardly not be."""

    likely: float
    low: float
    high: float


class Capacity(NamedTuple):
    """What a cell is taken to deliver, whatever the current or by it."""

    cell: Cell
    chemistry: Chemistry | None

    def at(self, amperes: float) -> Delivered | None:
        """Return what it delivers at a current; None where its file says nothing of it."""
        cell = self.cell
        if cell.expected_capacity is not None:
            deviation = cell.uncertainties.get("expected_capacity")
            spread = EXPECTED_SPREAD if deviation is None else 2.0 * deviation / cell.expected_capacity
            return _around(cell.expected_capacity, spread)
        if cell.nominal_capacity is not None:
            return _around(cell.nominal_capacity, NOMINAL_SPREAD)
        if (theoretical := cell.capacity) is None:
            return None
        share = self.chemistry and self.chemistry.share(amperes * 3600.0 / theoretical)
        if not share:
            return Delivered(theoretical, 0.3 * theoretical, theoretical)
        return Delivered(
            theoretical * (share.low + share.high) / 2.0, theoretical * share.low, theoretical * share.high
        )

    def because(self) -> str:
        """Say in words where that comes from, and what would make it better."""
        cell, better = self.cell, "`expected_capacity` in the cell file makes it better"
        if cell.expected_capacity is not None:
            return "counted with the expected capacity of the cell file"
        if cell.nominal_capacity is not None:
            return f"counted with the nominal capacity, within {NOMINAL_SPREAD:.0%}"
        if cell.capacity is None:
            return ""
        if self.chemistry is None or not self.chemistry.shares:
            return f"counted with the theoretical capacity, which few cells deliver; {better}"
        return f"counted with what {self.chemistry.name} cells usually deliver at each rate; {better}"


def _around(coulombs: float, spread: float) -> Delivered:
    return Delivered(coulombs, coulombs * (1.0 - spread), coulombs * (1.0 + spread))


@dataclass(slots=True)
class _Passed:
    """The charge the steps so far are expected to have passed: by verb, and in all with its sign."""

    capacity: Capacity
    by_verb: dict[str, float] = field(default_factory=dict)
    net: float = 0.0

    def expected(self, way: int, amperes: float) -> Delivered | None:
        """Return what a step to a voltage will pass: the whole cell, else what went the other way before."""
        delivered = self.capacity.at(amperes)
        if delivered is not None:
            return delivered
        return _around(abs(self.net), NOMINAL_SPREAD) if self.net * way < 0.0 else None


def forecast(plan: Plan, cell: Cell) -> Forecast:
    """Return what `plan` will take on `cell`. Early ends of loops (retention) are not foreseen."""
    capacity = Capacity(cell, chemistry_of(cell))
    steps = tuple(_all(plan.steps, 1, plan.limits, _Passed(capacity)))
    return Forecast(steps, capacity.because() if any(step.basis != "exact" for step in steps) else "")


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
            seconds, basis, low, high = span
            yield StepForecast(entry.path, entry.line, entry.verb, times, seconds, rows, basis, low, high)


def _span(step: PlannedStep, passed: _Passed) -> _Span:
    match step.technique:
        case Impedance():
            return _exactly(sum(map(_point_seconds, step.technique.frequencies())))
        case Sweep():
            return _exactly(_travel(step.technique) / step.technique.rate)
        case ChamberTemperature():
            return _assumed(ASSUMED_CHAMBER)
    ends = [] if step.until is None else list(_ends(step, step.until, passed))
    if not ends:
        return _assumed(ASSUMED_HOLD)
    soonest = min(ends, key=lambda span: span.seconds)
    if isinstance(step.until, Comparison):
        return soonest
    return _soonest(soonest, ends, step)


def _exactly(seconds: float) -> _Span:
    return _Span(seconds, "exact", seconds, seconds)


def _assumed(seconds: float) -> _Span:
    return _Span(seconds, "assumed", seconds * ASSUMED_LOW, seconds * ASSUMED_HIGH)


def _soonest(soonest: _Span, ends: Sequence[_Span], step: PlannedStep) -> _Span:
    """Return the span of a step with several ends, one of which may not be foreseen."""
    parts = step.until.parts if isinstance(step.until, AnyOf) else (step.until,)
    foreseen = len(parts) == len(ends)
    low = min(span.low for span in ends) if foreseen else 0.0
    high = min(span.high for span in ends)
    at_most = isinstance(step.technique, Rest) or soonest.basis == "exact"
    return _Span(soonest.seconds, "at most" if at_most else soonest.basis, low, high)


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
        return _exactly(end.value) if end.relation.rising else None
    if not isinstance(step.technique, ConstantCurrent):
        return None
    amperes, way = abs(step.technique.amperes), direction(step.technique)
    if end.quantity is Quantity.CAPACITY and end.relative_to is None:
        return _exactly(end.value / amperes)
    if end.quantity is Quantity.CAPACITY and end.relative_to in passed.by_verb:
        seconds = end.value * passed.by_verb[end.relative_to] / amperes
        return _Span(seconds, "estimated", seconds * (1 - NOMINAL_SPREAD), seconds * (1 + NOMINAL_SPREAD))
    charge = passed.expected(way, amperes)
    if end.quantity is Quantity.VOLTAGE and end.relation.rising == (way > 0) and charge is not None:
        return _Span(charge.likely / amperes, "estimated", charge.low / amperes, charge.high / amperes)
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
