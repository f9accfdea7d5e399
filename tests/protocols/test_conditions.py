"""Ends judged on a reading."""

import math

import pytest

from protocols.conditions import AllOf, AnyOf, Comparison, Progress, Quantity, Relation

NOW = Progress(time=60.0, voltage=3.0, current=0.001, capacity=0.06, energy=0.18, temperature=25.0)


def comparison(quantity: Quantity, relation: Relation, value: float) -> Comparison:
    return Comparison(quantity, relation, value, f"{quantity} {relation} {value}")


@pytest.mark.parametrize(
    ("relation", "value", "met"),
    [
        (Relation.AT_LEAST, 3.0, True),
        (Relation.AT_MOST, 3.0, True),
        (Relation.ABOVE, 3.0, False),
        (Relation.BELOW, 3.0, False),
        (Relation.ABOVE, 2.9, True),
        (Relation.BELOW, 3.1, True),
        (Relation.AT_LEAST, 3.1, False),
        (Relation.AT_MOST, 2.9, False),
    ],
)
def test_a_relation_includes_its_edge_or_not(relation: Relation, value: float, met: bool) -> None:
    assert comparison(Quantity.VOLTAGE, relation, value).met(NOW) is met


@pytest.mark.parametrize("relation", list(Relation))
def test_nan_meets_nothing(relation: Relation) -> None:
    assert not comparison(Quantity.VOLTAGE, relation, 3.0).met(NOW._replace(voltage=math.nan))


@pytest.mark.parametrize("quantity", [Quantity.TEMPERATURE, Quantity.VOLTAGE_SLOPE, Quantity.CURRENT_DRIFT])
@pytest.mark.parametrize("relation", list(Relation))
def test_what_is_not_known_yet_meets_nothing(quantity: Quantity, relation: Relation) -> None:
    unknown = NOW._replace(temperature=None)
    assert not comparison(quantity, relation, 0.0).met(unknown)


def test_a_drift_is_looked_up_by_its_window() -> None:
    drift = Comparison(Quantity.CURRENT_DRIFT, Relation.AT_MOST, 0.01, "drift", window=600.0)
    assert drift.met(NOW._replace(current_drift={600.0: 0.009}))
    assert not drift.met(NOW._replace(current_drift={600.0: 0.011}))
    assert not drift.met(NOW._replace(current_drift={60.0: 0.009}))


TRUE = comparison(Quantity.TIME, Relation.AT_LEAST, 60.0)
ALSO_TRUE = comparison(Quantity.CURRENT, Relation.AT_MOST, 0.001)
FALSE = comparison(Quantity.VOLTAGE, Relation.ABOVE, 4.0)


def test_an_or_ends_with_the_first_part_that_is_met() -> None:
    assert AnyOf((FALSE, TRUE, ALSO_TRUE)).first_met(NOW) is TRUE
    assert AnyOf((FALSE, FALSE)).first_met(NOW) is None


def test_an_and_ends_when_all_parts_are_met() -> None:
    assert AllOf((TRUE, ALSO_TRUE)).first_met(NOW) is ALSO_TRUE
    assert AllOf((TRUE, FALSE)).first_met(NOW) is None
    assert AnyOf((AllOf((TRUE, FALSE)), ALSO_TRUE)).first_met(NOW) is ALSO_TRUE


def test_a_share_is_judged_only_once_it_is_bound() -> None:
    share = Comparison(
        Quantity.CAPACITY, Relation.AT_LEAST, 1.5, "150 % of discharge", relative_to="discharge"
    )
    with pytest.raises(ValueError, match="not bound"):
        share.met(NOW)
    tree = AnyOf((FALSE, AllOf((TRUE, share)))).bound({"discharge": 0.04})
    assert [end.value for end in tree.comparisons()] == [4.0, 60.0, pytest.approx(0.06)]
    assert tree.first_met(NOW._replace(capacity=0.0601)) is not None
