"""Keithley 2450, 2460 and 2461: what each model can do (reference manual 2461-901-01 Rev A; 2450 alike)."""

from dataclasses import dataclass

from drivers.rated import Rated
from protocols.limits import Range

OVERVOLTAGE_STEPS = (2, 5, 10, 20, 40, 60, 80)
"""Volts of `:SOUR:VOLT:PROT PROTn`."""

CLAMP_MARGIN = 0.02
"""Volts by which a clamp is set above a window; the overvoltage protection stays clear of both."""

OVERRANGE = 1.05
"""A range can be set to 105 % of its name."""


@dataclass(frozen=True, slots=True)
class Model(Rated):
    """The ranges are those of the source, in volts and amperes, ascending.

    `volts` by `amperes` is a rectangle inside the power envelope: what a cell may ask for all at once.
    """

    current_ranges: tuple[float, ...]
    voltage_ranges: tuple[float, ...]
    smallest_voltage_clamp: float
    smallest_current_clamp: float

    def current_range(self, amperes: float) -> float:
        """Return the smallest source range that holds `amperes`."""
        return _smallest(self.current_ranges, amperes)

    def voltage_range(self, volts: float) -> float:
        """Return the smallest source range that holds `volts`."""
        return _smallest(self.voltage_ranges, volts)

    @property
    def widest_voltage_clamp(self) -> float:
        """The widest clamp of a window inside the rating."""
        return self.volts + CLAMP_MARGIN


def overvoltage_step(window: Range, rating: float) -> int:
    """Return the lowest step of the overvoltage protection above a window and its clamp, in volts.

    A side the window leaves open counts as the rating's.
    """
    edges = (window.low, window.high)
    widest = max(rating if edge is None else abs(edge.value) for edge in edges)
    return next(step for step in OVERVOLTAGE_STEPS if step >= widest + CLAMP_MARGIN)


def _smallest(ranges: tuple[float, ...], value: float) -> float:
    return next((full for full in ranges if abs(value) <= full * OVERRANGE), ranges[-1])


_BIG_CURRENTS = (1e-6, 1e-5, 1e-4, 1e-3, 1e-2, 1e-1, 1.0, 4.0, 5.0, 7.0)
_BIG_VOLTAGES = (0.2, 2.0, 7.0, 10.0, 20.0, 100.0)

MODELS = {
    "2450": Model(
        name="2450",
        volts=20.0,
        amperes=1.05,
        current_ranges=(1e-8, 1e-7, 1e-6, 1e-5, 1e-4, 1e-3, 1e-2, 1e-1, 1.0),
        voltage_ranges=(0.02, 0.2, 2.0, 20.0, 200.0),
        smallest_voltage_clamp=0.02,
        smallest_current_clamp=1e-9,
    ),
    "2460": Model("2460", 10.0, 7.35, _BIG_CURRENTS, _BIG_VOLTAGES, 0.2, 1e-6),
    "2461": Model("2461", 10.0, 7.35, _BIG_CURRENTS, _BIG_VOLTAGES, 0.2, 1e-6),
}
