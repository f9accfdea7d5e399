"""Ceilings: what no step may exceed in time and charge, even where the protocol names nothing."""

import math
from dataclasses import replace

from protocols.conditions import Quantity
from protocols.limits import Limits
from protocols.plan import Ceiling, PlannedEntry, PlannedRepeat, PlannedStep, steps_below
from protocols.techniques import ChamberTemperature, ConstantCurrent, Sweep

LONGEST_STEP = 30 * 86400.0
LONGEST_CHAMBER_WAIT = 86400.0
OWN_TIME_MARGIN = 1.01
CELL_MARGIN = 1.2  # no cell takes a fifth more than its own capacity without something being wrong
OWN_CAPACITY_MARGIN = 1.5
OTHER_CAPACITY_MARGIN = 10.0


def with_ceilings(
    steps: tuple[PlannedEntry, ...], cell_capacity: float | None, limits: Limits
) -> tuple[PlannedEntry, ...]:
    """Return the steps with their ceilings.

    Time: 30 days (a day for a chamber), or 1.01 times the step's own time end where that is longer.
    Charge: 1.2 times the cell's capacity where it is known (times the factor of `150 % of discharge`,
    times the vertices of a sweep), else ten times the largest capacity end in the protocol; never less
    than 1.5 times a capacity end of the step itself. Where no capacity is known at all, what the
    step's current, else the window's largest, passes in the time allowed.
    """
    basis = cell_capacity and CELL_MARGIN * cell_capacity
    if basis is None:
        largest = max((_own_capacity(step) for step in steps_below(steps)), default=0.0)
        basis = OTHER_CAPACITY_MARGIN * largest or None
    return tuple(_with_ceiling(entry, basis, limits) for entry in steps)


def _with_ceiling(entry: PlannedEntry, basis: float | None, limits: Limits) -> PlannedEntry:
    if isinstance(entry, PlannedRepeat):
        return replace(entry, steps=tuple(_with_ceiling(inner, basis, limits) for inner in entry.steps))
    seconds = _seconds(entry)
    charge = _largest_current(entry, limits) * seconds if basis is None else basis * _fillings(entry)
    return replace(entry, ceiling=Ceiling(seconds, max(charge, OWN_CAPACITY_MARGIN * _own_capacity(entry))))


def _seconds(step: PlannedStep) -> float:
    longest = LONGEST_CHAMBER_WAIT if isinstance(step.technique, ChamberTemperature) else LONGEST_STEP
    return max(longest, OWN_TIME_MARGIN * max(_values(step, Quantity.TIME), default=0.0))


def _own_capacity(step: PlannedStep) -> float:
    """Return the largest capacity the step itself names, in coulombs; 0 where it names none."""
    return max(_values(step, Quantity.CAPACITY), default=0.0)


def _values(step: PlannedStep, quantity: Quantity) -> list[float]:
    ends = step.until.comparisons() if step.until is not None else ()
    return [end.value for end in ends if end.quantity is quantity and end.relative_to is None]


def _fillings(step: PlannedStep) -> float:
    """Return how often the step may fill or empty the cell: a sweep does it once per vertex."""
    if isinstance(step.technique, Sweep):
        return float(len(step.technique.vertices) * step.technique.cycles)
    ends = step.until.comparisons() if step.until is not None else ()
    return max([1.0, *(end.value for end in ends if end.relative_to is not None)])


def _largest_current(step: PlannedStep, limits: Limits) -> float:
    if isinstance(step.technique, ConstantCurrent):
        return abs(step.technique.amperes)
    edges = [bound.value for bound in (limits.current.low, limits.current.high) if bound is not None]
    return max(map(abs, edges), default=math.inf)
