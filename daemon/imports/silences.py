"""Times of a file in which nothing was recorded: a tester that was off, files with days between them.

A file does not say so. What is far longer than an interval between rows is anywhere near it is taken for
one; rows that are few, or that come by a rule of change, are given the benefit of the doubt.
"""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np

from daemon.imports.steps import Step
from protocols.figures.estimate import Array

LEAST = 300.0
"""Seconds: a shorter time is none, however often rows come otherwise."""

UNUSUAL = 20.0
"""Times the longest other interval of the step, or of the two steps it lies between."""

FEWEST = 4
"""Intervals by which a step shows how often its rows come."""

RARE = 20
"""One interval in so many may be a silence, or one in any step."""


class Silence(NamedTuple):
    """A time without rows: seconds since the run began, and how long; `usual` is the longest otherwise."""

    since: float
    seconds: float
    usual: float


def silences(steps: Sequence[Step]) -> list[Silence]:
    """Return the times of a run in which nothing was recorded, in order."""
    found: list[Silence] = []
    before: tuple[float, float] | None = None
    for step in steps:
        times = _moments(step)
        usual = _usual(np.diff(times))
        if usual is None:
            before = None
            continue
        if before is not None:
            found += _within(np.array([before[0], times[0]]), max(before[1], usual))
        found += _within(times, usual)
        before = float(times[-1]), usual
    return found


def _moments(step: Step) -> Array:
    return np.sort(np.array([row.time for rows in (step.readings, step.points) for row in rows]))


def _usual(intervals: Array) -> float | None:
    """Return the longest interval that is no silence; None where there are too few to tell."""
    if len(intervals) < FEWEST:
        return None
    ordered = np.sort(intervals)
    for place in range(len(ordered) - max(1, len(ordered) // RARE), len(ordered)):
        if ordered[place] >= max(LEAST, UNUSUAL * ordered[place - 1]):
            return float(ordered[place - 1])
    return float(ordered[-1])


def _within(times: Array, usual: float) -> Iterator[Silence]:
    intervals = np.diff(times)
    for place in np.flatnonzero(intervals >= max(LEAST, UNUSUAL * usual)).tolist():
        yield Silence(float(times[place]), float(intervals[place]), usual)
