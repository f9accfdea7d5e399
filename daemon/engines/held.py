"""What the core knows of a step that an instrument holds by itself."""

import math

from protocols.plan import PlannedStep
from protocols.setpoint import AtRest, Current, Setpoint, Voltage
from protocols.techniques import ConstantCurrent, ConstantVoltage, Level, Rest, Technique


def expected_interval(step: PlannedStep) -> float | None:
    """Seconds between records at most; None where they come when they come, as in a spectrum or a sweep."""
    steady = isinstance(step.technique, Rest | ConstantCurrent | ConstantVoltage)
    return step.record.every if steady else None


def known_setpoint(technique: Technique) -> Setpoint | None:
    """What the instrument was told to hold, as far as the core knows it; clamps are the instrument's own."""
    match technique:
        case Rest():
            return AtRest(math.inf)
        case ConstantCurrent(amperes):
            return Current(amperes, math.inf)
        case ConstantVoltage(Level(volts, False)):
            return Voltage(volts, math.inf)
    return None
