"""What is left of a plan, from every place in it."""

import pytest

from protocols.conditions import Comparison
from protocols.plan import Plan, PlannedRepeat
from protocols.walk import Walk
from tests.protocols.plans import plan_of

D = "{discharge: 1 C, until: voltage <= 2 V}"
C = "{charge: 1 C, until: voltage >= 4 V or capacity >= 150 % of discharge}"
BACKWARDS = f"[{D}, {{repeat: 3, steps: [{C}, {D}]}}, rest: 1 h]"

PLANS = [
    f"[rest: 1 h, {{repeat: 3, steps: [{D}, {{repeat: 2, steps: [{D}, {C}]}}, {C}]}}, rest: 2 h]",
    BACKWARDS,
    f"[{D}, {{repeat: 2, steps: [{{repeat: 2, steps: [{C}]}}, {D}]}}]",
]


def walked(plan: Plan) -> list[tuple[str, float | None]]:
    """Walk with steps that pass 10, 11, 12 … C; return paths, and what 150 % of the discharge came to."""
    return list(_from(Walk(plan), 0))


def _from(walk: Walk, run: int) -> list[tuple[str, float | None]]:
    way = []
    while (visit := walk.advance()) is not None:
        ends = visit.step.until.comparisons() if visit.step.until is not None else ()
        bound = [end.value for end in ends if isinstance(end, Comparison) and end.quantity == "capacity"]
        way.append((visit.step.path, bound[0] if bound else None))
        walk.ended(10.0 + run)
        run += 1
    return way


@pytest.mark.parametrize("text", PLANS)
def test_the_remainder_goes_on_as_the_plan_would_have(text: str) -> None:
    plan = plan_of(text)
    whole = walked(plan)
    for interrupted in range(len(whole)):
        walk = Walk(plan)
        walk.advance()
        for run in range(interrupted):
            walk.ended(10.0 + run)
            walk.advance()
        assert _from(Walk(walk.remaining()), interrupted) == whole[interrupted:]


def test_repeats_stay_repeats_so_that_an_instrument_can_hold_what_is_left_of_ten_thousand() -> None:
    plan = plan_of(f"[{{repeat: 10000, steps: [{D}, {C}]}}]")
    walk = Walk(plan)
    for _ in range(5):
        walk.advance()
        walk.ended(1.0)
    walk.advance()
    charge, rest = walk.remaining().steps
    assert (charge.path, isinstance(rest, PlannedRepeat) and rest.times) == ("1.2", 9997)
