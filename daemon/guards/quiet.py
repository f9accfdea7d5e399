"""Bounds inside which no guard can object, so that many channels can be judged at a time.

Each is at least as narrow as the guard it stands for: a reading outside is not wrong, it is
only to be judged by the guards themselves.
"""

import math
from typing import NamedTuple

from daemon.guards.obedience import SMALLEST_CURRENT
from daemon.guards.open_lead import COLLAPSE
from daemon.guards.thresholds import Thresholds
from protocols.setpoint import AtRest, Current, Setpoint, Voltage


class QuietBounds(NamedTuple):
    """Volts and amperes (signed) that a reading may have, and how it may follow the one before.

    `jump` in volts is how far it may have moved; below `lead_current` the current may not have fallen
    from above `collapse`, amperes both. `settle` and `patience` are in seconds.
    """

    low_voltage: float
    high_voltage: float
    low_current: float
    high_current: float
    jump: float
    lead_current: float
    collapse: float
    settle: float
    patience: float


def quiet_bounds(
    thresholds: Thresholds, rest_band: float, patience: float, setpoint: Setpoint
) -> QuietBounds:
    """Return the bounds under a set value that has settled and stays."""
    low_voltage, high_voltage, low_current, high_current = -math.inf, math.inf, -math.inf, math.inf
    lead = -1.0
    match setpoint:
        case Current(amperes):
            band = thresholds.current_band * abs(amperes) + SMALLEST_CURRENT
            low_current, high_current = amperes - band, amperes + band
        case AtRest():
            low_current, high_current = -rest_band - SMALLEST_CURRENT, rest_band + SMALLEST_CURRENT
        case Voltage(volts):
            band = thresholds.voltage_band * (1.0 + abs(volts))
            low_voltage, high_voltage = volts - band, volts + band
            lead = -1.0 if thresholds.lead_current is None else thresholds.lead_current
    return QuietBounds(
        low_voltage,
        high_voltage,
        low_current,
        high_current,
        jump=math.inf if thresholds.jump is None or isinstance(setpoint, Voltage) else thresholds.jump,
        lead_current=lead,
        collapse=COLLAPSE * lead if lead >= 0.0 else math.inf,
        settle=thresholds.settle,
        patience=patience,
    )
