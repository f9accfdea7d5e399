"""Peaks of a drawn voltammogram are found where they were drawn."""

import numpy as np
import pytest

from protocols.errors import FigureError
from protocols.figures.estimate import Array
from protocols.figures.voltammetry import voltammetry_peaks


def voltammogram(noise: float = 0.0) -> tuple[Array, Array, Array]:
    """2.4 V → 1.7 → 2.8 → 1.7 V at 0.1 mV/s in 1 mV readings; Gaussian peaks 50 mV wide.

    Cathodic at 2.30 and 2.05 V, anodic at 2.45 V, on 10 uA of capacitive current.
    """
    volts: Array = np.concatenate(
        [np.arange(2.4, 1.7, -1e-3), np.arange(1.7, 2.8, 1e-3), np.arange(2.8, 1.6995, -1e-3)]
    )
    falling = np.concatenate([np.full(700, True), np.full(1100, False), np.full(1101, True)])

    def peak(at: float, height: float) -> Array:
        shape: Array = height * np.exp(-(((volts - at) / 0.05) ** 2))
        return shape

    amperes = np.where(falling, -1e-5 - peak(2.3, 4e-4) - peak(2.05, 8e-4), 1e-5 + peak(2.45, 1e-3))
    random = np.random.default_rng(0)
    noisy: Array = amperes + noise * random.standard_normal(len(volts))
    seconds = np.linspace(0.0, 10.0 * (len(volts) - 1), len(volts))
    return seconds, volts + 0.1 * noise * random.standard_normal(len(volts)), noisy


@pytest.mark.parametrize("noise", [0.0, 3e-6])
def test_peaks_are_found_with_potential_current_and_direction(noise: float) -> None:
    figures = voltammetry_peaks(*voltammogram(noise))
    assert [(f.detail["sweep"], f.detail["direction"]) for f in figures] == [
        (1, "cathodic"),
        (1, "cathodic"),
        (2, "anodic"),
        (3, "cathodic"),
        (3, "cathodic"),
    ]
    assert [f.value for f in figures] == pytest.approx([2.3, 2.05, 2.45, 2.3, 2.05], abs=0.006)
    currents = [float(str(f.detail["current"])) for f in figures]
    assert currents == pytest.approx([-4.1e-4, -8.1e-4, 1.01e-3, -4.1e-4, -8.1e-4], rel=0.03)


def test_the_scan_rate_is_that_of_the_data() -> None:
    assert voltammetry_peaks(*voltammogram())[0].detail["scan_rate"] == pytest.approx(1e-4)


def test_a_straight_line_has_no_peak() -> None:
    volts = np.linspace(1, 2, 100)
    with pytest.raises(FigureError, match="no sweep has a peak"):
        voltammetry_peaks(np.arange(100.0), volts, 1e-3 * volts)
