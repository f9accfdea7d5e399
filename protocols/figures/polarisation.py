"""A chronoamperometry of a symmetric cell, and what can be read off it: dV, the steady current,
the initial current."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np

from protocols.errors import FigureError
from protocols.figures.estimate import Array, Estimate, arrays, in_order, scatter

STEADY = 0.01
LAST_SHARE = 0.1
FEWEST_STEADY = 3
FEWEST_READINGS = 10
HELD_WITHIN = 0.05
AT_REST = 50
FEWEST_AT_REST = 5
NOISE_FROM = 24  # late readings


@dataclass(frozen=True, slots=True, eq=False)
class Polarisation:
    """Readings of a voltage step: seconds from the step, ampere, volt; `open_circuit` in volt is the
    voltage before it, so that a cell at 0.5 mV is not taken for one at 0."""

    time: Array
    current: Array
    voltage: Array
    open_circuit: Estimate

    @classmethod
    def of(
        cls,
        time: Sequence[float] | Array,
        current: Sequence[float] | Array,
        voltage: Sequence[float] | Array,
        open_circuit: Estimate | float,
    ) -> Self:
        """Check the columns; a bare `open_circuit` is one reading, as noisy as the others.

        `FigureError` for too few readings or times that run backwards."""
        columns = arrays(time=time, current=current, voltage=voltage)
        seconds, amperes, volts = in_order("polarisation", *columns)
        if len(seconds) < FEWEST_READINGS:
            raise FigureError(
                f"the polarisation has {len(seconds)} readings; wanted {FEWEST_READINGS} at least"
            )
        if not isinstance(open_circuit, Estimate):
            open_circuit = Estimate(open_circuit, scatter(volts) or 0.0)
        return cls(seconds, amperes, volts, open_circuit)

    def voltage_step(self) -> Estimate:
        """dV = measured voltage - open-circuit voltage before the step, V.

        `FigureError` where the step cannot be told from the noise.
        """
        noise = (scatter(self.voltage) or 0.0) / float(np.sqrt(len(self.voltage)))
        height = float(np.mean(self.voltage)) - self.open_circuit.value
        uncertainty = float(np.hypot(noise, self.open_circuit.uncertainty))
        if not abs(height) > 3 * uncertainty:
            raise FigureError(
                f"the voltage step is {1e3 * height:.3g} mV, its uncertainty {1e3 * uncertainty:.2g} mV: "
                "no step to speak of"
            )
        return Estimate(height, uncertainty)

    def warnings(self) -> tuple[str, ...]:
        """Say so if the voltage was not held."""
        height = float(np.mean(self.voltage)) - self.open_circuit.value
        worst = float(np.max(np.abs(self.voltage - np.mean(self.voltage))))
        if worst <= HELD_WITHIN * abs(height):
            return ()
        return (f"the voltage was up to {1e3 * worst:.2g} mV off its mean: it was not held",)


def resting_voltage(voltage: Array) -> Estimate:
    """The voltage at the end of a rest, V: the mean of its last fifty readings.

    As uncertain as they scatter and as the instrument resolves: a mean of readings that are all alike is
    no better known than one of them.
    """
    late = voltage[-AT_REST:]
    steps = np.diff(np.unique(late))
    resolution = float(steps.min()) / 12**0.5 if len(steps) else 0.0
    noise = (scatter(late) or 0.0) / float(np.sqrt(len(late)))
    return Estimate(float(np.mean(late)), float(np.hypot(noise, resolution)))


@dataclass(frozen=True, slots=True)
class SteadyCurrent:
    """Is in ampere, with how far it still moved over the window it is the mean of.

    `drift` is |slope| · window / |I|, with its uncertainty.
    """

    current: Estimate
    drift: Estimate
    readings: int
    window: float

    def warnings(self) -> tuple[str, ...]:
        """Say so where steadiness is assumed rather than shown."""
        if self.drift.value + self.drift.uncertainty <= STEADY:
            return ()
        return (
            f"the current moved by {100 * self.drift.value:.2g} ± {100 * self.drift.uncertainty:.2g} % "
            f"over its last {self.window:.3g} s: just steady, if at all",
        )


def steady_current(polarisation: Polarisation) -> SteadyCurrent:
    """Is: mean of the last 10 % of the time (of three readings at least).

    Refused (`FigureError`) if |slope| · window / I exceeds 1 % beyond doubt (two standard
    uncertainties). Its uncertainty joins the noise and what drift there is, as a rectangle.
    """
    time, current = polarisation.time, polarisation.current
    begins = time[-1] - LAST_SHARE * (time[-1] - time[0])
    count = max(FEWEST_STEADY, int(np.count_nonzero(time >= begins)))
    late, amperes = time[-count:], current[-count:]
    mean, window = float(np.mean(amperes)), float(late[-1] - late[0])
    noise = _current_noise(polarisation, count)
    if not abs(mean) > 3 * noise / np.sqrt(count):
        raise FigureError(f"the last current is {mean:.3g} A, no more than its noise of {noise:.2g} A")
    rise, error = _rise(late, amperes, noise)
    drift = Estimate(abs(rise / mean), error / abs(mean))
    if drift.value - 2 * drift.uncertainty > STEADY:
        raise FigureError(
            f"the current still moved by {100 * drift.value:.2g} % over its last {window:.3g} s; "
            f"steady is {100 * STEADY:.0f} % at most: let it polarise longer"
        )
    moved = max(0.0, rise**2 - error**2) / 12  # of a rectangle as wide as the drift
    return SteadyCurrent(Estimate(mean, float(np.sqrt(noise**2 / count + moved))), drift, count, window)


def _rise(time: Array, values: Array, noise: float) -> tuple[float, float]:
    """Return how much a straight line rises over the window, and the uncertainty of that."""
    centred = time - np.mean(time)
    window = float(time[-1] - time[0])
    slope = float(centred @ values / (centred @ centred))
    return slope * window, noise * window / float(np.sqrt(centred @ centred))


def first_current(polarisation: Polarisation) -> Estimate:
    """I0 as the first reading, A: it reads low by whatever decayed before that reading."""
    return Estimate(float(polarisation.current[0]), _current_noise(polarisation))


def _current_noise(polarisation: Polarisation, count: int = 0) -> float:
    """The noise of one reading of the current, by its late readings: ten alone would be 25 % off."""
    return scatter(polarisation.current[-max(count, NOISE_FROM) :], order=3) or 0.0


def extrapolated_current(polarisation: Polarisation, steady: SteadyCurrent) -> Estimate:
    """I0 back-extrapolated to the start of the step, A.

    A resistance in series with diffusion whose far end is not felt yet answers a voltage step with
    I0 · erfcx(a √t) (Laplace transform of dV / (s R + b √s)). Fitted to the readings that have
    come less than half-way down; `FigureError` if fewer than six have.
    """
    from scipy.optimize import curve_fit  # late: costs half a second
    from scipy.special import erfcx

    half = (float(polarisation.current[0]) + steady.current.value) / 2
    below = np.flatnonzero(np.abs(polarisation.current) < abs(half))
    count = int(below[0]) if len(below) else 0
    if count < 6:
        raise FigureError(
            f"{count} readings before the current had come half-way down; six are needed to "
            "extrapolate back: record faster at the start"
        )
    time, amperes = polarisation.time[:count], polarisation.current[:count]

    def course(root: Array, initial: float, pace: float) -> Array:
        return np.asarray(initial * erfcx(pace * root), dtype=float)

    root = np.sqrt(np.maximum(time, 0.0))
    try:
        values, covariance = curve_fit(course, root, amperes, p0=(amperes[0], 0.3 / root[-1]))
    except RuntimeError as error:
        raise FigureError(f"the first {count} readings do not fall as by diffusion: {error}") from error
    return Estimate(float(values[0]), float(np.sqrt(covariance[0, 0])))
