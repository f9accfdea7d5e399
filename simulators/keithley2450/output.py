"""What the output terminals do to the cell, on and off."""

from simulators.keithley2450.models import OVERRANGE
from simulators.keithley2450.settings import Settings
from simulators.regimes import DISCONNECTED, Regimes, current_source, voltage_source

OFF_LIMIT = 0.1
"""Of full scale of the present range: the limit while off, NORMal and GUARd (manual, :OUTPut:SMODe)."""


def regimes_on(settings: Settings) -> Regimes:
    """What the output does while on; overvoltage protection clamps whatever is sourced."""
    source = settings.source
    if settings.source_function.value == "CURR":
        clamp = min(source.limit.value, settings.protection_volts)
        return current_source(source.level.value, clamp, settings.current_range * OVERRANGE)
    protection = settings.protection_volts
    level = min(max(source.level.value, -protection), protection)
    return voltage_source(level, source.limit.value)


def regimes_off(settings: Settings) -> Regimes:
    """What the output does while off: only HIMPedance leaves the cell alone."""
    match settings.source.off_mode.value:
        case "HIMP":
            return DISCONNECTED
        case "GUAR":
            ceiling = settings.current_range * OVERRANGE
            return current_source(0.0, OFF_LIMIT * settings.voltage_range, ceiling)
        case "ZERO":
            return voltage_source(0.0, settings.current_range)
        case _:
            return voltage_source(0.0, OFF_LIMIT * settings.current_range)
