"""Figures from cycling: capacity, efficiencies, hysteresis, each from the cycles table."""

import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from enum import StrEnum

import numpy as np

from protocols.accuracy import Accuracy
from protocols.errors import FigureError
from protocols.figures.estimate import Array, Estimate, mean_with_error, propagated
from protocols.figures.figure import Figure, RunPlace
from protocols.figures.run import CycleSummary, StepSummary

Series = list[tuple[int, float]]
DISAGREEMENT = 0.005  # readings kept a minute apart are off by less


class Pairing(StrEnum):
    """Which two capacities make a Coulombic efficiency."""

    STRIP_OVER_PLATE = "charge / discharge of the same cycle (stripped / plated)"
    DISCHARGE_OVER_CHARGE = "discharge / charge of the same cycle"
    DISCHARGE_OVER_PREVIOUS_CHARGE = "discharge / charge of the cycle before"


def pairing_of(cell: str, working_electrode: str | None) -> Pairing | None:
    """Return how the Coulombic efficiency of a cell is defined by default; None if it has none.

    On copper it is stripped over plated. A symmetric cell (`Li||Li`, `Li|separator|Li`) has none.
    """
    sides = re.match(r"\s*(\w+)\s*\|.*\|\s*(\w+)", cell)
    left, right = sides.groups() if sides else ("", "")
    if (working_electrode or right).lower() in {"copper", "cu"}:
        return Pairing.STRIP_OVER_PLATE
    return None if left and left == right else Pairing.DISCHARGE_OVER_CHARGE


def capacity(
    cycle: CycleSummary,
    mass: Estimate | None = None,
    area: Estimate | None = None,
    accuracy: Accuracy | None = None,
) -> list[Figure]:
    """Discharge capacity of one cycle (its charge capacity if it has no discharge).

    In coulomb; per active mass (kg) and per area (m²) too where those are known. Its uncertainty is
    that of the instrument, by what its maker states: noise averages out over a half-cycle.
    """
    way, coulombs, seconds = "discharge", cycle.discharge_capacity, cycle.discharge_time
    if coulombs is None:
        way, coulombs, seconds = "charge", cycle.charge_capacity, cycle.charge_time
    if coulombs is None:
        raise FigureError(f"cycle {cycle.number} passed no charge: no capacity")
    method = f"{way} capacity of cycle {cycle.number}"
    place = RunPlace(cycle=cycle.number)
    own = _of_instrument(coulombs, seconds, accuracy)
    found = [Figure("capacity", coulombs, "C", method, own, _disagreeing(cycle), place=place)]
    if mass:
        per_mass = f"{method} / active mass {1e6 * mass.value:.4g} mg"
        found.append(_per("specific_capacity", Estimate(coulombs, own or 0.0), mass, "C/kg", per_mass, place))
    if area:
        per_area = f"{method} / area {1e4 * area.value:.4g} cm2"
        found.append(_per("areal_capacity", Estimate(coulombs, own or 0.0), area, "C/m2", per_area, place))
    return found


def _disagreeing(cycle: CycleSummary) -> tuple[str, ...]:
    if cycle.disagreement is None or cycle.disagreement <= DISAGREEMENT:
        return ()
    return (
        f"the integral of the readings of cycle {cycle.number} differs by {100 * cycle.disagreement:.2g} % "
        "from the instrument's counter, which is what is given",
    )


def _of_instrument(coulombs: float, seconds: float | None, accuracy: Accuracy | None) -> float | None:
    """How far the instrument's gain and offset may put a charge off, C; None where neither is stated."""
    if accuracy is None or not seconds:
        return None
    offset = accuracy.amperes(coulombs / seconds) * seconds
    return float(np.hypot(accuracy.of_current * coulombs, offset))


def _per(name: str, charge: Estimate, of: Estimate, unit: str, method: str, place: RunPlace) -> Figure:
    ratio = propagated(lambda coulombs, amount: coulombs / amount, charge, of)
    return Figure(name, ratio.value, unit, method, ratio.uncertainty or None, place=place)


