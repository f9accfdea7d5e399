"""dQ/dV: peaks where the plateaus are, their charge, and a converter's steps that make none."""

import numpy as np
import pytest

from protocols.errors import FigureError
from protocols.figures.differential import (
    differential_capacity,
    differential_capacity_peaks,
    plateau_capacities,
)
from protocols.figures.estimate import Array


def two_plateaus(noise: float = 0.0, seed: int = 0, lsb: float = 1e-4) -> tuple[Array, Array]:
    """A discharge of 6 C: 2 C about 2.3 V and 4 C about 2.1 V, each a logistic step 10 mV wide."""
    volts = np.linspace(2.6, 1.8, 4001)
    charge = 2 / (1 + np.exp((volts - 2.3) / 0.01)) + 4 / (1 + np.exp((volts - 2.1) / 0.01))
    even = np.linspace(charge[0], charge[-1], 400)  # constant current: evenly in charge
    seen = np.interp(even, charge, volts) + noise * np.random.default_rng(seed).standard_normal(400)
    return np.round(seen / lsb) * lsb, -(even - even[0])


@pytest.mark.parametrize("noise", [0.0, 5e-4])
def test_plateaus_are_found_with_their_charge(noise: float) -> None:
    upper, lower = plateau_capacities(*two_plateaus(noise), mass=None)
    assert upper.value == pytest.approx(2.0, abs=0.02)
    assert lower.value == pytest.approx(4.0, abs=0.02)
    assert lower.detail["ratio_to_highest"] == pytest.approx(2.0, abs=0.03)


def test_peaks_stand_where_the_plateaus_are() -> None:
    upper, lower = differential_capacity_peaks(*two_plateaus(5e-4))
    assert (upper.value, lower.value) == pytest.approx((2.3, 2.1), abs=0.003)
    # the steepest of a logistic step: its height over four times its width, here 4 / 0.04 C/V;
    # a window of 10 mV takes a tenth off it
    assert lower.detail["height"] == pytest.approx(100.0, rel=0.15)


def test_the_steps_of_the_converter_make_no_peaks() -> None:
    assert len(differential_capacity(*two_plateaus(lsb=2e-3)).plateaus()) == 2


def test_a_dip_on_the_plateau_makes_no_second_one() -> None:
    voltage, capacity = two_plateaus()
    dip = 0.01 * np.exp(-(((-capacity - 2.1) / 0.05) ** 2))
    assert len(differential_capacity(voltage - dip, capacity).plateaus()) == 2


def test_what_carries_no_slope_is_refused() -> None:
    with pytest.raises(FigureError, match="no dQ/dV to speak of"):
        differential_capacity(np.full(50, 3.7), np.linspace(0, 1, 50))
    voltage, capacity = two_plateaus()
    with pytest.raises(FigureError, match="one plateau is the whole"):
        plateau_capacities(voltage[:100], capacity[:100])
