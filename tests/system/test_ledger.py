"""What holds the records to account notices what it is there for."""

import pytest

from tests.system.ledger import Row, assert_gapless, assert_kept, unkept
from tests.system.watched import Said

FIRST, SECOND, THIRD = (Row(1, float(n), 1.4 - n / 1000, n / 1e6) for n in (1, 2, 3))
WHOLE = {"lab-1": {1: FIRST, 2: SECOND, 3: THIRD}}


def said(row: Row) -> Said:
    return Said(row.current, row.voltage, row.time, row.time)


def test_a_reading_that_is_gone_or_changed_is_noticed() -> None:
    assert_kept(WHOLE, WHOLE)
    with pytest.raises(AssertionError, match="1 readings of lab-1 are missing, the first is 2"):
        assert_kept(WHOLE, {"lab-1": {1: FIRST, 3: THIRD}})
    with pytest.raises(AssertionError, match="not what they were"):
        assert_kept(WHOLE, {"lab-1": {1: FIRST, 2: THIRD, 3: THIRD}})


def test_a_gap_and_a_reading_recorded_twice_are_noticed() -> None:
    assert_gapless(WHOLE)
    with pytest.raises(AssertionError, match="have gaps"):
        assert_gapless({"lab-1": {1: FIRST, 3: THIRD}})
    with pytest.raises(AssertionError, match="not before the next"):
        assert_gapless({"lab-1": {1: FIRST, 2: FIRST}})


def test_answers_that_were_not_kept_are_told_and_readings_nobody_gave_are_noticed() -> None:
    assert unkept([FIRST, THIRD], [said(FIRST), said(SECOND), said(THIRD)]) == [said(SECOND)]
    with pytest.raises(AssertionError, match="no \\(further\\) answer"):
        unkept([FIRST, FIRST], [said(FIRST), said(SECOND)])
    with pytest.raises(AssertionError, match="no \\(further\\) answer"):
        unkept([SECOND, FIRST], [said(FIRST), said(SECOND)])
