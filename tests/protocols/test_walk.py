"""The way through a plan: order, rounds, cycles, bound ends, retention, and being taken up again."""

import json

from hypothesis import given, settings
from hypothesis import strategies as st

from protocols.conditions import Comparison
from protocols.plan import Plan
from protocols.walk import Visit, Walk
from tests.protocols.plans import plan_of, visits

D = "{discharge: 1 C, until: voltage <= 2 V}"
C = "{charge: 1 C, until: voltage >= 4 V}"


def way(plan: Plan) -> list[tuple[str, tuple[int, ...], int]]:
    return [(visit.step.path, visit.rounds, visit.cycle) for visit in visits(Walk(plan), {})]


def test_steps_before_the_first_repeat_belong_to_no_cycle() -> None:
    plan = plan_of(f"[rest: 1 h, {{repeat: 2, steps: [{D}, {C}]}}]")
    assert way(plan) == [
        ("1", (), 0),
        ("2.1", (1,), 1),
        ("2.2", (1,), 1),
        ("2.1", (2,), 2),
        ("2.2", (2,), 2),
    ]


def test_consecutive_repeats_count_on() -> None:
    plan = plan_of(f"[{{repeat: 2, steps: [{D}]}}, {{repeat: 1, steps: [{D}]}}]")
    assert [cycle for _, _, cycle in way(plan)] == [1, 2, 3]


def test_a_discharge_after_a_repeat_is_a_cycle_of_its_own() -> None:
    plan = plan_of(f"[{{repeat: 2, steps: [{D}]}}, {D}, {C}]")
    assert [cycle for _, _, cycle in way(plan)] == [1, 2, 3, 3]


def test_a_rest_or_a_spectrum_between_repeats_does_not_shift_the_cycles() -> None:
    spectrum = "{impedance: 5 mV, from: 1 kHz, to: 1 Hz, points_per_decade: 5}"
    plan = plan_of(f"[{{repeat: 2, steps: [rest: 1 h, {spectrum}, {{repeat: 2, steps: [{D}]}}]}}]")
    assert way(plan) == [
        ("1.1", (1,), 0),
        ("1.2", (1,), 0),
        ("1.3.1", (1, 1), 1),
        ("1.3.1", (1, 2), 2),
        ("1.1", (2,), 2),
        ("1.2", (2,), 2),
        ("1.3.1", (2, 1), 3),
        ("1.3.1", (2, 2), 4),
    ]


def test_a_slow_cycle_after_an_inner_repeat_does_not_join_its_last_cycle() -> None:
    plan = plan_of(f"[{{repeat: 2, steps: [{{repeat: 2, steps: [{D}]}}, {D}]}}]")
    assert [cycle for _, _, cycle in way(plan)] == [1, 2, 3, 4, 5, 6]


def test_an_end_relative_to_a_verb_is_bound_to_its_latest_capacity() -> None:
    plan = plan_of(f"[{{repeat: 2, steps: [{D}, {{charge: 1 C, until: capacity >= 150 % of discharge}}]}}]")
    walk = Walk(plan)
    bound = []
    for coulombs in (10.0, 1.0, 8.0, 1.0):
        visit = walk.advance()
        assert visit is not None
        if visit.step.verb == "charge":
            assert isinstance(visit.step.until, Comparison)
            bound.append((visit.step.until.value, visit.step.until.relative_to))
        walk.ended(coulombs)
    assert bound == [(15.0, None), (12.0, None)]  # 150 % of 10 C, then of 8 C


def rounds_run(plan: Plan, verb: str, fading: list[float]) -> int:
    """Run the plan with steps of `verb` passing what `fading` says; return how many were run."""
    walk, run = Walk(plan), 0
    while (visit := walk.advance()) is not None:
        if visit.step.verb == verb:
            walk.ended(fading[run])
            run += 1
        else:
            walk.ended(99.0)
    return run


def test_a_repeat_ends_once_the_capacity_is_below_its_share_of_the_first() -> None:
    plan = plan_of(f"[{{repeat: 9, until: retention < 80 %, steps: [{D}, {C}]}}]")
    assert rounds_run(plan, "discharge", [10.0, 9.0, 8.0, 7.9, 7.0]) == 4  # 8.0 is not below 80 % of 10


def test_retention_may_refer_to_a_mark() -> None:
    formation = f"{{repeat: 1, mark: formation, steps: [{D}]}}"
    plan = plan_of(f"[{formation}, {{repeat: 9, until: retention < 80 % of formation, steps: [{D}]}}]")
    assert rounds_run(plan, "discharge", [10.0, 9.0, 7.9]) == 3


def test_retention_of_a_repeat_without_discharge_looks_at_its_last_charge() -> None:
    plan = plan_of(
        f"[{{repeat: 9, until: retention < 80 %, steps: [{{strip: 1 C, until: time >= 1 h}}, {C}]}}]"
    )
    assert rounds_run(plan, "charge", [10.0, 9.0, 7.9]) == 3


def test_a_discharge_at_constant_power_counts_for_retention() -> None:
    plan = plan_of(
        f"[{{repeat: 9, until: retention < 80 %, steps: [{{discharge: 1 mW, until: voltage <= 2 V}}, {C}]}}]"
    )
    assert rounds_run(plan, "discharge", [10.0, 7.9]) == 2


def test_ten_thousand_cycles_are_walked_and_counted() -> None:
    plan = plan_of(f"[{{repeat: 10000, steps: [{D}, {C}]}}]")
    *_, last = visits(Walk(plan), {})
    assert (last.cycle, last.rounds, last.step.verb) == (10000, (10000,), "charge")


PLAN = plan_of(
    f"""[rest: 1 h,
    {{repeat: 2, mark: m, steps: [
      {D},
      {{repeat: 2, steps: [{D}, {{charge: 1 C, until: capacity >= 150 % of discharge}}]}},
      {C}]}},
    {D},
    {{repeat: 5, until: retention < 50 % of m, steps: [{{repeat: 2, steps: [{C}]}}, {D}]}},
    rest: 1 h]"""
)


def remaining(walk: Walk, capacities: list[float]) -> list[Visit]:
    found = []
    for coulombs in capacities:
        visit = walk.advance()
        if visit is None:
            break
        found.append(visit)
        walk.ended(coulombs)
    return found


@settings(max_examples=100, deadline=None)
@given(st.integers(0, 60), st.booleans(), st.lists(st.floats(0.1, 10.0), min_size=120, max_size=120))
def test_a_walk_taken_up_again_goes_the_same_way(done: int, inside: bool, capacities: list[float]) -> None:
    """Interrupted after `done` steps, between two of them or inside the next one."""
    walk = Walk(PLAN)
    done = len(remaining(walk, capacities[:done]))
    begun = walk.advance() if inside else None
    stored = json.loads(json.dumps(walk.state()))
    again, visit = Walk.restored(PLAN, stored)
    assert visit == begun
    if begun is not None:
        walk.ended(capacities[done])
        again.ended(capacities[done])
    assert remaining(again, capacities[done + 1 :]) == remaining(walk, capacities[done + 1 :])
    assert again.state() == walk.state()


def test_a_finished_walk_taken_up_again_is_finished() -> None:
    walk = Walk(plan_of("[rest: 1 h]"))
    remaining(walk, [1.0, 1.0])
    again, visit = Walk.restored(plan_of("[rest: 1 h]"), walk.state())
    assert visit is None
    assert again.advance() is None
