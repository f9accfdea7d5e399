"""Is, I0 and dV are read off a polarisation; the three forms of t+ come out as worked out by hand."""

import numpy as np
import pytest

from protocols.errors import FigureError
from protocols.figures import transference
from protocols.figures.elements import CIRCUITS
from protocols.figures.estimate import Array
from protocols.figures.impedance import SpectrumAnalysis, analyse
from protocols.figures.polarisation import Polarisation, extrapolated_current, first_current, steady_current
from tests.protocols.figures.synthetic import (
    covered,
    frequencies,
    lithium,
    logarithmic_times,
    measured,
    step_response,
)

# The cell of the reference experiment: Is/I0 = (Rb + Rint) / (Rb + Rint + Rd) = 0.36 by the choice
# of Rd = 34.08 (1/0.36 - 1) = 60.587 ohm; without the interface Rb / (Rb + Rd) = 4.08 / 64.667 = 0.0631.
BULK, INTERFACE, TIME = 4.08, 30.0, 60.0
DIFFUSION = 34.08 * (1 / 0.36 - 1)
LITHIUM = [circuit for circuit in CIRCUITS if circuit.name == "L-R-(R|C)-W"]


def spectrum(seed: int, interface: float = INTERFACE) -> SpectrumAnalysis:
    f = frequencies(0.1)
    return analyse(measured(f, lithium(f, BULK, interface, DIFFUSION, TIME), seed), LITHIUM)


def polarisation(
    time: Array | None = None, offset: float = 0.0, noise: float = 1e-4, seed: int = 0
) -> Polarisation:
    """10 mV on the cell, as a potentiostat would record it; `noise` is relative to the current."""
    moments = logarithmic_times() if time is None else time
    amperes = 0.01 * step_response(moments, BULK + INTERFACE, DIFFUSION, TIME)
    random = np.random.default_rng(seed)
    noisy = amperes * (1 + noise * random.standard_normal(len(moments)))
    volts = 0.01 + offset + 1e-6 * random.standard_normal(len(moments))
    return Polarisation.of(moments, noisy, volts, offset)


def test_the_papers_formula_gives_the_apparent_number_with_the_ohmic_initial_current() -> None:
    data = transference.transference_data(polarisation(), spectrum(1), spectrum(2))
    figure = transference.transference_number(data)
    assert figure.value == pytest.approx(0.36, abs=0.001)
    assert figure.uncertainty is not None
    assert 0 < figure.uncertainty < 0.001
    assert "I0 = dV / (Rb + Rint) = 0.293" in figure.method  # 10 mV / 34.08 ohm = 0.2934 mA


def test_evans_vincent_bruce_takes_the_interface_out() -> None:
    data = transference.transference_data(polarisation(), spectrum(1), spectrum(2))
    figure = transference.evans_vincent_bruce(data)
    assert figure.value == pytest.approx(4.08 / (4.08 + DIFFUSION), rel=0.03)
    assert figure.uncertainty is not None
    assert abs(figure.value - 4.08 / (4.08 + DIFFUSION)) < 3 * figure.uncertainty


def test_the_first_reading_reads_high_by_what_decayed_before_it() -> None:
    # Rd / (Rs √τ) = 60.59 / (34.08 · 7.746) = 0.2295; I0 falls by 1 - erfcx(0.2295 √t): at 1 ms to
    # 0.9919, at 0.5 s (erfcx 0.1623 = 1 - 0.1831 + 0.0263 - 0.0032 + 0.0003) to 0.8403; so Is / I reads
    # 0.3629 and 0.4284
    early = transference.transference_data(polarisation(noise=1e-6), spectrum(1))
    assert transference.transference_number_first_reading(early).value == pytest.approx(0.3629, abs=5e-4)
    late = transference.transference_data(polarisation(logarithmic_times(0.5), noise=1e-6), spectrum(1))
    assert transference.transference_number_first_reading(late).value == pytest.approx(0.4284, abs=5e-4)


def test_the_back_extrapolated_current_does_not_depend_on_the_first_moment() -> None:
    for first in (1e-3, 0.05, 0.5):
        curve = polarisation(logarithmic_times(first))
        initial = extrapolated_current(curve, steady_current(curve))
        assert initial.value == pytest.approx(0.01 / 34.08, rel=2e-3)