def coulombic_efficiency(
    cycles: Sequence[CycleSummary], pairing: Pairing, accuracy: Accuracy | None = None
) -> Figure:
    """Mean Coulombic efficiency over all complete cycles, with sd and standard error.

    The gain of the instrument cancels; an offset of its current adds to one way what it takes from
    the other, and is in the uncertainty where the maker states one.
    """
    found = _over_cycles("coulombic_efficiency", coulombic_efficiencies(cycles, pairing), "1", pairing.value)
    shift = _offset_in_efficiency(cycles, accuracy)
    if shift is None:
        return found
    return replace(
        found,
        uncertainty=float(np.hypot(found.uncertainty or 0.0, shift)),
        detail={**found.detail, "of_the_instrument": shift},
    )


def _offset_in_efficiency(cycles: Sequence[CycleSummary], accuracy: Accuracy | None) -> float | None:
    """What the current's offset may change of Q1 / Q2: o (t1 + CE t2) / Q2, and CE is nearly one."""
    shares = [
        accuracy.amperes(c.charge_capacity / c.charge_time)
        * (c.charge_time + c.discharge_time)
        / c.charge_capacity
        for c in cycles
        if accuracy and c.charge_capacity and c.charge_time and c.discharge_time
    ]
    return float(np.mean(shares)) if shares else None


def coulombic_efficiencies(cycles: Sequence[CycleSummary], pairing: Pairing) -> Series:
    """Return (cycle, Coulombic efficiency) for every cycle that has both capacities."""
    match pairing:
        case Pairing.STRIP_OVER_PLATE:
            return _ratios(cycles, lambda c: (c.charge_capacity, c.discharge_capacity))
        case Pairing.DISCHARGE_OVER_CHARGE:
            return _ratios(cycles, lambda c: (c.discharge_capacity, c.charge_capacity))
        case Pairing.DISCHARGE_OVER_PREVIOUS_CHARGE:
            before = {c.number + 1: c.charge_capacity for c in cycles}
            return _ratios(cycles, lambda c: (c.discharge_capacity, before.get(c.number)))


def energy_efficiency(cycles: Sequence[CycleSummary]) -> Figure:
    """Mean of discharge over charge energy of the same cycle."""
    series = _ratios(cycles, lambda c: (c.discharge_energy, c.charge_energy))
    return _over_cycles("energy_efficiency", series, "1", "discharge / charge energy of the same cycle")


def hysteresis(cycles: Sequence[CycleSummary]) -> Figure:
    """Mean charge voltage minus mean discharge voltage, V, each energy over charge; mean over the cycles."""
    series = hystereses(cycles)
    return _over_cycles(
        "hysteresis", series, "V", "mean charge voltage - mean discharge voltage (energy / charge)"
    )


def hystereses(cycles: Sequence[CycleSummary]) -> Series:
    """Return (cycle, V) for every cycle that has both mean voltages."""
    return [
        (c.number, c.charge_voltage - c.discharge_voltage)
        for c in cycles
        if c.charge_voltage is not None and c.discharge_voltage is not None
    ]


def average_coulombic_efficiency(
    reservoir: StepSummary,
    between: Sequence[StepSummary],
    final: StepSummary,
    accuracy: Accuracy | None = None,
) -> Figure:
    """Average Coulombic efficiency over a reservoir: (n Qc + Qs) / (n Qc + Qt).

    Qt plated as the reservoir, n cycles of Qc, Qs stripped at the end (Adams et al., Adv. Energy
    Mater. 8 (2018) 1702097, method 3). Taken as all stripped over all plated charge, which is the
    same and stays right when one cycle passed less than it should.
    """
    stripped = [s.capacity for s in (*between, final) if s.capacity > 0]
    plated = [-s.capacity for s in (reservoir, *between) if s.capacity < 0]
    if reservoir.capacity >= 0 or final.capacity <= 0:
        raise FigureError(
            f"the reservoir passed {reservoir.capacity:g} C and the final strip {final.capacity:g} C; "
            "wanted a plating (negative) and a stripping (positive) step"
        )
    rounds = len(stripped) - 1
    every = (reservoir, *between, final)
    amperes = abs(reservoir.capacity) / reservoir.duration if reservoir.duration else 0.0
    shift = accuracy.amperes(amperes) * sum(s.duration for s in every) / sum(plated) if accuracy else None
    return Figure(
        name="average_coulombic_efficiency",
        value=sum(stripped) / sum(plated),
        unit="1",
        uncertainty=shift,
        method=f"(n Qc + Qs) / (n Qc + Qt) with n = {rounds}, all stripped over all plated charge "
        f"from step {reservoir.ordinal} to {final.ordinal}",
        warnings=_uneven(between),
        detail={
            "rounds": rounds,
            "reservoir": plated[0],
            "final_strip": final.capacity,
            "stripped": sum(stripped),
            "plated": sum(plated),
        },
        place=RunPlace(step=final.ordinal),
    )


