"""The Kramers-Kronig test passes what a steady cell gives and catches one that drifts."""

import math

import numpy as np
import pytest

from protocols.errors import FigureError
from protocols.figures.kramers_kronig import KramersKronig, Verdict, kramers_kronig
from tests.protocols.figures.synthetic import blocking, frequencies, lithium, measured


def test_a_steady_cell_leaves_only_the_noise() -> None:
    # 71 points are 142 numbers; 23 time constants and 3 more are 26 unknowns; noise 0.2 % on either
    # part: 0.2 % · √2 · √(116 / 142) = 0.256 %
    f = frequencies(0.01)
    residuals = [kramers_kronig(measured(f, lithium(f), seed)).residual for seed in range(20)]
    assert np.mean(residuals) == pytest.approx(0.002 * math.sqrt(2 * 116 / 142), rel=0.05)
    assert (
        kramers_kronig(measured(f, lithium(f), 0)).elements == 23
    )  # three per decade over seven, and one slower


def test_a_blocking_cell_passes_too() -> None:
    f = frequencies(0.01)
    result = kramers_kronig(measured(f, blocking(f), 0, noise=0.001))
    assert result.verdict is Verdict.CONSISTENT
    assert not result.drifting
    assert result.warnings() == ()


def test_a_cell_without_noise_does_not_drift() -> None:
    f = frequencies(0.1)
    assert not kramers_kronig(measured(f, blocking(f), 0, noise=0.0)).drifting


def test_a_cell_that_grew_by_a_tenth_while_it_was_measured_is_caught() -> None:
    f = frequencies(0.01)
    grown = lithium(f) * (1 + 0.1 * np.linspace(0, 1, len(f)) ** 6)
    result = kramers_kronig(measured(f, grown, 0, noise=0.001))
    assert result.drifting
    assert result.low_frequency > 0.005
    assert "the cell drifted" in result.warnings()[-1]


@pytest.mark.parametrize(
    ("residual", "verdict"),
    [
        (0.0049, Verdict.CONSISTENT),
        (0.005, Verdict.DOUBTFUL),
        (0.01, Verdict.DOUBTFUL),
        (0.011, Verdict.INCONSISTENT),
    ],
)
def test_the_verdict_follows_the_residual(residual: float, verdict: Verdict) -> None:
    assert KramersKronig(residual, residual, residual, 23).verdict is verdict


def test_too_sparse_a_spectrum_is_not_tested() -> None:
    f = frequencies(0.01, per_decade=2)  # 15 points for 23 time constants
    with pytest.raises(FigureError, match=r"15 points over 7\.0 decades"):
        kramers_kronig(measured(f, lithium(f), 0))
