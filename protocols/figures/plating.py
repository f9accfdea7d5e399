"""Figures from plating and stripping: nucleation, overpotential of a symmetric cell, soft shorts."""

from collections.abc import Sequence

import numpy as np

from protocols.errors import FigureError
from protocols.figures.cycling import Series
from protocols.figures.estimate import Array, Estimate, arrays, scatter
from protocols.figures.figure import NOWHERE, Figure, RunPlace

SMOOTHED_OVER = 5
SMOOTHING_GAIN = (17 / 35) ** 0.5  # noise left in the middle of a five-point parabola
PLATEAU = (0.3, 0.7)
NUCLEATES_WITHIN = 0.2
SHORT_BELOW = 0.7
SHORT_AGAINST = 10


def nucleation_overpotential(voltage: Array, capacity: Array, place: RunPlace = NOWHERE) -> Figure:
    """How far below its plateau the voltage dips when plating starts, V.

    Plateau: median between 30 and 70 % of the charge. Dip: least of the smoothed voltage in the
    first 20 %, from where it first falls below 0 V on (before that the electrode only charges).
    `capacity` in coulomb of either sign. `FigureError` if it never plates or has too few readings.
    """
    volts, share = _along_the_charge(voltage, capacity)
    plateau = volts[(share >= PLATEAU[0]) & (share <= PLATEAU[1])]
    start = _where_plating_starts(volts)
    early = volts[start:][share[start:] <= NUCLEATES_WITHIN]
    if len(early) < SMOOTHED_OVER or len(plateau) < SMOOTHED_OVER:
        raise FigureError(
            f"{len(early)} readings in the first 20 % and {len(plateau)} on the plateau; "
            f"wanted {SMOOTHED_OVER} of each: record more often"
        )
    smooth = _smoothed(early)
    at, level = int(np.argmin(smooth)), float(np.median(plateau))
    lowest = max(float(smooth[at]), float(early.min()))  # a parabola overshoots beside a sharp edge
    noise = scatter(plateau) or 0.0
    # the median of n readings scatters by √(π / 2n)
    uncertainty = noise * float(np.sqrt(SMOOTHING_GAIN**2 + np.pi / 2 / len(plateau)))
    height = level - lowest
    return Figure(
        name="nucleation_overpotential",
        value=height,
        unit="V",
        uncertainty=uncertainty,
        method="plateau (median of 30 to 70 % of the charge) - lowest smoothed voltage in the first 20 %, "
        "from the first reading below 0 V",
        warnings=() if height > 2 * uncertainty else ("no dip stands clear of the noise",),
        detail={"plateau": level, "lowest": lowest, "share_of_charge": float(share[start + at])},
        place=place,
    )


def steady_overpotential(voltage: Array, capacity: Array, place: RunPlace = NOWHERE) -> Figure:
    """Plating overpotential on the plateau: minus the median voltage between 30 and 70 % of the charge, V."""
    volts, share = _along_the_charge(voltage, capacity)
    plateau = volts[(share >= PLATEAU[0]) & (share <= PLATEAU[1])]
    if len(plateau) < SMOOTHED_OVER:
        raise FigureError(f"{len(plateau)} readings on the plateau; wanted {SMOOTHED_OVER}")
    noise = scatter(plateau) or 0.0
    return Figure(
        name="steady_overpotential",
        value=-float(np.median(plateau)),
        unit="V",
        uncertainty=noise * float(np.sqrt(np.pi / 2 / len(plateau))),
        method="minus the median voltage of 30 to 70 % of the plated charge",
        place=place,
    )


