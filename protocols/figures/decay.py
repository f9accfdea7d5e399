"""Capacity decay: how much a cell loses per cycle, three formulae, each with its reference cycle."""

from collections.abc import Callable, Sequence

import numpy as np

from protocols.errors import FigureError
from protocols.figures.cycling import Series
from protocols.figures.estimate import Array, Estimate, propagated, scatter
from protocols.figures.figure import Figure, RunPlace
from protocols.figures.run import CycleSummary

MOST_PAIRED = 1000
ONE_SIGMA = 0.6827


def discharge_capacities(cycles: Sequence[CycleSummary]) -> Series:
    """Return (cycle, C) for every cycle with a discharge."""
    return [(c.number, c.discharge_capacity) for c in cycles if c.discharge_capacity is not None]


def blocks(cycles: Sequence[CycleSummary]) -> list[list[CycleSummary]]:
    """Split cycles where the discharge current changes by more than 1 % or cycles are missing."""
    found: list[list[CycleSummary]] = []
    for cycle in cycles:
        if cycle.discharge_capacity is None:
            continue
        if found and _same_rate(found[-1][-1], cycle):
            found[-1].append(cycle)
        else:
            found.append([cycle])
    return found


def _same_rate(before: CycleSummary, cycle: CycleSummary) -> bool:
    a, b = before.discharge_current, cycle.discharge_current
    if a is None or b is None:
        return a is b
    return before.marks == cycle.marks and abs(a - b) <= 0.01 * max(a, b)


def longest_block(cycles: Sequence[CycleSummary]) -> list[CycleSummary]:
    """Return the longest run of cycles at one rate: its first cycle is the reference by default."""
    found = blocks(cycles)
    if not found:
        raise FigureError("no cycle with a discharge: no capacity to follow")
    return max(found, key=len)


def capacity_decay(series: Series) -> list[Figure]:
    """Linear, compound and robust loss per cycle of a series of (cycle, C) at one rate.

    The reference is the first cycle of the series. Linear, (Qa - Qb) / (Qa (b - a)), comes first:
    it alone is consistent with the reference experiment. `FigureError` for fewer than two cycles.
    """
    if len(series) < 2:
        raise FigureError(f"{len(series)} cycle at this rate; a decay needs two at least")
    if series[0][1] <= 0:
        raise FigureError(f"reference cycle {series[0][0]} has a capacity of {series[0][1]:g} C")
    found = [_linear(series)]
    if series[-1][1] > 0:
        found.append(_compound(series))
    if len(series) >= 3:
        found.append(_theil_sen(series))
    return found


def _linear(series: Series) -> Figure:
    (a, _), (b, _) = series[0], series[-1]
    return _between_ends(
        series,
        "capacity_decay",
        lambda qa, qb: (qa - qb) / (qa * (b - a)),
        f"linear, (Qa - Qb) / (Qa (b - a)), reference cycle a = {a}, b = {b}",
    )


def _compound(series: Series) -> Figure:
    (a, _), (b, _) = series[0], series[-1]
    return _between_ends(
        series,
        "capacity_decay_compound",
        lambda qa, qb: 1 - (qb / qa) ** (1 / (b - a)),
        f"compound, 1 - (Qb / Qa)^(1 / (b - a)), reference cycle a = {a}, b = {b}",
    )


def _between_ends(series: Series, name: str, formula: Callable[[float, float], float], method: str) -> Figure:
    """Apply a formula to the two ends; each is as uncertain as the series scatters about its course."""
    (a, first), (b, last) = series[0], series[-1]
    noise = noise_of(series)
    loss = propagated(formula, Estimate(first, noise or 0.0), Estimate(last, noise or 0.0))
    return Figure(
        name=name,
        value=loss.value,
        unit="1/cycle",
        uncertainty=None if noise is None else loss.uncertainty,
        method=method,
        detail={
            "reference_cycle": a,
            "last_cycle": b,
            "reference_capacity": first,
            "last_capacity": last,
            "scatter": noise,
        },
        place=RunPlace(cycle=b),
    )


def _theil_sen(series: Series) -> Figure:
    """Median slope over the reference capacity; half the 68 % rank interval is its uncertainty."""
    from scipy.stats import theilslopes  # late: costs half a second

    chosen = _thinned(series)
    slope, _, low, high = theilslopes(_values(chosen), [n for n, _ in chosen], alpha=ONE_SIGMA)
    reference, first = series[0]
    thinned = "" if len(chosen) == len(series) else f", {len(chosen)} of {len(series)} cycles evenly chosen"
    return Figure(
        name="capacity_decay_theil_sen",
        value=-float(slope) / first,
        unit="1/cycle",
        uncertainty=float(high - low) / 2 / first,
        method=f"Theil-Sen median slope over cycles {reference} to {series[-1][0]} / capacity of "
        f"reference cycle {reference}{thinned}",
        detail={"reference_cycle": reference, "last_cycle": series[-1][0], "reference_capacity": first},
        place=RunPlace(cycle=series[-1][0]),
    )


def _thinned(series: Series) -> Series:
    """At most a thousand cycles: the pairs grow with the square."""
    if len(series) <= MOST_PAIRED:
        return series
    return [series[i] for i in np.linspace(0, len(series) - 1, MOST_PAIRED).round().astype(int).tolist()]


def noise_of(series: Series) -> float | None:
    """Return how far one capacity scatters about the course of the series, C; None if too short to tell."""
    return scatter(_values(series))


def _values(series: Series) -> Array:
    return np.array([value for _, value in series])
