"""Plans written out by hand, for tests of what runs them."""

from protocols.conditions import Comparison, Condition, Quantity, Relation
from protocols.limits import Limits
from protocols.plan import Ceiling, Plan, PlannedRepeat, PlannedStep
from protocols.recording import Recording
from protocols.techniques import Technique

EVERY_TEN_SECONDS = Recording(every=10.0)
ENDLESS = Ceiling(seconds=1e6, coulombs=1e6)


def end(quantity: Quantity, relation: str, value: float) -> Comparison:
    return Comparison(quantity, Relation(relation), value, f"{quantity} {relation} {value:g}")


def step(
    verb: str,
    technique: Technique,
    until: Condition | None,
    record: Recording = EVERY_TEN_SECONDS,
    ceiling: Ceiling = ENDLESS,
) -> PlannedStep:
    return PlannedStep("1", 1, verb, technique, "", until, record, ceiling)


def plan(limits: Limits, *steps: PlannedStep | PlannedRepeat) -> Plan:
    return Plan("by hand", steps, limits, figures=(), canonical="{}", digest="0" * 64)
