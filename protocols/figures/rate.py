"""Rate capability: the capacity a cell gives at each current, in the order they were asked."""

from collections.abc import Sequence

import numpy as np

from protocols.errors import FigureError
from protocols.figures.decay import blocks, discharge_capacities
from protocols.figures.estimate import mean_with_error
from protocols.figures.figure import Figure, RunPlace
from protocols.figures.run import CycleSummary

FEWEST_RATES = 2


def rate_capability(cycles: Sequence[CycleSummary], mass: float | None = None) -> list[Figure]:
    """Mean discharge capacity at each rate, C, or C/kg with the active mass known.

    The first cycle of a block still feels the rate before it and is left out where there are
    others. `FigureError` if the run has one rate only.
    """
    found = blocks(cycles)
    if len({block[0].discharge_current for block in found}) < FEWEST_RATES:
        raise FigureError("the run discharges at one current only; a rate capability needs two at least")
    return [_at_rate(block, found, mass) for block in found]


def _at_rate(
    block: Sequence[CycleSummary], every: Sequence[Sequence[CycleSummary]], mass: float | None
) -> Figure:
    settled = block[1:] or block
    values = np.array([coulombs for _, coulombs in discharge_capacities(settled)]) / (mass or 1.0)
    mean, deviation = mean_with_error(values)
    first, last = settled[0].number, settled[-1].number
    amperes = block[0].discharge_current
    return Figure(
        name="rate_capability",
        value=mean.value,
        unit="C/kg" if mass else "C",
        uncertainty=mean.uncertainty if deviation is not None else None,
        method=f"mean discharge capacity of cycles {first} to {last} at {_milliamperes(amperes)}"
        + (f" / active mass {1e6 * mass:.4g} mg" if mass else ""),
        detail={
            "current": amperes,
            "first_cycle": first,
            "last_cycle": last,
            "standard_deviation": deviation,
            "relative_to_first_rate": mean.value / _first_mean(every, mass),
        },
        place=RunPlace(cycle=last),
    )


def _first_mean(every: Sequence[Sequence[CycleSummary]], mass: float | None) -> float:
    settled = every[0][1:] or every[0]
    mean = float(np.mean([coulombs for _, coulombs in discharge_capacities(settled)])) / (mass or 1.0)
    if mean == 0:
        raise FigureError(f"the first rate, cycle {settled[0].number}, passed no charge")
    return mean


def _milliamperes(amperes: float | None) -> str:
    return "one current" if amperes is None else f"{1e3 * amperes:.4g} mA"
