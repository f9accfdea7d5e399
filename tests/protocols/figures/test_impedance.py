"""Bulk resistance, interfacial resistance and conductivity, from spectra whose answers are known."""

import math

import numpy as np
import pytest

from protocols.errors import FigureError
from protocols.figures.elements import BLOCKING, CIRCUITS
from protocols.figures.estimate import Estimate
from protocols.figures.figure import Figure
from protocols.figures.impedance import (
    analyse,
    bulk_resistance,
    interfacial_resistance,
    ionic_conductivity,
)
from protocols.figures.spectrum import Spectrum
from tests.protocols.figures.synthetic import blocking, covered, frequencies, lithium, measured

LITHIUM = [circuit for circuit in CIRCUITS if circuit.name == "L-R-(R|C)-W"]


@pytest.mark.parametrize("lowest", [10.0, 0.01])
def test_the_circuit_of_a_blocking_cell_is_recognised(lowest: float) -> None:
    f = frequencies(lowest)
    analysis = analyse(measured(f, blocking(f), 3))
    assert analysis.circuit is BLOCKING
    assert bulk_resistance(analysis).value == pytest.approx(4.08, rel=0.002)
    with pytest.raises(FigureError, match="no interfacial arc"):
        interfacial_resistance(analysis)


@pytest.mark.parametrize("diffusion_time", [1.0, 60.0, 200.0])
def test_bulk_and_interface_of_a_lithium_cell_are_told_apart(diffusion_time: float) -> None:
    f = frequencies(0.1)
    analysis = analyse(measured(f, lithium(f, diffusion_time=diffusion_time), 5))
    assert bulk_resistance(analysis).value == pytest.approx(4.08, rel=0.004)
    assert interfacial_resistance(analysis).value == pytest.approx(30.0, rel=0.004)


def test_bulk_and_interface_are_unbiased_and_their_uncertainties_honest() -> None:
    f = frequencies(0.1)
    clean = lithium(f)
    analyses = [analyse(measured(f, clean, seed), LITHIUM) for seed in range(200)]
    for truth, found in ((4.08, [a.bulk for a in analyses]), (30.0, [a.interface for a in analyses])):
        bias, coverage = covered(found, truth)
        assert abs(bias) < 0.2
        assert 0.90 <= coverage <= 0.99


def test_leads_make_the_axis_intercept_read_high_where_the_fit_does_not() -> None:
    f = frequencies(10.0)
    figures = [bulk_resistance(analyse(measured(f, blocking(f), seed), [BLOCKING])) for seed in range(20)]
    intercepts = [float(str(figure.detail["axis_intercept"])) for figure in figures]
    assert np.mean(intercepts) / 4.08 - 1 > 0.005  # 0.8 uH: +0.35 to +1.1 %
    assert abs(np.mean([figure.value for figure in figures]) / 4.08 - 1) < 0.0005


def test_an_intercept_two_percent_off_the_fit_is_pointed_out() -> None:
    # an interface as fast as the highest frequency: the extrapolated intercept cannot get past it
    f = frequencies(0.1)
    figure = bulk_resistance(analyse(measured(f, lithium(f, interface=3.0, capacitance=1e-6), 0)))
    assert figure.value == pytest.approx(4.08, rel=0.02)
    assert any("off the fit" in warning for warning in figure.warnings)


def test_a_spectrum_like_no_cell_is_refused() -> None:
    f = frequencies(1.0)
    random = np.random.default_rng(0).uniform(1, 100, (2, len(f)))
    with pytest.raises(FigureError, match=r"unexplained|determines none"):
        analyse(Spectrum.of(f, random[0], -random[1]))


def test_conductivity_and_its_uncertainty() -> None:
    # 25 um / (4.08 ohm · 2.011 cm2) = 25e-6 / 8.20488e-4 = 0.030470 S/m
    # relative: 0.02 / 4.08 = 0.490 %, 0.5 / 25 = 2 %, 1 %: √(0.24 + 4 + 1) % = 2.289 %
    resistance = Figure("bulk_resistance", 4.08, "ohm", "given", 0.02)
    figure = ionic_conductivity(resistance, Estimate(25e-6, 0.5e-6), Estimate(2.011e-4, 2.011e-6))
    assert figure.value == pytest.approx(0.0304697, rel=1e-5)
    relative = math.sqrt((0.02 / 4.08) ** 2 + 0.02**2 + 0.01**2)
    assert figure.uncertainty == pytest.approx(0.0304697 * relative, rel=1e-3)
    assert figure.warnings == ()


def test_facts_without_an_uncertainty_are_pointed_out() -> None:
    resistance = Figure("bulk_resistance", 4.08, "ohm", "given", 0.02)
    figure = ionic_conductivity(resistance, Estimate(25e-6), Estimate(2.011e-4))
    assert [warning.split(":")[0] for warning in figure.warnings] == [
        "the cell file gives no uncertainty of the thickness",
        "the cell file gives no uncertainty of the area",
    ]


def test_a_resistance_of_nothing_has_no_conductivity() -> None:
    with pytest.raises(FigureError, match="all must be more than 0"):
        ionic_conductivity(Figure("bulk_resistance", -1.0, "ohm", "given"), Estimate(25e-6), Estimate(2e-4))
