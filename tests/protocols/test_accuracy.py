"""What a maker states becomes a standard uncertainty, by hand."""

import pytest

from protocols.accuracy import Accuracy

STATED = Accuracy(voltage_gain=3e-4, voltage_offset=1e-3, current_gain=2e-3, current_of_range=1e-3)


@pytest.mark.parametrize(
    ("current", "full_scale"), [(0.5e-3, 1e-3), (-1.0e-3, 1e-3), (1.04e-3, 1e-3), (1.2e-3, 1e-2), (0.0, 0.0)]
)
def test_the_fixed_part_of_a_current_goes_with_the_range_that_holds_it(
    current: float, full_scale: float
) -> None:
    assert STATED.amperes(current) == pytest.approx(full_scale * 1e-3 / 3**0.5)


def test_limits_are_a_rectangle() -> None:
    assert STATED.volts == pytest.approx(0.577e-3, rel=1e-3)  # 1 mV / √3


def test_it_survives_being_kept_and_none_stays_none() -> None:
    assert Accuracy.of(STATED.plain()) == STATED
    assert Accuracy.of({}) is None
