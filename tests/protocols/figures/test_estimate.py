"""Uncertainty spreads as the GUM says."""

import math

import numpy as np
import pytest

from protocols.errors import FigureError
from protocols.figures.estimate import (
    Estimate,
    arrays,
    in_order,
    joined,
    mean_with_error,
    propagated,
    propagated_jointly,
    scatter,
)


def test_relative_uncertainties_of_a_quotient_add_in_squares() -> None:
    # 6 / 2 = 3; 3 % and 4 % make 5 %
    result = propagated(lambda a, b: a / b, Estimate(6.0, 0.18), Estimate(2.0, 0.08))
    assert result.value == 3.0
    assert result.uncertainty == pytest.approx(0.15, rel=1e-3)


def test_of_two_readings_of_one_instant_the_first_counts() -> None:
    time = np.array([0.0, 1.0, 1.0 - 1e-12, 2.0, 2.0, 3.0])
    seconds, volts = in_order("sweep", time, np.array([0.0, 1.0, 9.0, 2.0, 9.0, 3.0]))
    assert seconds.tolist() == volts.tolist() == [0.0, 1.0, 2.0, 3.0]


def test_times_that_run_backwards_are_refused() -> None:
    with pytest.raises(FigureError, match="the times of the sweep run backwards"):
        in_order("sweep", np.array([0.0, 1.0, 0.9]))


def test_a_known_input_adds_nothing() -> None:
    assert propagated(lambda a, b: a * b, Estimate(5.0), Estimate(2.0)) == Estimate(10.0, 0.0)


def test_correlation_counts() -> None:
    # var(a + b) = 9 + 16 - 2 · 12 = 1 for a correlation of -1
    covariance = np.array([[9.0, -12.0], [-12.0, 16.0]])
    assert propagated_jointly(lambda a, b: a + b, [1.0, 1.0], covariance).uncertainty == pytest.approx(1.0)


def test_blocks_are_joined_without_correlation_between_them() -> None:
    whole = joined(np.array([[1.0]]), np.array([[2.0, 0.5], [0.5, 3.0]]))
    assert whole.tolist() == [[1.0, 0.0, 0.0], [0.0, 2.0, 0.5], [0.0, 0.5, 3.0]]


def test_a_parabola_has_no_scatter_worth_the_name() -> None:
    # second differences of n² are 2: sigma 2/√6, whatever the course of thousands
    values = np.arange(100.0) ** 2
    assert scatter(values) == pytest.approx(2 / math.sqrt(6))


def test_scatter_of_white_noise_on_a_slope_is_its_standard_deviation() -> None:
    values = 7.0 * np.arange(4000.0) + np.random.default_rng(1).normal(0, 0.5, 4000)
    assert scatter(values) == pytest.approx(0.5, rel=0.05)


def test_four_values_show_no_scatter() -> None:
    assert scatter(np.arange(4.0)) is None


def test_mean_and_standard_error() -> None:
    # 2 4 4 4 5 5 7 9: mean 5, squares 32, sd √(32/7) = 2.138, error 2.138/√8 = 0.756
    mean, deviation = mean_with_error(np.array([2.0, 4, 4, 4, 5, 5, 7, 9]))
    assert deviation == pytest.approx(math.sqrt(32 / 7))
    assert mean == pytest.approx((5.0, math.sqrt(32 / 7 / 8)))


def test_columns_of_unequal_length_are_refused() -> None:
    with pytest.raises(FigureError, match=r"differ in length.*'voltage': 3"):
        arrays(time=[1.0, 2.0], voltage=[1.0, 2.0, 3.0])


def test_a_reading_that_is_no_number_is_refused_with_its_row() -> None:
    with pytest.raises(FigureError, match="voltage is nan at row 1"):
        arrays(time=[1.0, 2.0], voltage=[1.0, float("nan")])
