"""Whether a step is sure to end: the ends that come of themselves, whatever the cell does."""

from protocols.conditions import AllOf, AnyOf, Comparison, Condition, Quantity, Relation
from protocols.techniques import (
    ChamberTemperature,
    ConstantVoltage,
    Impedance,
    Rest,
    Sweep,
    Technique,
    direction,
)

_SURE_WITH_CURRENT = (Quantity.CAPACITY, Quantity.ENERGY)


def ends_surely(verb: str, technique: Technique, until: Condition | None) -> bool:
    """Whether the step cannot run for ever. One sure part of an `or` is enough; an `and` needs all."""
    match technique, until:
        case ((Sweep() | Impedance() | ChamberTemperature()), _):
            return True
        case _, None:
            return False
        case _, AnyOf(parts):
            return any(ends_surely(verb, technique, part) for part in parts)
        case _, AllOf(parts):
            return all(ends_surely(verb, technique, part) for part in parts)
        case _, Comparison():
            return _comes(verb, technique, until)
    return False


def what_to_add(verb: str, technique: Technique) -> str:
    """Return what would make the step end, for the message."""
    match technique:
        case Rest():
            return "a duration, e.g. `rest: 1 h`"
        case ConstantVoltage() if verb == "polarise":
            return "a time, e.g. `time >= 6 h or current_drift <= 1 % per 10 min`"
        case ConstantVoltage():
            return "a falling current or a time, e.g. `current <= 0.05 C or time >= 4 h`"
    relation = ">=" if direction(technique) > 0 else "<="
    return f"`voltage {relation} …`, `capacity >= …`, `energy >= …` or `time >= …`"


def _comes(verb: str, technique: Technique, end: Comparison) -> bool:
    if end.quantity is Quantity.TIME:
        return end.relation.rising
    if isinstance(technique, ConstantVoltage):
        falling = end.quantity is Quantity.CURRENT and end.relation in (Relation.AT_MOST, Relation.BELOW)
        return falling and verb != "polarise"  # a bias across a leak may never let it fall
    travel = direction(technique)
    if travel == 0:
        return False
    if end.quantity is Quantity.VOLTAGE:
        return end.relation.rising == (travel > 0)
    return end.quantity in _SURE_WITH_CURRENT and end.relation.rising
