"""What figures need to know of a run: its steps, its cycles, the readings of a step. All SI."""

import typing
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from protocols.accuracy import Accuracy
from protocols.figures.estimate import Array


@dataclass(frozen=True, slots=True)
class StepSummary:
    """One step that is over.

    `capacity` (C) and `energy` (J) carry the sign of the current; `set_value` is ampere, volt,
    watt or ohm, None for rest, sweep and impedance. `cycle` is 0 before the first, `started` in
    seconds of the run. `own_capacity` is the integral of the readings where the instrument counted.
    `complete` is False for a step that still runs or was cut short (stopped, tripped): it counts
    for nothing.
    """

    ordinal: int
    verb: str
    cycle: int
    capacity: float
    energy: float
    duration: float
    marks: tuple[str, ...] = ()
    set_value: float | None = None
    mean_voltage: float | None = None
    start_voltage: float | None = None
    end_voltage: float | None = None
    open_circuit_voltage: float | None = None
    started: float | None = None
    own_capacity: float | None = None
    complete: bool = True


@dataclass(frozen=True, slots=True)
class CycleSummary:
    """One cycle: magnitudes of charge (C) and energy (J) passed either way, charge-weighted mean
    voltages (V), the set currents (A, magnitudes), the times it took (s), the marks of its steps, and the
    share by which counter and readings disagree.
    """

    number: int
    charge_capacity: float | None = None
    discharge_capacity: float | None = None
    charge_energy: float | None = None
    discharge_energy: float | None = None
    charge_voltage: float | None = None
    discharge_voltage: float | None = None
    discharge_current: float | None = None
    charge_current: float | None = None
    charge_time: float | None = None
    discharge_time: float | None = None
    disagreement: float | None = None
    marks: tuple[str, ...] = ()


class ReadingColumns(NamedTuple):
    """Readings of one step: s from the start of the step, V, A, and C from the start of the step."""

    time: Array
    voltage: Array
    current: Array
    capacity: Array


class ImpedanceColumns(NamedTuple):
    """Points of one spectrum: Hz and ohm."""

    frequency: Array
    real: Array
    imaginary: Array


@dataclass(frozen=True, slots=True)
class RunFacts:
    """The cell of a run, by name and as the plain SI facts kept with the run; whether the run is over; what
    the instrument's maker states of its readings, None where that is not known.

    Facts used: `area` (m²), `active_mass` (kg), `separator: {thickness}` (m), `working_electrode`,
    and `uncertainties` by the fact's name.
    """

    cell: str
    facts: Mapping[str, object]
    ended: bool = True
    accuracy: Accuracy | None = None


class RunSource(typing.Protocol):
    """Where the figures of one run find what was recorded; the results database is one."""

    def steps(self) -> Sequence[StepSummary]:
        """Return every step of the run in the order they ran."""
        ...

    def readings(self, ordinal: int) -> ReadingColumns:
        """Return the readings of one step."""
        ...

    def impedance(self, ordinal: int) -> ImpedanceColumns:
        """Return the spectrum of one step."""
        ...


CURRENT_VERBS = frozenset({"charge", "discharge", "plate", "strip"})
_CYCLING_VERBS = CURRENT_VERBS | {"hold", "power", "resistance"}


def cycles_of(steps: Sequence[StepSummary], ended: bool = True) -> list[CycleSummary]:
    """Fold the steps that pass charge into cycles.

    Left out: what comes before the first cycle, other techniques, a cycle with an incomplete step,
    and the last cycle of a run that has not `ended`, as more of it may come.
    """
    grouped: dict[int, list[StepSummary]] = {}
    for step in steps:
        if step.cycle > 0 and step.verb in _CYCLING_VERBS:
            grouped.setdefault(step.cycle, []).append(step)
    if not ended and grouped and max(grouped) == max(step.cycle for step in steps):
        del grouped[max(grouped)]
    whole = {n: group for n, group in grouped.items() if all(step.complete for step in group)}
    return [_cycle(number, whole[number]) for number in sorted(whole)]


def _cycle(number: int, steps: Sequence[StepSummary]) -> CycleSummary:
    charge, discharge = ([s for s in steps if s.capacity * sign > 0] for sign in (1, -1))
    return CycleSummary(
        number=number,
        charge_capacity=_total([s.capacity for s in charge]),
        discharge_capacity=_total([s.capacity for s in discharge]),
        charge_energy=_total([s.energy for s in charge]),
        discharge_energy=_total([s.energy for s in discharge]),
        charge_voltage=_mean_voltage(charge),
        discharge_voltage=_mean_voltage(discharge),
        discharge_current=_set_current(discharge),
        charge_current=_set_current(charge),
        charge_time=sum(s.duration for s in charge) if charge else None,
        discharge_time=sum(s.duration for s in discharge) if discharge else None,
        disagreement=max(_disagreements(steps), default=None),
        marks=tuple(dict.fromkeys(mark for step in steps for mark in step.marks)),
    )


def _disagreements(steps: Sequence[StepSummary]) -> Iterator[float]:
    """By which share the integral of the readings differs from the instrument's counter."""
    for step in steps:
        if step.own_capacity is not None and step.capacity:
            yield abs(step.own_capacity / step.capacity - 1)


def _total(values: Sequence[float]) -> float | None:
    return abs(sum(values)) if values else None


def _mean_voltage(steps: Sequence[StepSummary]) -> float | None:
    """Energy over charge: the mean voltage weighted by the charge that passed at it."""
    return sum(s.energy for s in steps) / sum(s.capacity for s in steps) if steps else None


def _set_current(steps: Sequence[StepSummary]) -> float | None:
    values = [s.set_value for s in steps if s.verb in CURRENT_VERBS and s.set_value is not None]
    return abs(values[0]) if values else None
