"""Differential capacity dQ/dV of one half-cycle, its peaks, and the plateaus between them.

Raw readings are never differentiated: their converter's steps would decide. The voltage is first made
monotone (isotonic regression: a dip on a plateau is pooled with it), the charge then read off at
evenly spaced voltages, and the slope taken over a window (Savitzky and Golay) of some 10 mV.
"""

import itertools
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from protocols.errors import FigureError
from protocols.figures.estimate import Array, arrays
from protocols.figures.figure import NOWHERE, Figure, RunPlace

GRID = 2e-3  # volt between the points of the curve
SMOOTHED_OVER = 5  # points of the grid: 10 mV
FEWEST_READINGS = 20
PROMINENCE = 0.05
REDONE = 20
APART = 15  # points of the grid, 30 mV: nearer peaks are one, with a dip in it
LEAST_SHARE = 0.03  # of the half-cycle's charge: less is a ripple, no plateau


@dataclass(frozen=True, slots=True)
class Plateau:
    """A stretch of the half-cycle around one peak of dQ/dV.

    `peak` is the voltage of the peak, `height` its dQ/dV (C/V), `coulombs` the charge between the
    least dQ/dV on either side, at `low` and `high`.
    """

    peak: float
    height: float
    coulombs: float
    low: float
    high: float


@dataclass(frozen=True, slots=True, eq=False)
class DifferentialCapacity:
    """dQ/dV in C/V, positive either way, at rising voltages; `charge` is what passed below them."""

    voltage: Array
    slope: Array
    charge: Array

    def plateaus(self) -> list[Plateau]:
        """Return the plateaus from the lowest voltage up; none where no peak stands out."""
        from scipy.signal import find_peaks  # late: costs half a second

        # a peak on the edge of the window counts: beyond it no charge passes
        edged = np.r_[0.0, self.slope, 0.0]
        tops, _ = find_peaks(edged, prominence=PROMINENCE * float(self.slope.max()), distance=APART)
        found = list(self._between((tops - 1).tolist()))
        total = sum(plateau.coulombs for plateau in found)
        return [plateau for plateau in found if plateau.coulombs >= LEAST_SHARE * total]

    def _between(self, tops: list[int]) -> Iterator[Plateau]:
        valleys = [a + int(np.argmin(self.slope[a : b + 1])) for a, b in itertools.pairwise(tops)]
        bounds = [0, *valleys, len(self.voltage) - 1]
        for top, low, high in zip(tops, bounds, bounds[1:], strict=False):
            yield Plateau(
                peak=float(self.voltage[top]),
                height=float(self.slope[top]),
                coulombs=float(self.charge[high] - self.charge[low]),
                low=float(self.voltage[low]),
                high=float(self.voltage[high]),
            )


@dataclass(frozen=True, slots=True)
class MeasuredPlateau:
    """A plateau with the standard uncertainties of its charge (C) and of its peak (V)."""

    plateau: Plateau
    charge: float
    peak: float


def measured_plateaus(voltage: Array, capacity: Array) -> tuple[list[MeasuredPlateau], tuple[str, ...]]:
    """Return the plateaus of a half-cycle with what its noise makes of them, and warnings.

    The noise is put once more, twenty times over, on the voltage made monotone: how the results
    scatter is their uncertainty (a parametric bootstrap; the draws are the same each time). A grid
    point's width is the least.
    """
    plateaus = differential_capacity(voltage, capacity).plateaus()
    noise, random = _noise(voltage), np.random.default_rng(0)
    smooth = _monotone(np.asarray(voltage, dtype=float))
    redone = [
        differential_capacity(smooth + noise * random.standard_normal(len(smooth)), capacity).plateaus()
        for _ in range(REDONE)
    ]
    alike = [again for again in redone if len(again) == len(plateaus)]
    warnings = () if 2 * len(alike) > REDONE else ("how many plateaus there are depends on the noise",)
    return [_measured(plateau, [again[i] for again in alike]) for i, plateau in enumerate(plateaus)], warnings


def _measured(plateau: Plateau, redone: list[Plateau]) -> MeasuredPlateau:
    width = GRID / 12**0.5
    charges = np.array([again.coulombs for again in redone])
    peaks = np.array([again.peak for again in redone])
    return MeasuredPlateau(
        plateau,
        charge=float(np.hypot(width * PROMINENCE * plateau.height, _off(charges, plateau.coulombs))),
        peak=max(width, float(np.std(peaks, ddof=1)) if len(peaks) > 1 else 0.0),
    )


def _off(redone: Array, value: float) -> float:
    """How far results with fresh noise are off the first: by scatter, and by a shift, which it had too."""
    return float(np.sqrt(np.mean((redone - value) ** 2))) if len(redone) else 0.0


