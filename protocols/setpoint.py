"""What a stepped channel can be told to do right now."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class AtRest:
    """Zero current, so that the cell's open-circuit voltage can be read."""

    voltage_clamp: float


@dataclass(frozen=True, slots=True)
class Current:
    """Drive a current, positive when it charges the cell.

    The instrument's own clamp keeps |voltage| within `voltage_clamp`, in volts.
    """

    amperes: float
    voltage_clamp: float


@dataclass(frozen=True, slots=True)
class Voltage:
    """Hold a voltage; the instrument's own clamp keeps |current| within `current_clamp`, in amperes."""

    volts: float
    current_clamp: float


Setpoint = AtRest | Current | Voltage
