"""A value with its standard uncertainty, and how uncertainty spreads through a formula."""

from collections.abc import Callable, Sequence
from math import comb
from typing import NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from protocols.errors import FigureError

Array: TypeAlias = NDArray[np.float64]


class Estimate(NamedTuple):
    """A value and its standard uncertainty (one sigma), both in the same SI unit."""

    value: float
    uncertainty: float = 0.0


def propagated(formula: Callable[..., float], *inputs: Estimate) -> Estimate:
    """Return `formula` of independent inputs with its first-order uncertainty (GUM 5.1.2)."""
    covariance = np.diag([one.uncertainty**2 for one in inputs])
    return propagated_jointly(formula, [one.value for one in inputs], covariance)


def propagated_jointly(formula: Callable[..., float], values: Sequence[float], covariance: Array) -> Estimate:
    """Return `formula` of correlated inputs with its first-order uncertainty (GUM 5.2.2)."""
    centre = np.asarray(values, dtype=float)
    gradient = _gradient(formula, centre, np.sqrt(np.diag(covariance)))
    variance = float(gradient @ covariance @ gradient)
    return Estimate(float(formula(*centre.tolist())), float(np.sqrt(max(variance, 0.0))))


def _gradient(formula: Callable[..., float], centre: Array, spread: Array) -> Array:
    """Central differences, a hundredth of each input's own uncertainty wide, but never lost in rounding."""
    gradient = np.zeros_like(centre)
    for index, width in enumerate(np.maximum(0.01 * spread, 1e-6 * np.abs(centre))):
        if spread[index] > 0:
            above, below = centre.copy(), centre.copy()
            above[index] += width
            below[index] -= width
            rise = formula(*above.tolist()) - formula(*below.tolist())
            gradient[index] = rise / (above[index] - below[index])
    return gradient


def joined(*blocks: Array) -> Array:
    """Return the covariance of groups of inputs that do not depend on each other."""
    size = sum(len(block) for block in blocks)
    whole = np.zeros((size, size))
    at = 0
    for block in blocks:
        whole[at : at + len(block), at : at + len(block)] = block
        at += len(block)
    return whole


def scatter(values: Array, order: int = 2) -> float | None:
    """Return the standard deviation of a series about its own slow course; None below order + 3 values.

    From differences of that order, whose variance is (2k over k) sigma² for white noise: 6 sigma² for
    second ones. A trend, even a bent one, does not count as noise; the higher the order, the more bent.
    """
    if len(values) < order + 3:
        return None
    differences = np.diff(values, order)
    return float(np.sqrt(np.mean(differences**2) / comb(2 * order, order)))


def mean_with_error(values: Array) -> tuple[Estimate, float | None]:
    """Return the mean with its standard error sd/sqrt(n), and sd (n - 1); no error for one value."""
    if len(values) == 0:
        raise FigureError("no value to average; wanted one at least")
    mean = float(np.mean(values))
    if len(values) == 1:
        return Estimate(mean), None
    deviation = float(np.std(values, ddof=1))
    return Estimate(mean, deviation / float(np.sqrt(len(values)))), deviation


SAME_INSTANT = 1e-7
"""Seconds; what an instrument says of two moments may differ by so much and be one."""


def in_order(what: str, time: Array, *columns: Array) -> tuple[Array, ...]:
    """Return the columns without readings of an instant that has one already, `time` first.

    A program of several segments ends one and begins the next at one moment, and has a reading of
    each; the later one is left out. `FigureError` for times that run backwards.
    """
    if np.any(np.diff(time) < -SAME_INSTANT):
        raise FigureError(f"the times of the {what} run backwards; wanted them to increase")
    later = np.diff(np.maximum.accumulate(time)) > SAME_INSTANT
    kept = np.concatenate((np.full(min(1, len(time)), True), later))
    return tuple(column[kept] for column in (time, *columns))


def arrays(**columns: Sequence[float] | Array) -> tuple[Array, ...]:
    """Return the columns as arrays; refuse unequal lengths and values that are no numbers."""
    made = {name: np.asarray(column, dtype=float) for name, column in columns.items()}
    lengths = {name: len(column) for name, column in made.items()}
    if len(set(lengths.values())) > 1:
        raise FigureError(f"columns differ in length: {lengths}; wanted one reading in each row")
    for name, column in made.items():
        if not np.all(np.isfinite(column)):
            bad = int(np.flatnonzero(~np.isfinite(column))[0])
            raise FigureError(f"{name} is {column[bad]} at row {bad}; wanted finite numbers")
    return tuple(made.values())
