"""The analogue front end of a simulated instrument: what the true value looks like when measured."""

from bisect import bisect_left
from cmath import rect
from collections.abc import Sequence
from math import radians
from random import Random
from typing import NamedTuple

DECADES = (1e-6, 1e-5, 1e-4, 1e-3, 1e-2, 1e-1, 1.0)
"""Current ranges of a typical potentiostat, full scale in amperes."""

_OVER = 1.0  # of full scale: the next range up is needed
_UNDER = 0.08  # of full scale: the next range down would do, with some hysteresis to a factor of ten
_HEADROOM = 1.02  # of full scale is still converted, then it clips


class Measured(NamedTuple):
    """One conversion. `overload` says it was clipped, `underload` that a lower range would serve."""

    value: float
    overload: bool
    underload: bool


class FrontEnd:
    """Gain and offset errors, noise, clipping and rounding, in that order; the same for the same seed.

    The errors are drawn once per quantity and range, normal with typical standard deviations
    (assumed, not of any one instrument): gain 50 ppm, voltage offset 50 uV, current offset 1e-5 of
    range; noise 30 uV and 2e-5 of range for each conversion. A converter of `bits` spans plus and
    minus full scale. Impedance carries 0.15 % of modulus and 0.1 degree of phase noise.
    `exact=True` switches errors and noise off and leaves clipping and rounding.
    """

    def __init__(
        self,
        seed: int,
        voltage_range: float = 5.0,
        current_ranges: Sequence[float] = DECADES,
        bits: int = 18,
        exact: bool = False,
        voltage_noise: float = 30e-6,
        current_noise: float = 2e-5,
    ) -> None:
        scale = 0.0 if exact else 1.0
        self.current_ranges = tuple(sorted(current_ranges))
        self.voltage_range = voltage_range
        self._random = Random(seed)
        self._steps = 2.0 ** (bits - 1)
        self._voltage_noise = scale * voltage_noise
        self._current_noise = scale * current_noise
        self._impedance_noise = scale * 1.5e-3, scale * radians(0.1)
        draw = Random(f"front end/{seed}").gauss
        self._voltage_error = 1.0 + scale * draw(0.0, 50e-6), scale * draw(0.0, 50e-6)
        self._current_errors = [
            (1.0 + scale * draw(0.0, 50e-6), scale * draw(0.0, 1e-5) * full) for full in self.current_ranges
        ]

    def voltage(self, true: float) -> float:
        """Return the measured voltage in volts, clipped to the range."""
        return self.measured_voltage(true).value

    def measured_voltage(self, true: float) -> Measured:
        """Return the measured voltage in volts, and whether it was clipped."""
        return self._converted(true, self.voltage_range, self._voltage_error, self._voltage_noise)

    def current(self, true: float, full_scale: float) -> Measured:
        """Return the measured current in amperes on the smallest range that holds `full_scale`."""
        index = self._index(full_scale)
        full = self.current_ranges[index]
        return self._converted(true, full, self._current_errors[index], self._current_noise * full)

    def range_for(self, amperes: float) -> float:
        """Return the smallest range (full scale, ampere) that holds a current; the largest if none does."""
        return self.current_ranges[self._index(abs(amperes))]

    def impedance(self, true: complex) -> complex:
        """Return Z in ohm with the noise of modulus and phase."""
        modulus, phase = self._impedance_noise
        gauss = self._random.gauss
        return true * rect(1.0 + modulus * gauss(0.0, 1.0), phase * gauss(0.0, 1.0))

    def _index(self, amperes: float) -> int:
        # A rated range is itself: 9.999999e-4 and 1.0000001e-3 both mean the 1 mA range.
        index = bisect_left(self.current_ranges, abs(amperes) * (1.0 - 1e-6))
        return min(index, len(self.current_ranges) - 1)

    def _converted(self, true: float, full: float, error: tuple[float, float], noise: float) -> Measured:
        gain, offset = error
        seen = gain * true + offset + (noise * self._random.gauss(0.0, 1.0) if noise else 0.0)
        limit = _HEADROOM * full
        overload = not -limit <= seen <= limit  # written so that NaN is an overload
        if overload:
            seen = -limit if seen < 0.0 else limit
        step = full / self._steps
        value = round(seen / step) * step
        return Measured(value, overload, abs(value) < _UNDER * full)
