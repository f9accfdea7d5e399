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
    Level,
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
            return _beyond(abs(amperes), model.amperes, "A", model)
        case ConstantVoltage(level):
            return _level(level, model)
        case Sweep() as sweep:
            return _of_sweep(sweep, model)
        case Impedance() as impedance:
            return _of_impedance(impedance, model)
        case Rest():
            return None


def _of_sweep(sweep: Sweep, model: Model) -> str | None:
    if sweep.cycles > 1 and len(sweep.vertices) < 2:
        return "a sweep of several cycles needs two turning points"
    reasons = (_level(level, model) for level in (sweep.start, *sweep.vertices))
    return next((reason for reason in reasons if reason), None)


def _of_impedance(impedance: Impedance, model: Model) -> str | None:
    if impedance.highest > HIGHEST_FREQUENCY:
        return f"{impedance.highest:g} Hz is beyond the {HIGHEST_FREQUENCY:g} Hz of an {model.name}"
    if impedance.galvanostatic and not model.galvanostat:
        return f"{model.name} is no galvanostat: its spectra are potentiostatic"
    if impedance.galvanostatic:
        return _beyond(abs(impedance.bias.volts) + impedance.amplitude, model.amperes, "A", model)
    return _level(impedance.bias, model)


def _level(level: Level, model: Model) -> str | None:
    """A level versus open circuit is judged by the script, once the open circuit is known."""
    return None if level.versus_open_circuit else _beyond(abs(level.volts), model.volts, "V", model)


def _beyond(magnitude: float, rating: float, unit: str, model: Model) -> str | None:
    if magnitude <= rating:
        return None
    return f"{magnitude:g} {unit} is beyond the ±{rating:g} {unit} of an {model.name}"


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
