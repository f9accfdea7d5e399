"""Nucleation, overpotential and soft shorts, on half-cycles drawn by hand."""

import numpy as np
import pytest

from protocols.errors import FigureError
from protocols.figures.estimate import Array
from protocols.figures.plating import (
    nucleation_overpotential,
    overpotential,
    soft_short,
    steady_overpotential,
)


def plating(noise: float = 0.0, seed: int = 0) -> tuple[Array, Array]:
    """From 2 V down through 0, a dip to -100 mV at 3 % of the charge, then -40 mV to the end."""
    share = np.linspace(0.0, 1.0, 401)
    volts = np.interp(share, [0, 0.01, 0.03, 0.05, 0.15, 1], [2.0, -0.09, -0.1, -0.1, -0.04, -0.04])
    volts += noise * np.random.default_rng(seed).standard_normal(401)
    return volts, -3.6 * share


def test_nucleation_is_the_dip_below_the_plateau() -> None:
    figure = nucleation_overpotential(*plating())
    assert figure.value == pytest.approx(0.06, abs=2e-4)  # -40 - (-100) mV; smoothing rounds the corner
    assert figure.detail["plateau"] == pytest.approx(-0.04)
    assert 0.02 <= float(str(figure.detail["share_of_charge"])) <= 0.06


def test_the_fall_through_zero_is_not_the_dip() -> None:
    # smoothing across the fall from 2 V would undershoot; only what follows the first reading below 0 counts
    volts, coulombs = plating()
    volts[:4] = [2.0, 1.5, 0.9, -0.05]
    assert nucleation_overpotential(volts, coulombs).value == pytest.approx(0.06, abs=2e-3)


def test_noise_is_in_the_uncertainty_and_smoothed_out_of_the_dip() -> None:
    figure = nucleation_overpotential(*plating(noise=5e-4))
    assert figure.value == pytest.approx(0.06, abs=0.0015)
    # 0.5 mV · √(17/35 + π / (2 · 161)) = 0.5 · 0.704 = 0.35 mV, the scatter itself known to some 10 %
    assert figure.uncertainty == pytest.approx(0.35e-3, rel=0.2)


def test_a_flat_plating_has_no_dip_worth_the_name() -> None:
    share = np.linspace(0, 1, 200)
    flat = -0.04 + 1e-3 * np.random.default_rng(2).standard_normal(200)
    assert steady_overpotential(flat, share).value == pytest.approx(0.04, abs=3e-4)
    figure = nucleation_overpotential(np.full(200, -0.04), share)
    assert figure.value == pytest.approx(0.0, abs=1e-12)
    assert figure.warnings == ("no dip stands clear of the noise",)


@pytest.mark.parametrize(
    ("volts", "share", "reason"),
    [
        ([0.3] * 50, np.linspace(0, 1, 50), "stays above 0 V"),
        ([-0.04] * 8, np.linspace(0, 1, 8), "record more often"),
        ([-0.04] * 50, np.zeros(50), "passed no charge"),
        ([-0.04] * 3, np.array([0.0, 1.0, 0.5]), "runs backwards"),
    ],
)
def test_what_carries_no_nucleation_is_refused(volts: list[float], share: Array, reason: str) -> None:
    with pytest.raises(FigureError, match=reason):
        nucleation_overpotential(np.array(volts), share)


def test_overpotential_of_a_symmetric_cell_is_free_of_an_offset() -> None:
    # ±50 mV half-way, ±70 at the tip, ±55 at the end, 3 mV of offset
    share = np.array([0.0, 0.1, 0.5, 1.0])
    half = np.array([0.06, 0.07, 0.05, 0.055])
    figure = overpotential((half + 0.003, 7.2 * share), (-half + 0.003, -7.2 * share))
    assert figure.value == pytest.approx(0.05)
    assert figure.detail == {
        "middle": pytest.approx(0.05),
        "tip": pytest.approx(0.07),
        "end": pytest.approx(0.055),
        "offset": pytest.approx(0.003),
    }


def test_a_sudden_drop_looks_like_a_soft_short_and_a_slow_one_does_not() -> None:
    slow = [(n, 0.06 - 0.0002 * n) for n in range(1, 101)]  # 60 → 40 mV over a hundred cycles
    assert soft_short(slow).value == 0
    dropped = [*slow[:50], (51, 0.02), (52, 0.025), *slow[52:]]
    figure = soft_short(dropped)
    assert figure.value == 2
    assert figure.place.cycle == 51
    # the ten before are cycles 41 to 50: 51.8 … 50 mV, median 50.9
    assert figure.warnings[0] == "cycle 51: 20 mV where 50.9 mV was usual: a parallel path?"


def test_one_cycle_cannot_drop() -> None:
    with pytest.raises(FigureError, match="a drop needs two"):
        soft_short([(1, 0.05)])
