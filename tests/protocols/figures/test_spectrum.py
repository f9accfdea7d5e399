"""A spectrum is checked at the door, and its axis intercept is the one a ruler would give."""

import numpy as np
import pytest

from protocols.errors import FigureError
from protocols.figures.spectrum import Spectrum

HERTZ = [1e5, 5e4, 2e4, 1e4, 5e3, 2e3, 1e3, 5e2]


def test_the_axis_is_crossed_between_two_points() -> None:
    # (10, +2) and (9, -2): half-way, 9.5
    spectrum = Spectrum.of(HERTZ, [10.0, 9, 9, 9, 9, 9, 9, 9], [2.0, -2, -3, -4, -5, -6, -7, -8])
    assert spectrum.axis_intercept() == (9.5, True)


def test_without_a_crossing_the_five_fastest_points_are_extended() -> None:
    # R = 4 + 0.5 |X| on a straight line meets the axis at 4
    reactance = -np.array([1.0, 2, 3, 4, 5, 6, 7, 8])
    resistance, crossed = Spectrum.of(HERTZ, 4 - 0.5 * reactance, reactance).axis_intercept()
    assert resistance == pytest.approx(4.0)
    assert not crossed


def test_the_order_of_the_points_does_not_matter() -> None:
    spectrum = Spectrum.of(HERTZ[::-1], np.arange(8.0) + 1, np.zeros(8))
    assert spectrum.frequency.tolist() == HERTZ
    assert spectrum.impedance.real.tolist() == [8, 7, 6, 5, 4, 3, 2, 1]


@pytest.mark.parametrize(
    ("hertz", "ohms", "reason"),
    [
        (HERTZ[:5], [1.0] * 5, "5 points; wanted 8"),
        ([*HERTZ[:7], 0.0], [1.0] * 8, "frequency of 0 Hz"),
        (HERTZ, [1.0] * 7 + [0.0], "zero impedance"),
        (HERTZ, [1.0] * 7 + [float("inf")], "real is inf at row 7"),
    ],
)
def test_impossible_spectra_are_refused(hertz: list[float], ohms: list[float], reason: str) -> None:
    with pytest.raises(FigureError, match=reason):
        Spectrum.of(hertz, ohms, [0.0] * len(hertz))
