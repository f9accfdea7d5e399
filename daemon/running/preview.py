"""What a plan will look like: a curve before there is one, for the eye of whoever submits it.

Straight lines between what is known: set currents and voltages, ends that name a voltage, and how
long each step is expected to take. No cell is simulated: it is a sketch, and says so.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from protocols.conditions import Quantity
from protocols.forecast import Forecast, StepForecast
from protocols.plan import Plan, PlannedEntry, PlannedRepeat, PlannedStep
from protocols.techniques import ConstantCurrent, ConstantVoltage, Sweep, direction

MOST_STEPS = 500
"""Steps drawn; what comes after is left out, and the forecast still counts it."""

MOST_ROUNDS = 3
"""Rounds of a loop that are drawn: of a thousand alike nobody sees one."""


@dataclass(slots=True)
class _Curve:
    """The points so far; `volts` is where the voltage was left, None while nobody knows."""

    time: list[float | None] = field(default_factory=list)
    current: list[float | None] = field(default_factory=list)
    voltage: list[float | None] = field(default_factory=list)
    seconds: float = 0.0
    volts: float | None = None

    def line(self, seconds: float, amperes: float | None, start: float | None, end: float | None) -> None:
        """Draw one step."""
        self.time += [self.seconds, self.seconds + seconds]
        self.current += [amperes, amperes]
        self.voltage += [start, end]
        self.seconds += seconds
        self.volts = end


def preview(plan: Plan, forecast: Forecast) -> Mapping[str, Sequence[float | None]]:
    """Return `time` (s), `current` (A) and `voltage` (V) of the first steps; None where nothing is known."""
    by_path = {step.path: step for step in forecast.steps}
    curve = _Curve()
    for count, step in enumerate(_walked(plan.steps)):
        if count >= MOST_STEPS:
            break
        _draw(step, by_path[step.path], curve)
    return {"time": curve.time, "current": curve.current, "voltage": curve.voltage}


def _walked(entries: Sequence[PlannedEntry]) -> Iterator[PlannedStep]:
    for entry in entries:
        if isinstance(entry, PlannedRepeat):
            for _ in range(min(entry.times, MOST_ROUNDS)):
                yield from _walked(entry.steps)
        else:
            yield entry


def _draw(step: PlannedStep, expected: StepForecast, curve: _Curve) -> None:
    match step.technique:
        case ConstantCurrent(amperes):
            curve.line(expected.seconds, amperes, curve.volts, _end_voltage(step))
        case ConstantVoltage(level) if not level.versus_open_circuit:
            curve.line(expected.seconds, None, level.volts, level.volts)
        case Sweep() as sweep:
            _draw_sweep(sweep, expected, curve)
        case _ if direction(step.technique) == 0:
            curve.line(expected.seconds, 0.0, curve.volts, curve.volts)
        case _:
            curve.line(expected.seconds, None, curve.volts, _end_voltage(step))


def _draw_sweep(sweep: Sweep, expected: StepForecast, curve: _Curve) -> None:
    levels = [sweep.start, *list(sweep.vertices) * min(sweep.cycles, 20)]
    volts = [None if level.versus_open_circuit else level.volts for level in levels]
    each = expected.seconds / max(1, len(levels) - 1)
    for start, end in pairwise(volts):
        curve.line(each, None, start, end)


def _end_voltage(step: PlannedStep) -> float | None:
    """Return the voltage that ends a step, where one does."""
    ends = () if step.until is None else step.until.comparisons()
    return next(
        (end.value for end in ends if end.quantity is Quantity.VOLTAGE and end.relative_to is None), None
    )
