"""The quiet part of a step: where a reading needs nothing but to be recorded.

Judging a reading asks a dozen questions. Most readings of most channels answer all of them with
no by a wide margin; what margin that is, as plain numbers, is worked out here once per step, so
that a whole rack can be compared with it at once. A reading outside is not wrong: its channel's
engine judges it, as it judges every reading of a channel that stands alone.
"""

import math
from collections.abc import Iterable
from typing import NamedTuple

from daemon.guards import Guards
from protocols.conditions import Comparison, Quantity
from protocols.limits import Limits, Range
from protocols.plan import PlannedStep
from protocols.setpoint import Setpoint, Voltage
from protocols.techniques import ConstantCurrent, ConstantVoltage, Rest

MARGIN = 20.0
"""A voltage or current is far from a cut-off while its last move was less than this part of the way
left. `Foresight` looks sooner from a quarter on, and from a twentieth where the course bends."""


class Quiet(NamedTuple):
    """SI. Low and high edges hold the reading itself, `near` edges what it must stay far from.

    Currents and their edges are signed, those named `magnitude` are not. `late` is the longest time
    between two readings. Before `settle` there is more to be asked: a held voltage has to drive a
    current from the beginning on. The last three are the recording's rule, infinite (the share of the
    current: no number) where it has no such part; scans come by the clock, and the one nearest the
    moment is kept.
    """

    sample: float
    low_voltage: float
    high_voltage: float
    near_low_voltage: float
    near_high_voltage: float
    low_current: float
    high_current: float
    near_low_magnitude: float
    near_high_magnitude: float
    seconds: float
    coulombs: float
    joules: float
    jump: float
    lead_current: float
    collapse: float
    late: float
    settle: float
    every: float
    voltage_step: float
    current_step: float


class _Edges:
    """The tightest of what was said about one quantity."""

    def __init__(self, low: float = -math.inf, high: float = math.inf) -> None:
        self.low, self.high = low, high

    def below(self, value: float) -> None:
        self.high = min(self.high, value)

    def above(self, value: float) -> None:
        self.low = max(self.low, value)


def quiet(
    step: PlannedStep, limits: Limits, guards: Guards, setpoint: Setpoint, sample: float
) -> Quiet | None:
    """Return the bounds of a step under a set value that has settled; None where each reading is asked for.

    That is so for ramps, for ends that look at trends or temperature, and for recording by decades.
    """
    if not isinstance(step.technique, Rest | ConstantCurrent | ConstantVoltage):
        return None
    bounds = guards.quiet(setpoint)
    if bounds is None or step.record.per_decade is not None:
        return None
    comparisons = tuple(step.until.comparisons()) if step.until is not None else ()
    ends = _ends(comparisons)
    if ends is None:
        return None
    voltage, magnitude, most = ends
    window, amperes = _edges(limits.voltage), _edges(limits.current)
    near = _Edges(voltage.low, voltage.high)
    if not isinstance(step.technique, ConstantVoltage):  # a held voltage may be held at the very edge
        near.above(window.low)
        near.below(window.high)
    record = step.record
    return Quiet(
        sample=sample,
        low_voltage=max(window.low, bounds.low_voltage),
        high_voltage=min(window.high, bounds.high_voltage),
        near_low_voltage=near.low,
        near_high_voltage=near.high,
        low_current=max(amperes.low, bounds.low_current),
        high_current=min(amperes.high, bounds.high_current),
        near_low_magnitude=magnitude.low,
        near_high_magnitude=magnitude.high,
        seconds=min(step.ceiling.seconds, most[Quantity.TIME]),
        coulombs=min(step.ceiling.coulombs, most[Quantity.CAPACITY]),
        joules=most[Quantity.ENERGY],
        jump=bounds.jump,
        lead_current=bounds.lead_current,
        collapse=bounds.collapse,
        late=sample + bounds.patience,
        settle=bounds.settle if isinstance(setpoint, Voltage) else 0.0,
        every=math.inf if record.every is None else record.every - 0.5 * sample,
        voltage_step=math.inf if record.voltage_step is None else record.voltage_step,
        current_step=math.nan if record.current_step is None else record.current_step,
    )


def _ends(comparisons: Iterable[Comparison]) -> tuple[_Edges, _Edges, dict[Quantity, float]] | None:
    """Return the cut-offs of voltage and current, and the most of what only grows; None for anything else."""
    voltage, magnitude = _Edges(), _Edges()
    most = {Quantity.TIME: math.inf, Quantity.CAPACITY: math.inf, Quantity.ENERGY: math.inf}
    for comparison in comparisons:
        match comparison.quantity:
            case Quantity.VOLTAGE | Quantity.CURRENT:
                edges = voltage if comparison.quantity is Quantity.VOLTAGE else magnitude
                if comparison.relation.rising:
                    edges.below(comparison.value)
                else:
                    edges.above(comparison.value)
            case Quantity.TIME | Quantity.CAPACITY | Quantity.ENERGY if comparison.relation.rising:
                most[comparison.quantity] = min(most[comparison.quantity], comparison.value)
            case _:
                return None
    return voltage, magnitude, most


def _edges(window: Range) -> _Edges:
    low = -math.inf if window.low is None else window.low.value
    high = math.inf if window.high is None else window.high.value
    return _Edges(low, high)
