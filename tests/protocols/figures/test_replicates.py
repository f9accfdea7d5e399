"""Replicates: mean, deviation and n of cells, and whether two variants differ."""

import numpy as np
import pytest

from protocols.errors import FigureError
from protocols.figures.replicates import Verdict, compare, summarise


def test_mean_deviation_and_interval_of_five_cells() -> None:
    # squares of -2 -1 0 1 2 add up to 10: sd √(10/4) = 1.5811, of the mean 0.7071, t(4) 2.7764
    found = summarise([8.0, 9.0, 10.0, 11.0, 12.0])
    assert (found.count, found.mean) == (5, 10.0)
    assert found.deviation == pytest.approx(1.5811, abs=1e-4)
    assert (found.low, found.high) == pytest.approx((10 - 1.9632, 10 + 1.9632), abs=1e-4)


def test_welch_by_hand() -> None:
    # means 10 and 14, variances of the mean 2.5/5 and 4/3; t = 4/√1.8333 = 2.9542,
    # f = 1.8333² / (0.25/4 + 1.7778/2) = 3.5328
    found = compare([8.0, 9.0, 10.0, 11.0, 12.0], [12.0, 14.0, 16.0])
    assert found.difference == 4.0
    assert found.t == pytest.approx(2.9542, abs=1e-4)
    assert found.degrees_of_freedom == pytest.approx(3.5328, abs=1e-4)
    # pooled sd √((4·2.5 + 2·4)/6) = 1.7321; 4/1.7321 · (1 - 3/23) = 2.0082
    assert found.effect == pytest.approx(2.0082, abs=1e-4)
    assert found.verdict is Verdict.DIFFER


def test_an_interval_that_holds_nought_shows_no_difference() -> None:
    found = compare([8.0, 9.0, 10.0, 11.0, 12.0], [9.0, 10.0, 11.5])
    assert found.verdict is Verdict.NOT_SHOWN
    assert found.low is not None
    assert found.high is not None
    assert found.low < 0 < found.high


@pytest.mark.parametrize(
    ("first", "second", "why"),
    [([1.0], [2.0, 2.1], "n = 1 against n = 2"), ([1.0, 1.0], [2.0, 2.0], "neither variant scatters")],
)
def test_what_cannot_be_said_is_not_said(first: list[float], second: list[float], why: str) -> None:
    found = compare(first, second)
    assert found.verdict is Verdict.CANNOT_SAY
    assert why in found.reason
    assert found.difference == pytest.approx(1.0, abs=0.1)
    assert found.p is None


def test_equal_variants_are_called_different_once_in_twenty() -> None:
    # Welch's p is very nearly uniform: of 2000, binomial(0.05) gives 100 ± 10
    random = np.random.default_rng(1)
    draws = random.normal(0.3, [[0.015], [0.03]], size=(2000, 2, 5))
    called = sum(compare(a.tolist(), b.tolist()).verdict is Verdict.DIFFER for a, b in draws)
    assert 60 < called < 140


def test_no_replicate_is_refused() -> None:
    with pytest.raises(FigureError, match="no replicate gave the figure"):
        summarise([])
    with pytest.raises(FigureError, match="finite"):
        summarise([1.0, float("nan")])
