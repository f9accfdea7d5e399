"""Peaks of a cyclic voltammogram."""

from collections.abc import Iterator, Sequence

import numpy as np

from protocols.errors import FigureError
from protocols.figures.estimate import Array, arrays
from protocols.figures.figure import NOWHERE, Figure, RunPlace

PROMINENCE = 0.05
SMOOTHED_OVER = 7
FEWEST_IN_A_SWEEP = 20


def voltammetry_peaks(
    time: Sequence[float] | Array,
    voltage: Sequence[float] | Array,
    current: Sequence[float] | Array,
    place: RunPlace = NOWHERE,
) -> list[Figure]:
    """Return a figure per peak: its potential, V, with its current, sweep and scan rate in the detail.

    Split at the vertices, smoothed, at least 5 % of the sweep's current range prominent; anodic
    peaks in rising, cathodic in falling sweeps. Currents count from zero, no baseline is taken off.
    The scan rate is that of the data. `FigureError` if no sweep has a peak.
    """
    seconds, volts, amperes = arrays(time=time, voltage=voltage, current=current)
    if np.any(np.diff(seconds) <= 0):
        raise FigureError("the times of the sweep do not increase from reading to reading")
    found: list[Figure] = []
    for ordinal, (start, stop) in enumerate(_sweeps(volts), start=1):
        found += _peaks(ordinal, seconds[start:stop], volts[start:stop], amperes[start:stop], place)
    if not found:
        raise FigureError("no sweep has a peak 5 % of its current range prominent")
    return found


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


def _peaks(ordinal: int, time: Array, volts: Array, amperes: Array, place: RunPlace) -> Iterator[Figure]:
    from scipy.signal import find_peaks, savgol_filter  # late: costs half a second

    rising = bool(volts[-1] > volts[0])
    upright = amperes if rising else -amperes
    smooth = np.asarray(savgol_filter(upright, SMOOTHED_OVER, polyorder=2), dtype=float)
    tops, _ = find_peaks(smooth, prominence=PROMINENCE * float(np.ptp(smooth)))
    rate = float(np.median(np.abs(np.diff(volts) / np.diff(time))))
    name = "anodic" if rising else "cathodic"
    for top in tops.tolist():
        yield Figure(
            name="voltammetry_peaks",
            value=float(volts[top]),
            unit="V",
            # the top lies somewhere between the readings beside it
            uncertainty=float(abs(volts[top + 1] - volts[top - 1])) / 12**0.5,
            method=f"{name} peak of sweep {ordinal}: top of the current smoothed over {SMOOTHED_OVER} "
            "readings, no baseline taken off",
            detail={
                "current": float(amperes[top]),
                "sweep": ordinal,
                "direction": name,
                "scan_rate": rate,
                "charge": _charge(time, amperes),
            },
            place=place,
        )


def _charge(time: Array, amperes: Array) -> float:
    return float(np.trapezoid(amperes, time))
