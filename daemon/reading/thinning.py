"""Thinning a trace to what a screen can show, its extremes kept."""

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

Column = NDArray[np.float64]


def kept(traces: Sequence[Column], points: int) -> NDArray[np.intp]:
    """Return which rows to show of columns of one length: at most `points`, in their order.

    The rows are cut into stretches; of each, the lowest and the highest of every trace stay, and of
    the whole the first and the last: a spike of one reading is seen however long the run is. NaN is
    neither lowest nor highest.
    """
    length = len(traces[0])
    if length <= points:
        return np.arange(length)
    stretches = max(1, (points - 2) // (2 * len(traces)))
    edges = np.linspace(0, length, stretches + 1).astype(np.intp)
    chosen = {0, length - 1}
    for trace in traces:
        low, high = np.nan_to_num(trace, nan=np.inf), np.nan_to_num(trace, nan=-np.inf)
        for first, after in pairwise(edges):
            chosen.add(int(first + low[first:after].argmin()))
            chosen.add(int(first + high[first:after].argmax()))
    return np.array(sorted(chosen))