def overpotential(
    charge: tuple[Array, Array], discharge: tuple[Array, Array], place: RunPlace = NOWHERE
) -> Figure:
    """Overpotential of a symmetric cell, (V+ - V-) / 2 half-way through the charge, V.

    Each half-cycle is (voltage, capacity). Half the difference cancels an offset between the
    electrodes. At the tip (the largest of either half) and at the end it stands in the detail.
    """
    halves = [_along_the_charge(*half) for half in (charge, discharge)]
    middles = [_half_way(volts, share) for volts, share in halves]
    middle = [one.value for one in middles]
    end = [float(volts[-1]) for volts, _ in halves]
    tip = [float(np.max(halves[0][0])), float(np.min(halves[1][0]))]
    return Figure(
        name="overpotential",
        value=_half_difference(middle),
        unit="V",
        uncertainty=float(np.hypot(middles[0].uncertainty, middles[1].uncertainty)) / 2,
        method="(V+ - V-) / 2 at half the charge of either half-cycle, on a line through its 40 to 60 %",
        detail={
            "middle": _half_difference(middle),
            "tip": _half_difference(tip),
            "end": _half_difference(end),
            "offset": sum(middle) / 2,
        },
        place=place,
    )


def soft_short(overpotentials: Series) -> Figure:
    """How many cycles look like a soft short, with the reason for each.

    A cycle is suspect if its overpotential is below 70 % of the median of the (up to) ten cycles
    before it that were not: lithium can smooth slowly, but only a parallel path drops it at once.
    An indicator, not a proof: take a spectrum.
    """
    if len(overpotentials) < 2:
        raise FigureError(f"{len(overpotentials)} cycle with both half-cycles; a drop needs two at least")
    sound: list[float] = []
    suspects: list[dict[str, float]] = []
    for cycle, volts in overpotentials:
        usual = float(np.median(sound[-SHORT_AGAINST:])) if sound else volts
        if volts < SHORT_BELOW * usual:
            suspects.append({"cycle": cycle, "overpotential": volts, "usual": usual})
        else:
            sound.append(volts)
    return Figure(
        name="soft_short",
        value=float(len(suspects)),
        unit="1",
        method=f"cycles whose overpotential is below {100 * SHORT_BELOW:.0f} % of the median of the "
        f"{SHORT_AGAINST} sound cycles before, of {len(overpotentials)}",
        warnings=tuple(_reason(one) for one in suspects[:3]),
        detail={"suspects": suspects[:100]},
        place=RunPlace(cycle=int(suspects[0]["cycle"])) if suspects else NOWHERE,
    )


def _reason(one: dict[str, float]) -> str:
    return (
        f"cycle {one['cycle']:.0f}: {1e3 * one['overpotential']:.3g} mV where "
        f"{1e3 * one['usual']:.3g} mV was usual: a parallel path?"
    )


def _half_way(volts: Array, share: Array) -> Estimate:
    """The voltage at half the charge; between the nearest readings where the middle fifth has too few."""
    middle = np.abs(share - 0.5) <= 0.1
    noise = scatter(volts[np.abs(share - 0.5) <= 0.3]) or 0.0
    if np.count_nonzero(middle) < SMOOTHED_OVER:
        return Estimate(float(np.interp(0.5, share, volts)), noise)
    values, covariance = np.polyfit(share[middle] - 0.5, volts[middle], 1, cov="unscaled")
    return Estimate(float(values[1]), noise * float(np.sqrt(covariance[1, 1])))


def _half_difference(pair: Sequence[float]) -> float:
    return (pair[0] - pair[1]) / 2


def _along_the_charge(voltage: Array, capacity: Array) -> tuple[Array, Array]:
    """Return the voltage and the share of the charge passed, 0 to 1."""
    volts, coulombs = arrays(voltage=voltage, capacity=capacity)
    if len(volts) < 2 or coulombs[-1] == 0:
        raise FigureError("the half-cycle passed no charge")
    share = coulombs / coulombs[-1]
    if np.any(np.diff(share) < 0):
        raise FigureError("the charge of the half-cycle runs backwards")
    return volts, share


def _where_plating_starts(volts: Array) -> int:
    below = np.flatnonzero(volts < 0)
    if len(below) == 0:
        raise FigureError(f"the voltage stays above 0 V (lowest {volts.min():.3g} V): nothing was plated")
    return int(below[0])


def _smoothed(volts: Array) -> Array:
    from scipy.signal import savgol_filter  # late: costs half a second

    return np.asarray(savgol_filter(volts, SMOOTHED_OVER, polyorder=2), dtype=float)