def _noise(voltage: Array) -> float:
    """The scatter of the voltage about its course, by the median: the steep ends do not count."""
    second = np.diff(np.asarray(voltage, dtype=float), 2)
    return 1.4826 * float(np.median(np.abs(second))) / 6**0.5


def _monotone(volts: Array) -> Array:
    from scipy.optimize import isotonic_regression  # late: costs half a second

    rising = bool(np.mean(volts[-5:]) > np.mean(volts[:5]))
    return np.asarray(isotonic_regression(volts, increasing=rising).x, dtype=float)


def differential_capacity(voltage: Array, capacity: Array) -> DifferentialCapacity:
    """Return dQ/dV of a half-cycle at constant current; `capacity` in coulomb of either sign.

    `FigureError` for too few readings, and where the voltage hardly moves.
    """
    volts, coulombs = arrays(voltage=voltage, capacity=np.abs(capacity))
    if len(volts) < FEWEST_READINGS:
        raise FigureError(f"the half-cycle has {len(volts)} readings; wanted {FEWEST_READINGS} at least")
    monotone = _monotone(volts)
    if monotone[-1] < monotone[0]:
        monotone, coulombs = monotone[::-1], coulombs[-1] - coulombs[::-1]
    # a nanovolt of tilt, so that a pooled stretch has a place for each of its charges
    monotone = monotone + 1e-9 * np.arange(len(monotone))
    if monotone[-1] - monotone[0] < 2 * SMOOTHED_OVER * GRID:
        span = 1e3 * (monotone[-1] - monotone[0])
        raise FigureError(f"the voltage moves by {span:.3g} mV only: no dQ/dV to speak of")
    return _on_a_grid(monotone, np.maximum.accumulate(coulombs))


def _on_a_grid(volts: Array, coulombs: Array) -> DifferentialCapacity:
    from scipy.signal import savgol_filter

    grid = np.arange(np.ceil(volts[0] / GRID), np.floor(volts[-1] / GRID) + 1) * GRID
    charge = np.interp(grid, volts, coulombs)
    slope = np.asarray(savgol_filter(charge, SMOOTHED_OVER, polyorder=2, deriv=1, delta=GRID), dtype=float)
    return DifferentialCapacity(grid, np.maximum(slope, 0.0), charge)


def plateau_capacities(
    voltage: Array, capacity: Array, mass: float | None = None, place: RunPlace = NOWHERE
) -> list[Figure]:
    """The charge of each plateau of a half-cycle from the highest voltage down, C (C/kg with `mass`).

    A plateau reaches to the least dQ/dV (the greatest dV/dQ) between its peak and the next.
    """
    found, warnings = measured_plateaus(voltage, capacity)
    if len(found) < 2:
        raise FigureError(f"dQ/dV has {len(found)} peak: one plateau is the whole half-cycle")
    plateaus = [one.plateau for one in found]
    total, per = sum(plateau.coulombs for plateau in plateaus), mass or 1.0
    return [
        Figure(
            name="plateau_capacity",
            value=plateau.coulombs / per,
            unit="C/kg" if mass else "C",
            uncertainty=one.charge / per,
            method=f"charge from {plateau.high:.3f} to {plateau.low:.3f} V around the dQ/dV peak at "
            f"{plateau.peak:.3f} V, bounded where dQ/dV is least",
            warnings=warnings,
            detail={
                "peak_voltage": plateau.peak,
                "peak_height": plateau.height,
                "share": plateau.coulombs / total,
                "ratio_to_highest": plateau.coulombs / plateaus[-1].coulombs,
            },
            place=place,
        )
        for one in reversed(found)
        for plateau in [one.plateau]
    ]


def differential_capacity_peaks(voltage: Array, capacity: Array, place: RunPlace = NOWHERE) -> list[Figure]:
    """The voltage of each peak of dQ/dV, V, from the highest down, with its height in the detail."""
    found, warnings = measured_plateaus(voltage, capacity)
    if not found:
        raise FigureError("dQ/dV has no peak 5 % of its highest prominent")
    return [
        Figure(
            name="differential_capacity_peaks",
            value=plateau.peak,
            unit="V",
            uncertainty=one.peak,
            method=f"top of dQ/dV on a grid of {1e3 * GRID:g} mV, smoothed over "
            f"{1e3 * GRID * SMOOTHED_OVER:g} mV",
            warnings=warnings,
            detail={"height": plateau.height, "charge": plateau.coulombs},
            place=place,
        )
        for one in reversed(found)
        for plateau in [one.plateau]
    ]