def _uneven(between: Sequence[StepSummary]) -> tuple[str, ...]:
    sizes = [abs(step.capacity) for step in between]
    if not sizes or min(sizes) >= 0.99 * max(sizes):
        return ()
    return (
        f"the cycles passed {min(sizes):.4g} to {max(sizes):.4g} C: the reservoir ran out in one of them",
    )


def retention(first: CycleSummary, last: CycleSummary, noise: float | None = None) -> Figure:
    """Capacity of `last` over that of `first`; `noise` is the scatter of one capacity, C."""
    a, b = capacity(first)[0], capacity(last)[0]
    if a.value == 0:
        raise FigureError(f"cycle {first.number} passed no charge: nothing to compare with")
    kept = propagated(
        lambda qa, qb: qb / qa, Estimate(a.value, noise or 0.0), Estimate(b.value, noise or 0.0)
    )
    return Figure(
        name="retention",
        value=kept.value,
        unit="1",
        uncertainty=None if noise is None else kept.uncertainty,
        method=f"capacity of cycle {last.number} / capacity of cycle {first.number}",
        place=RunPlace(cycle=last.number),
    )


Pair = Callable[[CycleSummary], tuple[float | None, float | None]]


def _ratios(cycles: Sequence[CycleSummary], pair: Pair) -> Series:
    found = []
    for cycle in cycles:
        above, below = pair(cycle)
        if above is not None and below:
            found.append((cycle.number, above / below))
    return found


def _over_cycles(name: str, series: Series, unit: str, formula: str) -> Figure:
    """Mean over cycles; its uncertainty is the standard error of that mean."""
    if not series:
        raise FigureError(f"no complete cycle: {name} needs {formula}")
    numbers = np.array([number for number, _ in series], dtype=float)
    values = np.array([value for _, value in series])
    mean, deviation = mean_with_error(values)
    first, last = series[0], series[-1]
    return Figure(
        name=name,
        value=mean.value,
        unit=unit,
        uncertainty=mean.uncertainty if deviation is not None else None,
        method=f"{formula}; mean of {len(series)} cycles, {first[0]} to {last[0]}",
        warnings=_trend(numbers, values, name, unit),
        detail={
            "cycles": len(series),
            "standard_deviation": deviation,
            "standard_error": mean.uncertainty if deviation is not None else None,
            "first": first[1],
            "last": last[1],
            "lowest": float(values.min()),
            "highest": float(values.max()),
        },
    )


def _trend(numbers: Array, values: Array, name: str, unit: str) -> tuple[str, ...]:
    """Say so where the values run away with the cycles: a mean then hides more than it tells."""
    if len(values) < 10:
        return ()
    (slope, _), covariance = np.polyfit(numbers, values, 1, cov=True)
    error = float(np.sqrt(covariance[0, 0]))
    span = float(slope) * float(numbers[-1] - numbers[0])
    if not (abs(slope) > 4 * error and abs(span) > 1e-9 * float(np.max(np.abs(values)))):
        return ()
    drift = Figure(name, span, unit, "").in_lab_units()
    return (
        f"drifts by {drift.value:+.3g} {drift.unit} from cycle {numbers[0]:.0f} to {numbers[-1]:.0f}: "
        "look at the cycles, not only at their mean",
    )
