"""What a plan will look like: a curve before there is one, for the eye of whoever submits it.

Drawn from what is known of such cells (`protocols.chemistry`) and from how long each step is expected
to take; where the chemistry is not known, straight lines between the voltages that are. No cell is
simulated: it is a sketch, and says so. `galvanod rehearse` runs the protocol on a simulated one.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from protocols.cell import Cell
from protocols.chemistry import Chemistry, chemistry_of
from protocols.conditions import Comparison, Quantity
from protocols.forecast import Capacity, Forecast, StepForecast
from protocols.plan import Plan, PlannedEntry, PlannedRepeat, PlannedStep
from protocols.techniques import ConstantCurrent, ConstantVoltage, Sweep, direction

MOST_STEPS = 500
"""Steps drawn; what comes after is left out, and the forecast still counts it."""

MOST_ROUNDS = 3
"""Rounds of a loop that are drawn: of a thousand alike nobody sees one."""

MOST_POINTS = 2000

POINTS = 24
"""Of a step that is curved, where there is room for so many."""

UNKNOWN_FALL = 20.0
"""By what a current has fallen at the end of a hold whose end does not say."""


@dataclass(slots=True)
class _Sketch:
    """The points so far, and where the cell was left: its level (1 is charged), volts and amperes."""

    chemistry: Chemistry | None
    capacity: Capacity
    points: int
    level: float
    volts: float | None = None
    amperes: float = 0.0
    seconds: float = 0.0
    time: list[float | None] = field(default_factory=list)
    current: list[float | None] = field(default_factory=list)
    voltage: list[float | None] = field(default_factory=list)

    def line(self, seconds: float, amperes: float | None, start: float | None, end: float | None) -> None:
        """Draw one step, or a part of one."""
        self.point(0.0, amperes, start)
        self.point(seconds, amperes, end)

    def point(self, seconds: float, amperes: float | None, volts: float | None) -> None:
        """Let time pass and draw where that leads."""
        self.seconds += seconds
        self.time.append(self.seconds)
        self.current.append(amperes)
        self.voltage.append(volts)
        self.volts = volts
        self.amperes = amperes if amperes is not None else self.amperes


def preview(plan: Plan, forecast: Forecast, cell: Cell) -> Mapping[str, Sequence[float | None] | str]:
    """Return `time` (s), `current` (A) and `voltage` (V) of the first steps; None where nothing is known.

    `basis` says in words what was drawn.
    """
    chemistry = chemistry_of(cell)
    steps = []
    for count, step in enumerate(_walked(plan.steps)):
        if count >= MOST_STEPS:
            break
        steps.append(step)
    points = max(2, min(POINTS, MOST_POINTS // max(1, len(steps))))
    sketch = _Sketch(chemistry, Capacity(cell, chemistry), points, _begins(steps, chemistry))
    by_path = {step.path: step for step in forecast.steps}
    for step in steps:
        _draw(step, by_path[step.path], sketch)
    return {
        "time": sketch.time,
        "current": sketch.current,
        "voltage": sketch.voltage,
        "basis": _basis(chemistry),
    }


def _basis(chemistry: Chemistry | None) -> str:
    if chemistry is None:
        return (
            "straight lines between what is known: the cell file does not say its `chemistry`; "
            f"three rounds of each loop at most ({MOST_STEPS} steps)"
        )
    return (
        f"a sketch: curves usual for {chemistry.name} cells, durations as expected; three rounds of each loop"
    )


def _begins(steps: Sequence[PlannedStep], chemistry: Chemistry | None) -> float:
    """Return the level a cell is put in at: one that is charged first is taken to be empty."""
    ways = (direction(step.technique) for step in steps if isinstance(step.technique, ConstantCurrent))
    first = next((way for way in ways if way), 0)
    if first > 0:
        return 0.0
    return 1.0 if chemistry is None or first else chemistry.charged


def _walked(entries: Sequence[PlannedEntry]) -> Iterator[PlannedStep]:
    for entry in entries:
        if isinstance(entry, PlannedRepeat):
            for _ in range(min(entry.times, MOST_ROUNDS)):
                yield from _walked(entry.steps)
        else:
            yield entry


def _draw(step: PlannedStep, expected: StepForecast, sketch: _Sketch) -> None:
    match step.technique:
        case ConstantCurrent(amperes):
            _draw_current(step, amperes, expected.seconds, sketch)
        case ConstantVoltage(level) if not level.versus_open_circuit:
            _draw_hold(step, level.volts, expected.seconds, sketch)
        case Sweep() as sweep:
            _draw_sweep(sweep, expected.seconds, sketch)
        case _ if direction(step.technique) == 0:
            _draw_rest(expected.seconds, sketch)
        case _:
            sketch.line(expected.seconds, None, sketch.volts, _end_voltage(step))


def _draw_current(step: PlannedStep, amperes: float, seconds: float, sketch: _Sketch) -> None:
    """Follow the curve of the chemistry from where the cell is to where the charge brings it."""
    end, way = _end_voltage(step), direction(step.technique)
    if sketch.chemistry is None or way == 0:
        sketch.line(seconds, amperes, sketch.volts, end)
        return
    delivered = sketch.capacity.at(abs(amperes))
    whole = seconds * abs(amperes) if delivered is None else delivered.likely
    begins = sketch.level if delivered is not None else float(way < 0)
    ends = min(max(begins + way * seconds * abs(amperes) / whole, 0.0), 1.0) if whole else begins
    for count in range(sketch.points + 1):
        part = count / sketch.points
        volts = sketch.chemistry.voltage(way, begins + part * (ends - begins))
        sketch.point(seconds / sketch.points if count else 0.0, amperes, _within(volts, end, way))
    sketch.level = ends
    if end is not None and ends == float(way > 0):
        sketch.point(0.0, amperes, end)


def _within(volts: float, end: float | None, way: int) -> float:
    """A curve goes no further than where its step ends."""
    return volts if end is None or (end - volts) * way >= 0.0 else end


def _draw_hold(step: PlannedStep, volts: float, seconds: float, sketch: _Sketch) -> None:
    """Let the current fall exponentially from where it was to where the hold ends."""
    start = sketch.amperes
    ends = () if step.until is None else step.until.comparisons()
    least = next((end.value for end in ends if _ends_by_current(end)), abs(start) / UNKNOWN_FALL)
    if start == 0.0 or not 0.0 < least < abs(start):
        sketch.line(seconds, None, volts, volts)
        return
    fall = math.log(abs(start) / least)
    for count in range(sketch.points + 1):
        part = count / sketch.points
        sketch.point(seconds / sketch.points if count else 0.0, start * math.exp(-fall * part), volts)


def _ends_by_current(end: Comparison) -> bool:
    return end.quantity is Quantity.CURRENT and not end.relation.rising


def _draw_rest(seconds: float, sketch: _Sketch) -> None:
    """Relax to the open-circuit voltage, most of it in a tenth of an hour."""
    if sketch.chemistry is None:
        sketch.line(seconds, 0.0, sketch.volts, sketch.volts)
        return
    rest = sketch.chemistry.voltage(0, sketch.level)
    start = rest if sketch.volts is None else sketch.volts
    for count in range(sketch.points + 1):
        passed = seconds * count / sketch.points
        volts = rest + (start - rest) * math.exp(-passed / 360.0)
        sketch.point(seconds / sketch.points if count else 0.0, 0.0, volts)


def _draw_sweep(sweep: Sweep, seconds: float, sketch: _Sketch) -> None:
    levels = [sweep.start, *list(sweep.vertices) * min(sweep.cycles, 20)]
    volts = [None if level.versus_open_circuit else level.volts for level in levels]
    each = seconds / max(1, len(levels) - 1)
    for start, end in pairwise(volts):
        sketch.line(each, None, start, end)


def _end_voltage(step: PlannedStep) -> float | None:
    """Return the voltage that ends a step, where one does."""
    ends = () if step.until is None else step.until.comparisons()
    return next(
        (end.value for end in ends if end.quantity is Quantity.VOLTAGE and end.relative_to is None), None
    )
