"""Why an EmStat4 cannot hold a step; what it cannot hold is refused, never approximated."""

from drivers.emstat4_conditions import held
from drivers.emstat4_models import HIGHEST_FREQUENCY, Model
from drivers.ends import ends_by_time
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


def refusal(step: PlannedStep, model: Model) -> str | None:
    """Return why `model` cannot run the step by itself, or None."""
    return _of_technique(step.technique, model) or _of_end(step, model)


def _of_technique(technique: Technique, model: Model) -> str | None:
    match technique:
        case ConstantPower():
            return f"{model.name} cannot hold a power"
        case ConstantResistance():
            return f"{model.name} cannot hold a resistance"
        case ChamberTemperature():
            return f"{model.name} sets no chamber temperature"
        case ConstantCurrent() if not model.galvanostat:
            return f"{model.name} is no galvanostat: it sets no current"
        case ConstantCurrent(amperes):
            return model.refuses_current(amperes)
        case ConstantVoltage(level):
            return model.refuses_level(level)
        case Sweep() as sweep:
            return model.refuses_sweep(sweep)
        case Impedance() as impedance:
            return _of_impedance(impedance, model)
        case Rest():
            return None


def _of_impedance(impedance: Impedance, model: Model) -> str | None:
    if impedance.highest > HIGHEST_FREQUENCY:
        return f"{impedance.highest:g} Hz is beyond the {HIGHEST_FREQUENCY:g} Hz of the {model.name}"
    if impedance.galvanostatic and not model.galvanostat:
        return f"{model.name} is no galvanostat: its spectra are potentiostatic"
    if impedance.galvanostatic:
        return model.refuses_current(abs(impedance.bias.volts) + impedance.amplitude)
    return model.refuses_level(impedance.bias)


def _of_end(step: PlannedStep, model: Model) -> str | None:
    if step.until is None:
        if isinstance(step.technique, Sweep | Impedance):
            return None
        return f"nothing but a ceiling would end {step.verb!r}; add until: time >= …"
    strange = [each.text for each in step.until.comparisons() if not held(each)]
    if strange and not ends_by_time(step.until):
        return (
            f"{model.name} cannot judge {' or '.join(map(repr, strange))} by itself, "
            "and no time ends the step without it; add or time >= …"
        )
    return None
