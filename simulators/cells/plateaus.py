"""The two voltage plateaus of sulfur, and what hides beside them."""

from math import exp, log

UPPER = 0.66
"""Level of the charge at hand above which the electrode is on the upper plateau."""

_EDGE = 1e-9
_BEYOND = 1.5  # V: how much further the voltage goes, at most, when over-driven
_BEYOND_LEVEL = 0.05


def plateau_voltage(level: float, branch: float) -> float:
    """Return U in volts vs lithium at `level` (0 to 1); `branch` is 1 on discharge, -1 on charge.

    Upper plateau, step, lower plateau and logarithmic tails, the dip of supersaturation on
    discharge and the hump of Li2S activation on charge; shapes are assumed, not measured (facts,
    3.1.2). Outside 0 to 1 it goes on, steeply, by at most 1.5 V.
    """
    z = min(1.0 - _EDGE, max(_EDGE, level))
    voltage = 2.105 + 0.03 * z + 0.0065 * log(z / (1.0 - z)) - 0.035 * branch
    voltage += 0.20 / (1.0 + exp((UPPER - z) / 0.025))
    if z < 0.4:  # beyond it the exponential is below 1e-17
        voltage -= 0.45 * exp(-z / 0.010)
    if z > 0.7:
        voltage += 0.55 * exp((z - 1.0) / 0.006)
    if branch > 0.0:
        dip = (z - (UPPER - 0.06)) / 0.03
        voltage -= 0.022 * branch * exp(-dip * dip)
    elif branch < 0.0 and z < 0.8:
        voltage -= 0.05 * branch * exp(-z / 0.02)
    return voltage + _beyond(level)


def plateau_slope(level: float, branch: float) -> float:
    """Return dU/d(level) in volts, never below 10 mV: the dip would be a negative capacitance."""
    z = min(1.0 - 2e-4, max(2e-4, level))
    return max(0.01, (plateau_voltage(z + 1e-4, branch) - plateau_voltage(z - 1e-4, branch)) / 2e-4)


def _beyond(level: float) -> float:
    if level < 0.0:
        return -_BEYOND * (1.0 - exp(level / _BEYOND_LEVEL))
    if level > 1.0:
        return _BEYOND * (1.0 - exp((1.0 - level) / _BEYOND_LEVEL))
    return 0.0
