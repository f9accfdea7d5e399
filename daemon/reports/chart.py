"""A chart: what is plotted against what, before anybody draws it."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum

import numpy as np

from protocols.figures.estimate import Array

MOST_POINTS = 900
"""A line of more points than the page has pixels shows no more, and makes the file heavy."""


DENSE = 1000
"""A line of more points is drawn finer: it goes up and down within a pixel."""


class Mark(StrEnum):
    """How a series is drawn."""

    LINE = "line"
    POINTS = "points"


@dataclass(frozen=True, slots=True)
class Axis:
    """One axis: the quantity and its unit, written as `Voltage / V`."""

    quantity: str
    unit: str = ""
    logarithmic: bool = False

    @property
    def title(self) -> str:
        return f"{self.quantity} / {self.unit}" if self.unit else self.quantity


@dataclass(frozen=True, slots=True, eq=False)
class Series:
    """One line or cloud of points. `right` puts it on the right axis; a fit is dashed."""

    name: str
    x: Array
    y: Array
    mark: Mark = Mark.LINE
    right: bool = False
    dashed: bool = False
    colour: int | None = None
    """Place in the palette; by default the order of the series."""


@dataclass(frozen=True, slots=True, eq=False)
class Chart:
    """A titled plot. `ordered` colours follow a sequence (cycles); `equal` axes have one scale."""

    key: str
    title: str
    x: Axis
    y: Axis
    series: Sequence[Series]
    right: Axis | None = None
    ordered: bool = False
    equal: bool = False
    note: str = ""
    labels: Sequence[tuple[float, str]] = field(default_factory=tuple)
    """Words along the top, each at its place on the x axis."""


def thinned(x: Array, y: Array, most: int = MOST_POINTS) -> tuple[Array, Array]:
    """Return at most `most` points that look the same: the lowest and highest of each stretch, in order.

    Peaks and cut-offs survive, which they would not if every n-th point were taken.
    """
    if len(x) <= most:
        return x, y
    edges = np.linspace(0, len(x), most // 2 + 1).astype(int)
    kept = {0, len(x) - 1}
    for start, stop in zip(edges[:-1].tolist(), edges[1:].tolist(), strict=True):
        piece = y[start:stop]
        kept |= {start + int(np.argmin(piece)), start + int(np.argmax(piece))}
    chosen = sorted(kept)
    return x[chosen], y[chosen]
