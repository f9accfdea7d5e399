"""Ends as a script judges them mean what `first_met` means."""

import operator
from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.emstat4_conditions import Alternative, alternatives
from drivers.ends import Done, ends_by_time
from drivers.errors import RefusedError
from protocols.conditions import AllOf, AnyOf, Comparison, Condition, Progress, Quantity, Relation

FACTORS = {"": 1.0, "G": 1e9, "M": 1e6, "k": 1e3, "m": 1e-3, "u": 1e-6, "n": 1e-9}
RELATIONS = {">=": operator.ge, "<=": operator.le, ">": operator.gt, "<": operator.lt}


def when(quantity: Quantity, relation: Relation, value: float) -> Comparison:
    return Comparison(quantity, relation, value, f"{quantity} {relation} {value}")


def holds(test: str, variables: Mapping[str, float]) -> bool:
    """Judge "e >= 4200m" as the instrument would."""
    name, relation, text = test.split()
    digits = text.rstrip("GMkmun")
    return bool(RELATIONS[relation](variables[name], float(digits) * FACTORS[text[len(digits) :]]))


def first(found: list[Alternative], variables: Mapping[str, float]) -> int | None:
    return next((each.index for each in found if all(holds(test, variables) for test in each.tests)), None)


def test_a_magnitude_is_met_on_either_side_of_nought() -> None:
    found = alternatives(when(Quantity.CAPACITY, Relation.AT_LEAST, 3.6), Done())
    assert found == [Alternative(0, ("q >= 3600m",)), Alternative(0, ("q <= -3600m",))]
    found = alternatives(when(Quantity.CURRENT, Relation.AT_MOST, 1e-4), Done())
    assert found == [Alternative(0, ("i <= 100u", "i >= -100u"))]


def test_what_is_done_already_is_left_out() -> None:
    """3600 s less 600 s; 3.6 C less 0.6 C; a voltage is never done."""
    done = Done(seconds=600.0, coulombs=0.6)
    ends = AnyOf(
        (
            when(Quantity.TIME, Relation.AT_LEAST, 3600.0),
            when(Quantity.CAPACITY, Relation.AT_LEAST, 3.6),
            when(Quantity.VOLTAGE, Relation.AT_LEAST, 4.2),
        )
    )
    tests = [each.tests[0] for each in alternatives(ends, done)]
    assert tests == ["t >= 3k", "q >= 3", "q <= -3", "e >= 4200m"]


def test_what_the_host_judges_is_left_to_it() -> None:
    ends = AnyOf(
        (
            when(Quantity.CURRENT_DRIFT, Relation.AT_MOST, 0.01),
            AllOf(
                (
                    when(Quantity.TIME, Relation.AT_LEAST, 60.0),
                    when(Quantity.TEMPERATURE, Relation.AT_LEAST, 45.0),
                )
            ),
            when(Quantity.TIME, Relation.AT_LEAST, 3600.0),
        )
    )
    assert alternatives(ends, Done()) == [Alternative(3, ("t >= 3600",))]
    assert ends_by_time(ends)


def test_a_time_that_needs_company_is_no_time_end() -> None:
    both = AllOf(
        (when(Quantity.TIME, Relation.AT_LEAST, 60.0), when(Quantity.VOLTAGE, Relation.AT_LEAST, 4.2))
    )
    assert not ends_by_time(both)


def test_a_capacity_of_another_step_must_be_known_by_then() -> None:
    end = Comparison(
        Quantity.CAPACITY, Relation.AT_LEAST, 1.5, "capacity >= 150 % of discharge", None, "discharge"
    )
    with pytest.raises(RefusedError, match="150 % of discharge"):
        alternatives(end, Done())
    assert alternatives(end.bound({"discharge": 2.0}), Done())[0].tests == ("q >= 3",)


comparisons = st.builds(
    when,
    st.sampled_from([Quantity.TIME, Quantity.VOLTAGE, Quantity.CURRENT, Quantity.CAPACITY, Quantity.ENERGY]),
    st.sampled_from(list(Relation)),
    st.sampled_from([0.25, 1.0, 2.5]),
)

conditions: st.SearchStrategy[Condition] = st.recursive(
    comparisons,
    lambda inner: (
        st.builds(AnyOf, st.lists(inner, min_size=1, max_size=3).map(tuple))
        | st.builds(AllOf, st.lists(inner, min_size=1, max_size=3).map(tuple))
    ),
    max_leaves=5,
)

values = st.sampled_from([0.0, 0.25, 0.5, 1.0, 1.7, 2.5, 3.0])
signs = st.sampled_from([-1.0, 1.0])


magnitudes = st.tuples(values, values, values, values, values)


@given(conditions, magnitudes, st.tuples(signs, signs, signs))
def test_a_script_ends_when_and_why_the_condition_does(
    condition: Condition, seen: tuple[float, ...], sign: tuple[float, ...]
) -> None:
    time, voltage, current, capacity, energy = seen
    met = condition.first_met(Progress(time, voltage, current, capacity, energy))
    variables = {
        "t": time,
        "e": voltage,
        "i": current * sign[0],
        "q": capacity * sign[1],
        "w": energy * sign[2],
    }
    index = first(alternatives(condition, Done()), variables)
    assert (None if index is None else list(condition.comparisons())[index]) == met
