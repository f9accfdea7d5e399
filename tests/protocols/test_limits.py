"""The window a cell must never leave."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocols.errors import LimitError
from protocols.limits import Bound, Limits, Range
from protocols.reading import Reading

WINDOW = Limits(
    voltage=Range(Bound(2.5, "cell"), Bound(4.2, "protocol")),
    current=Range(Bound(-0.01, "channel"), Bound(0.01, "channel")),
    temperature=Range(None, Bound(45.0, "protocol")),
)


def test_the_edges_belong_to_the_window() -> None:
    WINDOW.check(Reading(0.0, 2.5, 0.01, 45.0))
    WINDOW.check(Reading(0.0, 4.2, -0.01, None))


@pytest.mark.parametrize(
    ("reading", "message"),
    [
        (Reading(0.0, 4.2000001, 0.0), "voltage 4.2000001 V is outside 2.5 to 4.2 V"),
        (Reading(0.0, 2.4, 0.0), "voltage 2.4 V is outside 2.5 to 4.2 V"),
        (Reading(0.0, 3.0, -0.011), "current -0.011 A is outside -0.01 to 0.01 A"),
        (Reading(0.0, 3.0, 0.0, 45.5), "temperature 45.5 degC is outside … to 45 degC"),
        (Reading(0.0, math.nan, 0.0), "voltage nan V is outside"),
        (Reading(0.0, 3.0, math.nan), "current nan A is outside"),
        (Reading(0.0, 3.0, 0.0, math.nan), "temperature nan degC is outside"),
        (Reading(0.0, math.inf, 0.0), "voltage inf V is outside"),
    ],
)
def test_a_reading_outside_is_told_with_the_window(reading: Reading, message: str) -> None:
    with pytest.raises(LimitError) as caught:
        WINDOW.check(reading)
    assert message in str(caught.value)


def test_an_open_window_still_wants_a_number() -> None:
    Limits().check(Reading(0.0, 1e9, -1e9))
    with pytest.raises(LimitError):
        Limits().check(Reading(0.0, math.nan, 0.0))


_BOUNDS = st.none() | st.builds(Bound, st.floats(-10, 10), st.sampled_from(["protocol", "cell", "channel"]))
_LIMITS = st.builds(Limits, voltage=st.builds(Range, _BOUNDS, _BOUNDS))


@given(st.lists(_LIMITS, max_size=3), st.floats(-12, 12))
def test_the_intersection_holds_exactly_what_every_window_holds(windows: list[Limits], value: float) -> None:
    both = Limits.intersection(windows)
    assert both.voltage.holds(value) == all(window.voltage.holds(value) for window in windows)
