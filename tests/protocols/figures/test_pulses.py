"""Pulse resistance is Ohm's law between the rest before and the pulse."""

import numpy as np
import pytest

from protocols.errors import FigureError
from protocols.figures.pulses import pulse_resistance


def test_resistance_at_the_end_and_on_the_way() -> None:
    # from 3.700 V at rest; -6 mA: 3.610 V at 0.1 s (15 ohm), 3.598 at 1 s (17), 3.580 at 10 s (20)
    time = np.array([0.1, 1.0, 10.0])
    figure = pulse_resistance([(3.7, 0.0)], time, np.array([3.61, 3.598, 3.58]), np.full(3, -6e-3))
    assert figure.value == pytest.approx(20.0)
    at = figure.detail["resistance_at"]
    assert isinstance(at, dict)
    assert at == pytest.approx({"0.1 s": 15.0, "1 s": 17.0, "10 s": 20.0})
    assert figure.uncertainty is None


def test_the_rest_before_gives_the_uncertainty() -> None:
    # five readings, four ±0.6 mV: sd 0.6 √(4/4) = 0.6 mV; against their mean 0.6 √1.2 = 0.657 mV;
    # over 6 mA: 0.1095 ohm
    before = [(3.7 + offset, 0.0) for offset in (-6e-4, 6e-4, 0.0, -6e-4, 6e-4)]
    figure = pulse_resistance(before, np.array([10.0]), np.array([3.58]), np.array([-6e-3]))
    assert figure.uncertainty == pytest.approx(0.1095, rel=1e-3)


def test_no_step_is_refused() -> None:
    with pytest.raises(FigureError, match="did not change"):
        pulse_resistance([(3.7, 1e-3)], np.array([1.0]), np.array([3.7]), np.array([1e-3]))
    with pytest.raises(FigureError, match="no reading before"):
        pulse_resistance([], np.array([1.0]), np.array([3.7]), np.array([1e-3]))
