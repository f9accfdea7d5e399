"""What a maker states becomes a standard uncertainty, by hand."""

from dataclasses import replace

import pytest

from protocols.accuracy import Accuracy
from protocols.figures import cycling
from protocols.figures.run import CycleSummary

STATED = Accuracy(voltage_gain=3e-4, voltage_offset=1e-3, current_gain=2e-3, current_of_range=1e-3)


@pytest.mark.parametrize(
    ("current", "full_scale"), [(0.5e-3, 1e-3), (-1.0e-3, 1e-3), (1.04e-3, 1e-3), (1.2e-3, 1e-2), (0.0, 0.0)]
)
def test_the_fixed_part_of_a_current_goes_with_the_range_that_holds_it(
    current: float, full_scale: float
) -> None:
    assert STATED.amperes(current) == pytest.approx(full_scale * 1e-3 / 3**0.5)


def test_an_instrument_with_one_range_has_its_whole_offset_at_any_current() -> None:
    """0.05 % of 50 mA is 25 µA, however little flows: of 1 mA in an hour, 3.6 C, 0.09 C / √3 is unknown."""
    one = replace(STATED, current_gain=0.0, current_of_range=5e-4, full_scale=0.05)
    assert one.amperes(1e-3) == one.amperes(-0.04) == pytest.approx(25e-6 / 3**0.5)
    [capacity] = cycling.capacity(
        CycleSummary(1, discharge_capacity=3.6, discharge_time=3600.0), accuracy=Accuracy.of(one.plain())
    )
    assert capacity.uncertainty == pytest.approx(0.05196, rel=1e-4)


def test_limits_are_a_rectangle() -> None:
    assert STATED.volts == pytest.approx(0.577e-3, rel=1e-3)  # 1 mV / √3


def test_it_survives_being_kept_and_none_stays_none() -> None:
    assert Accuracy.of(STATED.plain()) == STATED
    assert Accuracy.of({}) is None
    before = {name: value for name, value in STATED.plain().items() if name != "full_scale"}
    assert Accuracy.of(before) == STATED  # as runs kept it that are older than single ranges