def test_without_a_spectrum_the_first_reading_has_to_do_and_says_so() -> None:
    data = transference.transference_data(polarisation(noise=1e-6))
    figure = transference.transference_number(data)
    assert figure.value == pytest.approx(0.3629, abs=5e-4)
    assert "no spectrum before the step" in figure.warnings[0]
    with pytest.raises(FigureError, match="needs a spectrum before the polarisation and one after"):
        transference.evans_vincent_bruce(data)


def test_the_voltage_counts_from_open_circuit() -> None:
    # 0.5 mV of offset would make dV 10.5 mV and t+ 5 % too low
    figure = transference.transference_number(
        transference.transference_data(polarisation(offset=5e-4), spectrum(1))
    )
    assert figure.value == pytest.approx(0.36, abs=0.001)


def test_a_current_that_still_falls_is_refused() -> None:
    seconds = np.arange(0.0, 1001.0)
    falling = Polarisation.of(seconds, 1e-4 * (1 - seconds / 4000), np.full(1001, 0.01), 0.0)
    # over the last 100 s it falls by 100 / 4000 of I(0), 3.28 % of the 0.7625 left at 950 s
    with pytest.raises(FigureError, match=r"moved by 3\.3 % over its last .* let it polarise longer"):
        steady_current(falling)


def test_the_steady_current_is_the_mean_of_the_last_tenth() -> None:
    # 0 … 100 s each second: 90 to 100 s are 11 readings
    seconds = np.arange(0.0, 101.0)
    amperes = np.where(seconds < 90, 2e-4, 1e-4)
    steady = steady_current(Polarisation.of(seconds, amperes, np.full(101, 0.01), 0.0))
    assert (steady.readings, steady.window) == (11, 10.0)
    assert steady.current.value == pytest.approx(1e-4)


def test_a_logarithmic_record_still_gives_three_readings_to_average() -> None:
    assert steady_current(polarisation()).readings == 3


def test_steady_current_and_ratio_are_unbiased_and_their_uncertainties_honest() -> None:
    seconds = np.linspace(0.01, 1000.0, 600)
    clean = 1e-4 + 2e-4 * np.exp(-seconds / 20)
    steady, ratios = [], []
    for seed in range(200):
        noisy = clean + 5e-7 * np.random.default_rng(seed).standard_normal(600)
        data = transference.transference_data(Polarisation.of(seconds, noisy, np.full(600, 0.01), 0.0))
        steady.append(data.steady.current)
        figure = transference.transference_number(data)
        ratios.append(figure.estimate)
    for truth, found in ((1e-4, steady), (1e-4 / clean[0], ratios)):
        bias, coverage = covered(found, truth)
        assert abs(bias) < 0.2
        assert 0.90 <= coverage <= 0.99


def test_the_ohmic_form_is_unbiased_and_its_uncertainty_honest() -> None:
    found = []
    for seed in range(100):
        data = transference.transference_data(polarisation(noise=1e-3, seed=seed), spectrum(seed))
        found.append(transference.transference_number(data).estimate)
    bias, coverage = covered(found, 0.36)
    assert abs(bias) < 0.2
    assert 0.90 <= coverage <= 0.99


def test_a_step_lost_in_noise_is_refused() -> None:
    volts = 1e-3 * np.random.default_rng(0).standard_normal(50)
    curve = Polarisation.of(np.arange(50.0), np.full(50, 1e-4), volts, 0.0)
    with pytest.raises(FigureError, match="no step to speak of"):
        curve.voltage_step()


def test_a_current_against_the_step_is_refused() -> None:
    curve = Polarisation.of(np.arange(50.0), np.full(50, -1e-4), np.full(50, 0.01), 0.0)
    with pytest.raises(FigureError, match="their signs differ"):
        transference.transference_data(curve)


def test_interfaces_that_take_all_the_voltage_leave_no_number() -> None:
    data = transference.transference_data(polarisation(), spectrum(1), spectrum(2, interface=120.0))
    # Is = 0.1056 mA over 120 ohm is 12.7 mV of the 10
    with pytest.raises(FigureError, match="Is Rss is 127 % of dV"):
        transference.evans_vincent_bruce(data)


def test_a_voltage_that_was_not_held_is_pointed_out() -> None:
    volts = np.full(50, 0.01)
    volts[0] = 0.005
    curve = Polarisation.of(np.arange(50.0), np.full(50, 1e-4), volts, 0.0)
    assert "was not held" in curve.warnings()[0]


def test_the_first_current_is_the_first_reading() -> None:
    amperes = np.linspace(3e-4, 1e-4, 50)
    curve = Polarisation.of(np.arange(50.0), amperes, np.full(50, 0.01), 0.0)
    assert first_current(curve).value == 3e-4
