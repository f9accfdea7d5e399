"""Why a Bio-Logic cannot hold a step; what it cannot hold is refused, never approximated."""

from drivers.biologic_exits import exits_of
from drivers.biologic_models import Model
from drivers.ends import Done
from protocols.limits import Limits
from protocols.plan import PlannedStep
from protocols.techniques import (
    ChamberTemperature,
    ConstantCurrent,
    ConstantPower,
    ConstantResistance,
    ConstantVoltage,
    Impedance,
    Rest,
    Sweep,
    Technique,
)

HIGHEST_FREQUENCIES = {True: 2e5, False: 7e6}
"""Hertz, of the VMP3 family and of the VMP-300 family (the maker's brochures)."""

MOST_FREQUENCIES = 500
SMALLEST_VOLTAGE, LARGEST_VOLTAGE = 5e-4, 1.0
"""Volts of a sine's amplitude."""


def refusal(step: PlannedStep, model: Model) -> str | None:
    """Return why `model` cannot run the step by itself, or None."""
    return _of_technique(step.technique, model) or _of_end(step, model)


def _of_technique(technique: Technique, model: Model) -> str | None:
    match technique:
        case ConstantPower():
            return f"{model.name} is not made to hold a power here: the labels of CPOWER are not known"
        case ConstantResistance():
            return f"{model.name} is not made to hold a resistance here: the labels of CLOAD are not known"
        case ChamberTemperature():
            return f"{model.name} sets no chamber temperature"
        case ConstantCurrent(amperes):
            return model.refuses_current(amperes)
        case ConstantVoltage(level):
            return model.refuses_level(level)
        case Sweep() as sweep:
            return _of_sweep(sweep, model)
        case Impedance() as impedance:
            return _of_impedance(impedance, model)
        case Rest():
            return None


def _of_sweep(sweep: Sweep, model: Model) -> str | None:
    if len(sweep.vertices) > 2:
        return f"{model.name} turns at two voltages, not at {len(sweep.vertices)}"
    return model.refuses_sweep(sweep)


def _of_impedance(impedance: Impedance, model: Model) -> str | None:
    highest = HIGHEST_FREQUENCIES[model.auxiliary]
    if impedance.highest > highest:
        return f"{impedance.highest:g} Hz is beyond the {highest:g} Hz of the {model.name}"
    if len(impedance.frequencies()) > MOST_FREQUENCIES:
        return f"{len(impedance.frequencies())} frequencies are more than {MOST_FREQUENCIES}"
    if impedance.galvanostatic:
        return model.refuses_current(abs(impedance.bias.volts) + impedance.amplitude)
    if not SMALLEST_VOLTAGE <= impedance.amplitude <= LARGEST_VOLTAGE:
        seen = f"an amplitude of {impedance.amplitude:g} V"
        return f"{seen} is outside the {SMALLEST_VOLTAGE:g} V to {LARGEST_VOLTAGE:g} V of the {model.name}"
    return model.refuses_level(impedance.bias)


def _of_end(step: PlannedStep, model: Model) -> str | None:
    if isinstance(step.technique, Sweep | Impedance):
        return None if step.until is None else f"{model.name} ends a {step.verb} by nothing but its own end"
    if step.until is None:
        return f"nothing but a ceiling would end {step.verb!r}; add until: time >= …"
    exits = exits_of(step, Limits(), Done())
    if exits.host and exits.seconds.limit and not _waits_for_a_share(step):
        return (
            f"{model.name} cannot judge {' or '.join(map(repr, exits.host))} by itself, "
            "and no time ends the step without it; add or time >= …"
        )
    return None


def _waits_for_a_share(step: PlannedStep) -> bool:
    """Whether an end is a share of an earlier capacity, which will be a number when the step begins."""
    return step.until is not None and any(each.relative_to is not None for each in step.until.comparisons())
