"""Synthetic measurements whose answers are known: spectra, a polarisation, and the noise on them."""

from collections.abc import Sequence

import numpy as np

from protocols.figures.estimate import Array, Estimate
from protocols.figures.spectrum import ComplexArray, Spectrum


def frequencies(lowest: float, highest: float = 1e5, per_decade: int = 10) -> Array:
    count = round(per_decade * float(np.log10(highest / lowest))) + 1
    return np.geomspace(highest, lowest, count)


def blocking(frequency: Array, bulk: float = 4.08, inductance: float = 8e-7) -> ComplexArray:
    """jωL + Rb + 1 / (Q (jω)^n), Q 3e-5 S s^n, n 0.92: a blocking cell of the reference experiment."""
    s = 2j * np.pi * frequency
    impedance: ComplexArray = s * inductance + bulk + 1 / (3e-5 * s**0.92)
    return impedance


def lithium(
    frequency: Array,
    bulk: float = 4.08,
    interface: float = 30.0,
    diffusion: float = 60.0,
    diffusion_time: float = 100.0,
    capacitance: float = 5e-6,
) -> ComplexArray:
    """Rb + Rint / (1 + jω Rint C) + Rd tanh √(jωτ) / √(jωτ): lithium | separator | lithium."""
    s = 2j * np.pi * frequency
    root = np.sqrt(s * diffusion_time)
    impedance: ComplexArray = (
        bulk + interface / (1 + s * interface * capacitance) + diffusion * np.tanh(root) / root
    )
    return impedance


def measured(frequency: Array, impedance: ComplexArray, seed: int, noise: float = 0.002) -> Spectrum:
    """The spectrum with independent relative noise on either part."""
    random = np.random.default_rng(seed)
    parts = random.standard_normal((2, len(frequency)))
    noisy = impedance * (1 + noise * (parts[0] + 1j * parts[1]))
    return Spectrum.of(frequency, noisy.real, noisy.imag)


def step_response(time: Array, series: float, diffusion: float, diffusion_time: float) -> Array:
    """Current per volt of a resistance in series with a finite Warburg element after a voltage step.

    Residue sum: the poles -x²/τ of the admittance satisfy series · x + diffusion · tan x = 0, one
    in each (k - 1/2, k) π; each contributes 2 / (Rd (1 + (Rs x / Rd)² + Rs / Rd)) exp(-x² t / τ).
    """
    k = np.arange(1, 3001)
    low, high = (k - 0.5) * np.pi + 1e-12, k * np.pi
    for _ in range(60):  # tan rises from -infinity in each interval: bisect
        middle = (low + high) / 2
        under = series * middle + diffusion * np.tan(middle) < 0
        low, high = np.where(under, middle, low), np.where(under, high, middle)
    x = (low + high) / 2
    share = 2 / (diffusion * (1 + (series * x / diffusion) ** 2 + series / diffusion))
    response: Array = 1 / (series + diffusion) + np.exp(-np.outer(time, x**2) / diffusion_time) @ share
    return response


def logarithmic_times(first: float = 1e-3, last: float = 21600.0, per_decade: int = 20) -> Array:
    """Moments as `record: log 20 per decade from 1 ms` keeps them over six hours."""
    count = round(per_decade * float(np.log10(last / first))) + 1
    return np.geomspace(first, last, count)


def covered(found: Sequence[Estimate], truth: float) -> tuple[float, float]:
    """Return the bias in units of the mean uncertainty, and how many 95 % intervals hold the truth."""
    estimates, uncertainties = np.array(found).T
    bias = float((np.mean(estimates) - truth) / np.mean(uncertainties))
    return bias, float(np.mean(np.abs(estimates - truth) < 1.96 * uncertainties))
