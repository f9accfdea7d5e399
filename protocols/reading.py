"""One look at a cell."""

from enum import IntFlag
from typing import NamedTuple


class Flags(IntFlag):
    """What the instrument itself said of a reading; kept with it, never smoothed over."""

    OVERLOAD = 1
    UNDERLOAD = 2
    TIMING = 4  # the instrument missed its own interval
    CLAMPED = 8  # the instrument's own clamp held the output, not the set value


class Reading(NamedTuple):
    """What an instrument measured at one instant, in SI units.

    Current is positive when it charges the cell, whatever the instrument's own sign.
    `time` is in seconds by the instrument's own clock; its zero is arbitrary but stays
    put while the channel is open. `temperature` is in degrees Celsius.
    """

    time: float
    voltage: float
    current: float
    temperature: float | None = None
    flags: int = 0


class ImpedancePoint(NamedTuple):
    """One frequency of a spectrum: hertz and ohm, imaginary part negative when capacitive."""

    time: float
    frequency: float
    real: float
    imaginary: float
    flags: int = 0
