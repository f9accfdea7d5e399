"""Titration: D from the square root of time in a pulse between two equilibria."""

import numpy as np
import pytest

from protocols.errors import FigureError
from protocols.figures.estimate import Array, Estimate
from protocols.figures.titration import diffusion

TIME = np.linspace(5.0, 1800.0, 360)


def rest(volts: float) -> tuple[Array, Array]:
    return np.linspace(0, 7200, 100), np.full(100, volts)


def pulse(slope: float, jump: float = -0.03) -> tuple[Array, Array]:
    return TIME, 3.7 + jump + slope * np.sqrt(TIME)


def test_diffusion_by_hand() -> None:
    # ΔEs -20 mV over 1800 s, dE/d√t -1 mV/√s, L 1 µm:
    # 4/π (1e-6 · 0.02 / (1800 · 1e-3))² = 1.2732 · (1.1111e-8)² = 1.5719e-16 m²/s
    found = diffusion(rest(3.70), pulse(-1e-3), rest(3.68), Estimate(1e-6, 5e-8))
    assert (found.name, found.unit) == ("diffusion_coefficient", "m2/s")
    assert found.value == pytest.approx(1.5719e-16, rel=1e-4)
    assert found.uncertainty == pytest.approx(0.1 * found.value, rel=1e-3)  # twice the 5 % of L
    assert found.warnings == ()


def test_the_resistive_jump_does_not_count() -> None:
    with_jump, without = (diffusion(rest(3.70), pulse(-1e-3, j), rest(3.68), None) for j in (-0.1, 0.0))
    assert with_jump.value == pytest.approx(without.value, rel=1e-9)
    assert (without.name, without.unit) == ("diffusion_rate", "1/s")


def test_a_pulse_that_is_no_square_root_is_warned_of_and_no_step_refused() -> None:
    bent = TIME, 3.7 - 1e-6 * TIME**1.5
    (warning,) = diffusion(rest(3.70), bent, rest(3.68), None).warnings
    assert "off a straight line in √t" in warning
    with pytest.raises(FigureError, match="nothing to titrate by"):
        diffusion(rest(3.70), pulse(-1e-3), rest(3.70), None)
