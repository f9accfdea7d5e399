"""What a technique asks of a stepped channel at each moment of its step."""

from collections.abc import Iterator
from itertools import pairwise

from drivers.errors import RefusedError
from protocols.limits import Bound, Limits
from protocols.reading import Reading
from protocols.setpoint import AtRest, Current, Setpoint, Voltage
from protocols.techniques import (
    ConstantCurrent,
    ConstantPower,
    ConstantResistance,
    ConstantVoltage,
    Rest,
    Sweep,
    Technique,
)

VOLTAGE_MARGIN = 0.02
"""Volts by which the instrument's own clamp stands outside the window that the core judges."""

CURRENT_MARGIN = 1.02
"""Factor by which the instrument's current clamp stands outside the window."""

_STAIR = 0.001  # volt: the largest step of the staircase that stands for a ramp


class Demand:
    """Set values of one step inside `limits`, for an open-circuit voltage found before it."""

    def __init__(self, technique: Technique, limits: Limits, open_circuit: float) -> None:
        self._technique = technique
        self.open_circuit = open_circuit
        self._voltage_clamp = _magnitude(limits.voltage.low, limits.voltage.high) + VOLTAGE_MARGIN
        self._current_clamp = _magnitude(limits.current.low, limits.current.high) * CURRENT_MARGIN
        self._ramp = tuple(_ramp(technique, open_circuit)) if isinstance(technique, Sweep) else ()

    @property
    def duration(self) -> float | None:
        """Seconds after which the technique is over by itself, or None."""
        return self._ramp[-1][0] if self._ramp else None

    @property
    def longest_interval(self) -> float | None:
        """Seconds between set values that keep a ramp's stairs small; None where nothing ramps."""
        return _STAIR / self._technique.rate if isinstance(self._technique, Sweep) else None

    def at(self, time: float, last: Reading | None) -> Setpoint:
        """Return what to set `time` seconds into the step, given the last reading of it."""
        volts = last.voltage if last is not None else self.open_circuit
        match self._technique:
            case Rest():
                return AtRest(self._voltage_clamp)
            case ConstantCurrent(amperes):
                return Current(amperes, self._voltage_clamp)
            case ConstantVoltage(level):
                return Voltage(level.at(self.open_circuit), self._current_clamp)
            case ConstantPower(watts):
                return self._current(watts / volts if volts else 0.0)
            case ConstantResistance(ohms):
                return self._current(-volts / ohms)
            case Sweep():
                return Voltage(_interpolated(self._ramp, time), self._current_clamp)
            case other:
                raise RefusedError(f"a stepped channel cannot do {type(other).__name__}")

    def _current(self, amperes: float) -> Current:
        # a dead cell must not make constant power ask for an endless current
        clamped = max(-self._current_clamp, min(self._current_clamp, amperes))
        return Current(clamped, self._voltage_clamp)


def _magnitude(*edges: Bound | None) -> float:
    values = [abs(edge.value) for edge in edges if edge is not None]
    if not values:
        raise RefusedError("the window has no edge to arm the instrument's clamp with")
    return max(values)


def _ramp(sweep: Sweep, open_circuit: float) -> Iterator[tuple[float, float]]:
    """Yield (time, volts) of every corner, the start first."""
    corners = [sweep.start, *sweep.vertices * sweep.cycles]
    volts = [level.at(open_circuit) for level in corners]
    time = 0.0
    yield time, volts[0]
    for before, after in pairwise(volts):
        time += abs(after - before) / sweep.rate
        yield time, after


def _interpolated(ramp: tuple[tuple[float, float], ...], time: float) -> float:
    for (t0, v0), (t1, v1) in pairwise(ramp):
        if time <= t1:
            return v0 + (v1 - v0) * (time - t0) / (t1 - t0) if t1 > t0 else v1
    return ramp[-1][1]
