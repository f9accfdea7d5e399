"""PyBaMM's experiment strings as steps: "Discharge at C/5 until 1.7 V", "Hold at 4.2 V until C/20"."""

import re
from typing import NamedTuple

from protocols.conditions import Quantity, Relation
from protocols.ends import WrittenAnyOf, WrittenComparison, WrittenCondition
from protocols.nodes import MappingNode, Scalar
from protocols.operands import Operand
from protocols.quantities import CURRENT, TIME, VOLTAGE
from protocols.verbs import CurrentVerb, HoldVerb, RestVerb, WrittenTechnique

_HEAD = re.compile(r"(charge|discharge|hold)\s+at\s+(?=\S)|rest\s+for\s+(?=\S)", re.IGNORECASE)
_TAIL = re.compile(r"\s+(?:(for)|or\s+until|(until))\s+", re.IGNORECASE)
_FORMS = (
    '"Discharge at C/5 until 1.7 V", "Charge at 10 mA for 30 minutes or until 4.2 V", '
    '"Hold at 4.2 V until C/20" or "Rest for 10 minutes"'
)


class StringStep(NamedTuple):
    """What a string says."""

    verb: str
    technique: WrittenTechnique
    until: WrittenCondition | None


def read_string(scalar: Scalar) -> StringStep:
    """Read a step written as a sentence; `ProtocolError` showing the known forms for any other."""
    head = _HEAD.match(scalar.text)
    if head is None:
        raise scalar.refused(f"a step: a mapping such as `rest: 10 min`, or {_FORMS}")
    value, ends = _clauses(scalar, head.end())
    verb = (head[1] or "rest").casefold()
    nothing = MappingNode((), scalar.place)
    match verb:
        case "rest":
            if ends:
                raise scalar.refused('"Rest for 10 minutes"')
            return StringStep(verb, RestVerb.read(value, nothing), None)
        case "hold":
            return StringStep(
                verb, HoldVerb.read(value, nothing), _until(ends, Quantity.CURRENT, Relation.AT_MOST)
            )
        case "charge":
            until = _until(ends, Quantity.VOLTAGE, Relation.AT_LEAST)
            return StringStep(verb, CurrentVerb.read_charging(value, nothing), until)
    until = _until(ends, Quantity.VOLTAGE, Relation.AT_MOST)
    return StringStep(verb, CurrentVerb.read_discharging(value, nothing), until)


def _clauses(scalar: Scalar, start: int) -> tuple[Scalar, list[tuple[bool, Scalar]]]:
    """Cut "4.2 V for 1 hour or until C/20" into the value and (is a time, text) of each end."""
    joints = list(_TAIL.finditer(scalar.text, start))
    stops = [joint.start() for joint in joints] + [None]
    value = scalar.part(start, stops[0])
    ends = [
        (joint[1] is not None, scalar.part(joint.end(), stop))
        for joint, stop in zip(joints, stops[1:], strict=True)
    ]
    return value, ends


def _until(
    ends: list[tuple[bool, Scalar]], quantity: Quantity, relation: Relation
) -> WrittenCondition | None:
    kind = VOLTAGE if quantity is Quantity.VOLTAGE else CURRENT
    parts = tuple(
        WrittenComparison(text, Quantity.TIME, Relation.AT_LEAST, Operand.read(text, TIME))
        if is_time
        else WrittenComparison(text, quantity, relation, Operand.read(text, kind))
        for is_time, text in ends
    )
    if not parts:
        return None
    return parts[0] if len(parts) == 1 else WrittenAnyOf(parts)
