"""Pulse resistance: the voltage a current step costs, over the current."""

from collections.abc import Sequence

import numpy as np

from protocols.accuracy import Accuracy
from protocols.errors import FigureError
from protocols.figures.estimate import Array, Estimate, arrays, propagated
from protocols.figures.figure import NOWHERE, Figure, Plain, RunPlace

QUOTED_AT = (0.1, 1.0, 10.0)
LEAST_STEP = 1e-12  # ampere: below what any instrument tells from nothing


def pulse_resistance(
    before: Sequence[tuple[float, float]],
    time: Array,
    voltage: Array,
    current: Array,
    place: RunPlace = NOWHERE,
    accuracy: Accuracy | None = None,
) -> Figure:
    """|V - V0| / |I - I0| at the end of a pulse, ohm; at 0.1, 1 and 10 s in the detail.

    `before` holds the last (volt, ampere) readings ahead of the pulse, one at least; with five or
    more their scatter gives the uncertainty. `time` in seconds from the start of the pulse.
    `FigureError` without a current step.
    """
    if not before:
        raise FigureError("no reading before the pulse: nothing to count from")
    seconds, volts, amperes = arrays(time=time, voltage=voltage, current=current)
    start_volts, start_amperes = (float(value) for value in np.mean(np.asarray(before), axis=0))
    steps = np.abs(amperes - start_amperes)
    if len(seconds) == 0 or not steps[-1] > LEAST_STEP:
        raise FigureError("the current did not change in the pulse")
    on = steps > LEAST_STEP
    seconds, volts, amperes, steps = seconds[on], volts[on], amperes[on], steps[on]
    ohms = np.abs(volts - start_volts) / steps
    at: dict[str, Plain] = {
        f"{moment:g} s": float(np.interp(moment, seconds, ohms))
        for moment in QUOTED_AT
        if seconds[0] <= moment <= seconds[-1] * (1 + 1e-9)
    }
    return Figure(
        name="pulse_resistance",
        value=float(ohms[-1]),
        unit="ohm",
        uncertainty=_uncertainty(before, volts[-1] - start_volts, steps[-1], accuracy),
        method=f"|V - V0| / |I - I0| after {seconds[-1]:.4g} s of {amperes[-1]:.4g} A, V0 and I0 the mean of "
        f"{len(before)} readings before",
        detail={"resistance_at": at, "voltage_before": start_volts, "current": float(amperes[-1])},
        place=place,
    )


def _uncertainty(
    before: Sequence[tuple[float, float]], height: float, step: float, accuracy: Accuracy | None
) -> float | None:
    """From the scatter of the rest before, where there is rest enough to show one, and the gains.

    Offsets are the same before and in the pulse.
    """
    if len(before) < 5:
        return None
    noise = np.std(np.asarray(before), axis=0, ddof=1) * float(np.sqrt(1 + 1 / len(before)))
    gains = (accuracy.of_voltage, accuracy.of_current) if accuracy is not None else (0.0, 0.0)
    volts = Estimate(abs(height), float(np.hypot(noise[0], gains[0] * height)))
    amperes = Estimate(step, float(np.hypot(noise[1], gains[1] * step)))
    return propagated(lambda v, i: v / i, volts, amperes).uncertainty
