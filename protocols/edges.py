"""Whether set values and ends lie inside the window: outside is refused, on the edge is warned of."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

from protocols import lab
from protocols.conditions import Comparison, Quantity
from protocols.limits import Bound, Limits, Range
from protocols.techniques import (
    ConstantCurrent,
    ConstantPower,
    ConstantResistance,
    ConstantVoltage,
    Impedance,
    Level,
    Sweep,
    Technique,
)


class Crossing(NamedTuple):
    """A value outside the window: what was seen, and which edge of whose window it passes."""

    seen: str
    wanted: str


@dataclass(frozen=True, slots=True)
class Point:
    """A value to be held against a range: `what` and `unit` are for people."""

    what: str
    value: float
    unit: str
    allowed: Range

    def crossing(self) -> Crossing | None:
        """Return what is wrong with a value outside; None inside, edges included."""
        if self.allowed.holds(self.value):
            return None
        low, high = self.allowed.low, self.allowed.high
        if low is not None and self.value < low.value:
            wanted = f"at least {self._shown(low.value)}, the edge of the {low.origin}'s window"
        elif high is not None:
            wanted = f"at most {self._shown(high.value)}, the edge of the {high.origin}'s window"
        else:
            wanted = "a number"
        return Crossing(f"{self.what} {self._shown(self.value)} is outside the window", wanted)

    def touched(self) -> Bound | None:
        """Return the edge the value lies exactly on."""
        edges = (self.allowed.low, self.allowed.high)
        return next((edge for edge in edges if edge is not None and edge.value == self.value), None)

    def _shown(self, value: float) -> str:
        return f"{value:.6g} degC" if self.unit == "degC" else lab.with_prefix(value, self.unit)


def set_points(technique: Technique, limits: Limits) -> Iterator[Point]:
    """Yield every value the technique is sure to drive the cell to."""
    match technique:
        case ConstantCurrent(amperes):
            yield Point("the current", amperes, "A", limits.current)
        case ConstantVoltage(held):
            yield from _levels((held,), limits)
        case ConstantPower(watts):
            yield from _least_current(watts, limits)
        case ConstantResistance(ohms):
            if limits.voltage.low is not None and limits.voltage.low.value > 0.0:
                yield Point("at best, the current", -limits.voltage.low.value / ohms, "A", limits.current)
        case Sweep(start, vertices):
            yield from _levels((start, *vertices), limits)
        case Impedance():
            yield from _swing(technique, limits)


def end_point(end: Comparison, limits: Limits) -> Point | None:
    """Return what an end asks for, where the window has a say in it."""
    match end.quantity:
        case Quantity.VOLTAGE:
            return Point("the end", end.value, "V", limits.voltage)
        case Quantity.CURRENT:
            return Point("the end", end.value, "A", Range(high=_most_current(limits.current)))
        case Quantity.TEMPERATURE:
            return Point("the end", end.value, "degC", limits.temperature)
    return None


def _levels(levels: tuple[Level, ...], limits: Limits) -> Iterator[Point]:
    for level in levels:
        if not level.versus_open_circuit:
            yield Point("the voltage", level.volts, "V", limits.voltage)


def _least_current(watts: float, limits: Limits) -> Iterator[Point]:
    """Yield the smallest current the power can take: that at the highest voltage."""
    high = limits.voltage.high
    if high is not None and high.value > 0.0:
        yield Point("at best, the current", watts / high.value, "A", limits.current)


def _swing(technique: Impedance, limits: Limits) -> Iterator[Point]:
    allowed, unit = (limits.current, "A") if technique.galvanostatic else (limits.voltage, "V")
    if technique.bias.versus_open_circuit:
        return
    for side in (-technique.amplitude, technique.amplitude):
        yield Point("the bias with its amplitude", technique.bias.volts + side, unit, allowed)


def _most_current(allowed: Range) -> Bound | None:
    """Return the edge with the larger magnitude: an end looks at the magnitude of the current."""
    if allowed.low is None or allowed.high is None:
        return None
    low = Bound(-allowed.low.value, allowed.low.origin)
    return max(low, allowed.high, key=lambda bound: bound.value)
