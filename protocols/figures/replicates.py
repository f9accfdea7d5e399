"""Replicate cells: what they have in common, and whether two variants differ."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from protocols.errors import FigureError

CONFIDENCE = 0.95


@dataclass(frozen=True, slots=True)
class Replicates:
    """What n replicate cells say together, in the unit of their values.

    `deviation` is the standard deviation (n - 1), `error` that of the mean, and `low` to `high` the
    95 % confidence interval of the mean (Student's t); all None for a single cell, which does not
    show how much cells differ.
    """

    count: int
    mean: float
    deviation: float | None = None
    error: float | None = None
    low: float | None = None
    high: float | None = None


class Verdict(StrEnum):
    """What a comparison can say."""

    DIFFER = "they differ"
    NOT_SHOWN = "no difference is shown"
    CANNOT_SAY = "it cannot be said"


@dataclass(frozen=True, slots=True)
class Comparison:
    """Whether two variants differ, by Welch's t test, which lets them scatter differently.

    `difference` is the mean of the second less the mean of the first; `low` to `high` its 95 %
    confidence interval, `p` the two-sided probability of so large a t between equal variants,
    `effect` Hedges' g: the difference in standard deviations, corrected for few cells. All but the
    difference are None where the data cannot say; `reason` then says why.
    """

    first: Replicates
    second: Replicates
    difference: float
    verdict: Verdict
    reason: str
    low: float | None = None
    high: float | None = None
    t: float | None = None
    degrees_of_freedom: float | None = None
    p: float | None = None
    effect: float | None = None


def summarise(values: Sequence[float]) -> Replicates:
    """Return mean, standard deviation (n - 1) and n of one figure over replicate cells.

    `FigureError` for none, and for a value that is no number.
    """
    if not values:
        raise FigureError("no replicate gave the figure; wanted one at least")
    if not all(math.isfinite(value) for value in values):
        raise FigureError(f"the replicates gave {list(values)}; wanted finite numbers")
    count, mean = len(values), float(np.mean(values))
    if count == 1:
        return Replicates(count, mean)
    deviation = float(np.std(values, ddof=1))
    error = deviation / math.sqrt(count)
    half = _students_t(count - 1) * error
    return Replicates(count, mean, deviation, error, mean - half, mean + half)


def compare(first: Sequence[float], second: Sequence[float]) -> Comparison:
    """Say whether two variants differ in a figure (Welch, Biometrika 34 (1947) 28), and by how much.

    A single cell on either side, or replicates that do not scatter at all, cannot say. `FigureError`
    where a side has no value.
    """
    a, b = summarise(first), summarise(second)
    difference = b.mean - a.mean
    if a.deviation is None or b.deviation is None:
        reason = f"n = {a.count} against n = {b.count}: one cell does not show how much cells differ"
        return Comparison(a, b, difference, Verdict.CANNOT_SAY, reason)
    variances = a.deviation**2 / a.count, b.deviation**2 / b.count
    error = math.sqrt(sum(variances))
    if not error > 1e-12 * max(abs(a.mean), abs(b.mean)):
        reason = (
            "neither variant scatters: these are no independent cells, or the figure is counted, not measured"
        )
        return Comparison(a, b, difference, Verdict.CANNOT_SAY, reason)
    return _welch(a, b, difference, variances, error)


def _welch(
    a: Replicates, b: Replicates, difference: float, variances: tuple[float, float], error: float
) -> Comparison:
    from scipy.stats import t as students_t  # late: costs half a second

    freedom = sum(variances) ** 2 / (variances[0] ** 2 / (a.count - 1) + variances[1] ** 2 / (b.count - 1))
    t = difference / error
    p = 2 * float(students_t.sf(abs(t), freedom))
    half = _students_t(freedom) * error
    differ = p < 1 - CONFIDENCE
    return Comparison(
        a,
        b,
        difference,
        Verdict.DIFFER if differ else Verdict.NOT_SHOWN,
        f"Welch's t = {t:.2f} with {freedom:.1f} degrees of freedom, p = {p:.2g}; "
        f"n = {a.count} and {b.count}",
        low=difference - half,
        high=difference + half,
        t=t,
        degrees_of_freedom=freedom,
        p=p,
        effect=_hedges(a, b, difference),
    )


def _hedges(a: Replicates, b: Replicates, difference: float) -> float:
    """The difference over the pooled deviation, times 1 - 3 / (4 f - 1) (J. Educ. Stat. 6 (1981) 107)."""
    freedom = a.count + b.count - 2
    squares = (a.count - 1) * (a.deviation or 0.0) ** 2 + (b.count - 1) * (b.deviation or 0.0) ** 2
    return difference / math.sqrt(squares / freedom) * (1 - 3 / (4 * freedom - 1))


def _students_t(freedom: float) -> float:
    """How many standard errors the 95 % interval reaches to either side."""
    from scipy.stats import t as students_t

    return float(students_t.ppf(0.5 + CONFIDENCE / 2, freedom))
