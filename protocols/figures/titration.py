"""Galvanostatic intermittent titration: how fast ions diffuse in the active material.

Weppner and Huggins (J. Electrochem. Soc. 124 (1977) 1569): after a current step the voltage goes with the
square root of time while diffusion has not reached the far side, D = 4/π (L ΔEs / (τ dE/d√t))². The
resistive jump at the start is no part of the slope, so it need not be known.
"""

from collections.abc import Sequence

import numpy as np

from protocols.errors import FigureError
from protocols.figures.estimate import Array, Estimate, arrays, propagated, scatter
from protocols.figures.figure import NOWHERE, Figure, RunPlace

FITTED = (0.01, 0.25)  # share of the pulse over which √t is fitted
SPAN = f"{100 * FITTED[0]:.0f} to {100 * FITTED[1]:.0f} % of the pulse"
FEWEST_READINGS = 6
BENT = 0.05
RELAXED = 1e-3  # volt a rest may still move over its last tenth
LAST_SHARE = 0.1


def diffusion(
    before: tuple[Array, Array],
    pulse: tuple[Array, Array],
    after: tuple[Array, Array],
    length: Estimate | None,
    place: RunPlace = NOWHERE,
) -> Figure:
    """D of one titration step, m²/s; D / L², 1/s, where the diffusion length is not known.

    Each of rest, pulse and rest is (seconds from its start, volt). `FigureError` where √t cannot be
    fitted or the equilibrium voltage did not move.
    """
    low, high = _equilibrium(*before), _equilibrium(*after)
    step = Estimate(high.value - low.value, float(np.hypot(high.uncertainty, low.uncertainty)))
    if not abs(step.value) > 3 * step.uncertainty:
        raise FigureError(
            f"the equilibrium voltage moved by {1e3 * step.value:.3g} ± {1e3 * step.uncertainty:.2g} mV: "
            "nothing to titrate by"
        )
    slope, bend = _slope(*pulse)
    duration = float(pulse[0][-1])
    rate = propagated(lambda volts, per_root: 4 / np.pi * (volts / (duration * per_root)) ** 2, step, slope)
    value = (
        rate if length is None else propagated(lambda per_second, metre: per_second * metre**2, rate, length)
    )
    return Figure(
        name="diffusion_rate" if length is None else "diffusion_coefficient",
        value=value.value,
        unit="1/s" if length is None else "m2/s",
        uncertainty=value.uncertainty,
        method=_method(step, slope, duration, length),
        warnings=(*bend, *_unrelaxed("before", *before), *_unrelaxed("after", *after)),
        detail={
            "equilibrium_step": step._asdict(),
            "slope": slope._asdict(),
            "duration": duration,
            "voltage": (low.value + high.value) / 2,
        },
        place=place,
    )


def _method(step: Estimate, slope: Estimate, duration: float, length: Estimate | None) -> str:
    known = "L not in the cell file: D / L²" if length is None else f"L {1e6 * length.value:.4g} um"
    return (
        f"Weppner-Huggins, 4/π (L ΔEs / (τ dE/d√t))², {known}; ΔEs {1e3 * step.value:.4g} mV, "
        f"τ {duration:.4g} s, dE/d√t {1e3 * slope.value:.4g} mV s^-1/2 from {SPAN}"
    )


def _equilibrium(time: Array, voltage: Array) -> Estimate:
    """The voltage at the end of a rest: the mean of its last tenth, as uncertain as that still moved."""
    seconds, volts = arrays(time=time, voltage=voltage)
    if len(volts) == 0:
        raise FigureError("no reading in the rest: its equilibrium voltage is not known")
    late = volts[seconds >= seconds[-1] - LAST_SHARE * (seconds[-1] - seconds[0])]
    noise = scatter(late) or 0.0
    moved = abs(float(late[-1] - late[0])) / 12**0.5
    return Estimate(float(np.mean(late)), float(np.hypot(noise / np.sqrt(len(late)), moved)))


def _slope(time: Array, voltage: Array) -> tuple[Estimate, Sequence[str]]:
    """dE/d√t with its uncertainty, and a warning where the line is bent."""
    seconds, volts = arrays(time=time, voltage=voltage)
    within = (seconds >= FITTED[0] * seconds[-1]) & (seconds <= FITTED[1] * seconds[-1])
    if np.count_nonzero(within) < FEWEST_READINGS:
        raise FigureError(
            f"{np.count_nonzero(within)} readings from {SPAN}; wanted {FEWEST_READINGS}: record more often"
        )
    root, volts = np.sqrt(seconds[within]), volts[within]
    (slope, start), covariance = np.polyfit(root, volts, 1, cov=True)
    if not abs(slope) > 3 * np.sqrt(covariance[0, 0]):
        raise FigureError("the voltage does not go with the square root of time in the pulse")
    worst = float(np.max(np.abs(volts - start - slope * root)))
    rise = abs(float(slope * (root[-1] - root[0])))
    if worst <= BENT * rise:
        bend = []
    else:
        share = f"{100 * worst / rise:.0f} %"
        bend = [
            f"the voltage is up to {share} off a straight line in √t: has diffusion reached the far side?"
        ]
    return Estimate(float(slope), float(np.sqrt(covariance[0, 0]))), bend


def _unrelaxed(which: str, time: Array, voltage: Array) -> Sequence[str]:
    late = voltage[time >= time[-1] - LAST_SHARE * (time[-1] - time[0])]
    moved = abs(float(late[-1] - late[0]))
    if moved <= RELAXED:
        return ()
    return (f"the rest {which} the pulse still moved by {1e3 * moved:.2g} mV over its last tenth",)
