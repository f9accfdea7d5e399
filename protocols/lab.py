"""SI numbers as a lab writes them: -1.131 mA, 3 mAh, 6 h, 100 kHz."""

import math

from protocols.conditions import AllOf, AnyOf, Comparison, Condition
from protocols.recording import Recording
from protocols.techniques import (
    ChamberTemperature,
    ConstantCurrent,
    ConstantPower,
    ConstantResistance,
    ConstantVoltage,
    Impedance,
    Level,
    Rest,
    Sweep,
    Technique,
)

_PREFIXES = {-12: "p", -9: "n", -6: "u", -3: "m", 0: "", 3: "k", 6: "M"}
_CLOCK = ((86400.0, "d", 172800.0), (3600.0, "h", 3600.0), (60.0, "min", 60.0), (1.0, "s", 1.0))


def with_prefix(value: float, unit: str) -> str:
    """Return the number with the prefix that leaves 1 to 999 before the point, six digits at most."""
    if value == 0.0 or not math.isfinite(value):
        return f"{value:g} {unit}"
    rounded = float(f"{value:.6g}")  # 0.9999999 mA is 1 mA
    power = 3 * math.floor(math.log10(abs(rounded)) / 3 + 1e-12)
    power = min(max(power, -12), 6)
    return f"{rounded / 10.0**power:.6g} {_PREFIXES[power]}{unit}"


def duration(seconds: float) -> str:
    """Return a time in the unit a person would choose: 30 s, 10 min, 6 h, 12 d."""
    for length, unit, least in _CLOCK:
        if seconds >= least:
            return f"{seconds / length:.6g} {unit}"
    return with_prefix(seconds, "s")


def lasting(seconds: float) -> str:
    """Return a time that passed as people say it: 3.2 s, 12 min, 4 h 30 min, 12 d 4 h."""
    if seconds < 90:
        return f"{seconds:.3g} s"
    minutes = round(seconds / 60)
    if minutes < 90:
        return f"{minutes} min"
    hours, minutes = divmod(minutes, 60)
    if hours < 48:
        return f"{hours} h {minutes} min" if minutes else f"{hours} h"
    days, hours = divmod(hours, 24)
    return f"{days} d {hours} h" if hours else f"{days} d"


def capacity(coulombs: float) -> str:
    """Return a charge in ampere hours."""
    return with_prefix(coulombs / 3600.0, "Ah")


def level(value: Level) -> str:
    """Return a voltage, or what it counts from."""
    if not value.versus_open_circuit:
        return with_prefix(value.volts, "V")
    if value.volts == 0.0:
        return "open circuit"
    return f"{with_prefix(value.volts, 'V')} versus open circuit"


def setting(technique: Technique) -> str:
    """Return the set value of a technique as a person would write it."""
    match technique:
        case Rest():
            return "no current"
        case ConstantCurrent(amperes):
            return with_prefix(amperes, "A")
        case ConstantVoltage(held):
            return level(held)
        case ConstantPower(watts):
            return with_prefix(watts, "W")
        case ConstantResistance(ohms):
            return with_prefix(ohms, "ohm")
        case Sweep(start, vertices, rate, cycles):
            path = " → ".join(level(point) for point in (start, *vertices))
            rounds = f", {cycles} cycles" if cycles > 1 else ""
            return f"{path} at {with_prefix(rate, 'V')}/s{rounds}"
        case Impedance():
            return _spectrum(technique)
        case ChamberTemperature(celsius):
            return f"{celsius:.6g} degC"


def record(rule: Recording) -> str:
    """Return a record rule in the words of the protocol file."""
    parts = []
    if rule.every is not None:
        parts.append(f"every {duration(rule.every)}")
    if rule.voltage_step is not None:
        parts.append(with_prefix(rule.voltage_step, "V"))
    if rule.current_step is not None:
        parts.append(f"{100 * rule.current_step:.6g} %")
    if rule.per_decade is not None:
        start = "" if rule.from_time is None else f" from {duration(rule.from_time)}"
        parts.append(f"log {rule.per_decade:g} per decade{start}")
    return " or ".join(parts)


def condition(until: Condition | None) -> str:
    """Return the ends as they were written, with their `or` and `and`."""
    match until:
        case None:
            return "its own end"
        case Comparison():
            return until.text
        case AnyOf(parts):
            return " or ".join(map(condition, parts))
        case AllOf(parts):
            return " and ".join(map(condition, parts))


def _spectrum(technique: Impedance) -> str:
    amplitude = with_prefix(technique.amplitude, "A" if technique.galvanostatic else "V")
    bias = with_prefix(technique.bias.volts, "A") if technique.galvanostatic else level(technique.bias)
    span = f"{with_prefix(technique.highest, 'Hz')} to {with_prefix(technique.lowest, 'Hz')}"
    return f"{amplitude} peak at {bias}, {span}, {technique.points_per_decade} per decade"
