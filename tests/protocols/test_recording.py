"""Which readings are kept."""

import math

from hypothesis import given
from hypothesis import strategies as st

from protocols.reading import Reading
from protocols.recording import Recording

KEPT = Reading(time=0.0, voltage=3.0, current=0.010)


def keeps(
    rule: Recording, time: float, voltage: float = 3.0, current: float = 0.010, since: float = 0.0
) -> bool:
    return rule.keeps(since, KEPT, time, Reading(time, voltage, current))


def test_the_clock_keeps_a_reading_when_the_interval_is_over() -> None:
    rule = Recording(every=10.0)
    assert not keeps(rule, 9.99)
    assert keeps(rule, 10.0)
    assert rule.next_moment(3.0) == 13.0


def test_a_tenth_of_a_second_added_up_is_not_missed_by_rounding() -> None:
    since = 0.1 + 0.2  # 0.30000000000000004
    assert keeps(Recording(every=0.1), 0.4, since=since)


def test_a_voltage_step_keeps_either_way() -> None:
    rule = Recording(voltage_step=0.002)
    assert not keeps(rule, 1.0, voltage=3.0019)
    assert keeps(rule, 1.0, voltage=3.002)
    assert keeps(rule, 1.0, voltage=2.998)


def test_a_current_step_is_a_share_of_the_last_kept_current() -> None:
    rule = Recording(current_step=0.01)
    assert not keeps(rule, 1.0, current=0.01009)
    assert keeps(rule, 1.0, current=0.0101)
    assert keeps(rule, 1.0, current=-0.010)


def test_no_current_that_stays_no_current_is_not_kept() -> None:
    rule = Recording(current_step=0.01)
    still = Reading(0.0, 3.0, 0.0)
    assert not rule.keeps(0.0, still, 1.0, Reading(1.0, 3.0, 0.0))
    assert rule.keeps(0.0, still, 1.0, Reading(1.0, 3.0, 1e-9))


def test_what_is_no_number_is_kept() -> None:
    assert keeps(Recording(voltage_step=1.0), 0.1, voltage=math.nan)
    assert keeps(Recording(current_step=1.0), 0.1, current=math.nan)


def test_a_logarithmic_rule_keeps_so_many_per_decade_from_its_start() -> None:
    rule = Recording(per_decade=2, from_time=0.01)
    assert rule.next_moment(0.0) == 0.01
    moments = [0.01]
    while moments[-1] < 10.0:
        moments.append(rule.next_moment(moments[-1]))
    assert len(moments) == 7  # three decades of two, and the start
    assert keeps(rule, 0.0317, since=0.01)  # 0.01 × √10 = 0.0316
    assert not keeps(rule, 0.0316, since=0.01)


def test_without_a_clock_rule_no_moment_comes() -> None:
    assert Recording(voltage_step=0.1).next_moment(5.0) == math.inf


@given(st.floats(1e-3, 1e3), st.floats(0.0, 1e6), st.floats(0.0, 1e4))
def test_a_reading_at_the_next_moment_is_kept(every: float, since: float, wait: float) -> None:
    rule = Recording(every=every, per_decade=10.0, from_time=1e-3)
    assert keeps(rule, rule.next_moment(since) + wait, since=since)
