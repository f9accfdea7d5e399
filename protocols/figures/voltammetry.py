"""Peaks of a cyclic voltammogram: where, how high, what charge, and how far apart."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from protocols.errors import FigureError
from protocols.figures.estimate import Array, Estimate, arrays, in_order, propagated_jointly, scatter
from protocols.figures.figure import NOWHERE, Figure, RunPlace

PROMINENCE = 0.05
SMOOTHED_OVER = 7
FEWEST_IN_A_SWEEP = 20
CAP = 0.05
"""How much of its prominence below its top a peak is fitted with a parabola."""
FEWEST_IN_A_CAP = 5


@dataclass(frozen=True, slots=True)
class Peak:
    """One peak of one sweep.

    `potential` and `current` are of the top; `height` counts from the straight line between the feet
    on either side, `charge` is what passed between them (coulomb, signed like the current).
    """

    sweep: int
    anodic: bool
    potential: Estimate
    current: float
    height: float
    charge: float
    scan_rate: float


def voltammetry_peaks(
    time: Sequence[float] | Array,
    voltage: Sequence[float] | Array,
    current: Sequence[float] | Array,
    place: RunPlace = NOWHERE,
) -> list[Figure]:
    """Return a figure per peak, V, then one per pair of peaks of neighbouring sweeps: their separation, V.

    Sweeps are split at the vertices. A peak stands at least 5 % of its sweep's current range out of
    its surroundings: anodic in rising, cathodic in falling sweeps. The scan rate is that of the data.
    `FigureError` if no sweep has a peak.
    """
    columns = arrays(time=time, voltage=voltage, current=current)
    seconds, volts, amperes = in_order("sweep", *columns)
    sweeps = [
        list(_peaks(ordinal, seconds[start:stop], volts[start:stop], amperes[start:stop]))
        for ordinal, (start, stop) in enumerate(_sweeps(volts), start=1)
    ]
    found = [peak for sweep in sweeps for peak in sweep]
    if not found:
        raise FigureError("no sweep has a peak 5 % of its current range prominent")
    pairs = [pair for first, second in pairwise(sweeps) for pair in _pairs(first, second)]
    return [_figure(peak, place) for peak in found] + [_separation(*pair, place) for pair in pairs]


def _figure(peak: Peak, place: RunPlace) -> Figure:
    name = "anodic" if peak.anodic else "cathodic"
    return Figure(
        name="voltammetry_peaks",
        value=peak.potential.value,
        unit="V",
        uncertainty=peak.potential.uncertainty,
        method=f"{name} peak of sweep {peak.sweep}, {1e3 * peak.current:.4g} mA, "
        f"{1e3 * peak.height:.4g} mA above the line between its feet, at {1e3 * peak.scan_rate:.4g} mV/s: "
        f"vertex of a parabola through its top {100 * CAP:.0f} %",
        detail={
            "current": peak.current,
            "height": peak.height,
            "sweep": peak.sweep,
            "direction": name,
            "scan_rate": peak.scan_rate,
            "charge": peak.charge,
        },
        place=place,
    )


def _pairs(first: Sequence[Peak], second: Sequence[Peak]) -> Iterator[tuple[Peak, Peak]]:
    """Pair the peaks of two sweeps in the order of their potentials, where there are as many."""
    if len(first) == len(second):
        ordered = (sorted(peaks, key=lambda peak: peak.potential.value) for peaks in (first, second))
        yield from zip(*ordered, strict=True)


def _separation(first: Peak, second: Peak, place: RunPlace) -> Figure:
    anodic, cathodic = (first, second) if first.anodic else (second, first)
    uncertainty = float(np.hypot(anodic.potential.uncertainty, cathodic.potential.uncertainty))
    return Figure(
        name="voltammetry_separation",
        value=anodic.potential.value - cathodic.potential.value,
        unit="V",
        uncertainty=uncertainty,
        method=f"anodic {anodic.potential.value:.4f} V of sweep {anodic.sweep} - cathodic "
        f"{cathodic.potential.value:.4f} V of sweep {cathodic.sweep}",
        detail={
            "half_wave": (anodic.potential.value + cathodic.potential.value) / 2,
            "height_ratio": anodic.height / cathodic.height if cathodic.height else None,
        },
        place=place,
    )


def _sweeps(volts: Array) -> Iterator[tuple[int, int]]:
    """Yield where each sweep in one direction begins and ends; scraps too short to judge are left out."""
    # a turn counts once the voltage has come back by 1 % of its range: noise turns it sooner
    back = 0.01 * float(np.ptp(volts)) if len(volts) else 0.0
    start, extreme, direction = 0, 0, 0.0
    for i in range(1, len(volts)):
        away = float(volts[i] - volts[extreme])
        if direction == 0.0 and abs(away) > back:
            direction = float(np.sign(away))
        if away * direction >= 0:
            extreme = i if direction else extreme
        elif abs(away) > back:
            if extreme + 1 - start >= FEWEST_IN_A_SWEEP:
                yield start, extreme + 1
            start, extreme, direction = extreme, i, -direction
    if len(volts) - start >= FEWEST_IN_A_SWEEP:
        yield start, len(volts)


def _peaks(ordinal: int, time: Array, volts: Array, amperes: Array) -> Iterator[Peak]:
    from scipy.signal import find_peaks, savgol_filter  # late: costs half a second

    rising = bool(volts[-1] > volts[0])
    upright = amperes if rising else -amperes
    smooth = np.asarray(savgol_filter(upright, SMOOTHED_OVER, polyorder=2), dtype=float)
    tops, facts = find_peaks(smooth, prominence=PROMINENCE * float(np.ptp(smooth)))
    rate = float(np.median(np.abs(np.diff(volts) / np.diff(time))))
    feet = [0, *(a + int(np.argmin(smooth[a : b + 1])) for a, b in pairwise(tops.tolist())), len(volts) - 1]
    for top, prominence, left, right in zip(
        tops.tolist(), facts["prominences"].tolist(), feet, feet[1:], strict=False
    ):
        inside = slice(left, right + 1)
        base = np.interp(volts[top], *_line(volts[[left, right]], amperes[[left, right]]))
        yield Peak(
            sweep=ordinal,
            anodic=rising,
            potential=_vertex(volts, upright, smooth, top, prominence),
            current=float(smooth[top]) * (1 if rising else -1),
            height=abs(float(smooth[top]) - float(base) * (1 if rising else -1)),
            charge=float(np.trapezoid(amperes[inside], time[inside])),
            scan_rate=rate,
        )


def _line(volts: Array, amperes: Array) -> tuple[Array, Array]:
    order = np.argsort(volts)
    return volts[order], amperes[order]


def _vertex(volts: Array, upright: Array, smooth: Array, top: int, prominence: float) -> Estimate:
    """Where a parabola through the readings of the peak's cap is highest.

    As uncertain as the noise makes it, or as the readings lie apart where there are too few.
    """
    low, high = _cap(smooth, top, prominence)
    spacing = Estimate(float(volts[top]), float(abs(volts[top + 1] - volts[top - 1])) / 12**0.5)
    if high - low < FEWEST_IN_A_CAP:
        return spacing
    centre, width = float(volts[top]), float(np.ptp(volts[low:high]))
    x = (volts[low:high] - centre) / width
    values, covariance = np.polyfit(x, upright[low:high], 2, cov="unscaled")
    if values[0] >= 0:
        return spacing
    noise = scatter(upright[max(0, low - 10) : high + 10]) or 0.0
    at = propagated_jointly(
        lambda square, line, _: -line / (2 * square), values.tolist(), covariance * noise**2
    )
    if abs(at.value) > 1:
        return spacing
    return Estimate(centre + width * at.value, width * at.uncertainty)


def _cap(smooth: Array, top: int, prominence: float) -> tuple[int, int]:
    """Return the readings around the top that lie within 5 % of the prominence below it."""
    floor = smooth[top] - CAP * prominence
    low, high = top, top + 1
    while low > 0 and smooth[low - 1] >= floor:
        low -= 1
    while high < len(smooth) and smooth[high] >= floor:
        high += 1
    return low, high
