"""Circuits are fitted weighted by 1/|Z|; a documented fit of a real cell comes out the same."""

from pathlib import Path

import numpy as np
import pytest

from protocols.errors import FigureError
from protocols.figures.circuit import Parameter, Weighting, fit_circuit
from protocols.figures.elements import BLOCKING
from protocols.figures.estimate import Array
from protocols.figures.spectrum import ComplexArray, Spectrum
from tests.protocols.figures.synthetic import blocking, covered, frequencies, lithium, measured

EXAMPLE = Path(__file__).parents[2] / "data" / "spectrum.csv"
DOCUMENTED = {
    "R0": 1.65e-2,
    "R1": 8.68e-3,
    "C1": 3.32,
    "R2": 5.39e-3,
    "Wo_0": 6.31e-2,
    "Wo_1": 233.0,
    "C2": 0.22,
}


def documented_circuit(
    w: Array, r0: float, r1: float, c1: float, r2: float, wo: float, time: float, c2: float
) -> ComplexArray:
    """R0-p(R1,C1)-p(R2-Wo1,C2), Wo the finite-space (reflective) Warburg element."""
    root = np.sqrt(1j * w * time)
    slow = r2 + wo / (root * np.tanh(root))
    impedance: ComplexArray = r0 + 1 / (1 / r1 + 1j * w * c1) + 1 / (1 / slow + 1j * w * c2)
    return impedance


def test_the_documented_fit_of_a_real_cell_is_reproduced() -> None:
    columns = np.loadtxt(EXAMPLE, delimiter=",")
    columns = columns[columns[:, 2] < 0]  # the documented fit leaves the inductive points out
    spectrum = Spectrum.of(columns[:, 0], columns[:, 1], columns[:, 2])
    starts = zip(DOCUMENTED, (0.01, 0.01, 100.0, 0.005, 0.05, 100.0, 1.0), strict=True)
    parameters = [Parameter(name, "", start) for name, start in starts]
    fit = fit_circuit("example", documented_circuit, parameters, spectrum, weighting=Weighting.NONE)
    for name in ("R0", "R1", "C1", "R2", "Wo_0", "C2"):
        assert fit.estimate(name).value == pytest.approx(DOCUMENTED[name], rel=0.01), name
    # the two of the Warburg element go together: the time within its own uncertainty (7 %)
    time = fit.estimate("Wo_1")
    assert abs(time.value - DOCUMENTED["Wo_1"]) < time.uncertainty < 0.1 * time.value
    documented = documented_circuit(spectrum.angular, *DOCUMENTED.values())
    distance = float(np.sqrt(np.mean(np.abs(documented - spectrum.impedance) ** 2)))
    assert 0.99 * distance < fit.residual <= distance  # as good a fit, and not a worse one


@pytest.mark.parametrize("lowest", [10.0, 0.01])
def test_bulk_resistance_of_a_blocking_cell_is_unbiased_and_its_uncertainty_honest(lowest: float) -> None:
    f = frequencies(lowest)
    clean = blocking(f)
    fits = [BLOCKING.fit(measured(f, clean, seed)).estimate("bulk_resistance") for seed in range(200)]
    bias, coverage = covered(fits, 4.08)
    assert abs(bias) < 0.2
    assert 0.90 <= coverage <= 0.99
    assert np.mean([fit.uncertainty for fit in fits]) < 0.001 * 4.08  # the reference figure is 0.05 %


def test_unweighted_the_bulk_resistance_would_be_lost_under_the_slow_points() -> None:
    """At 10 mHz |Z| is some 400 kilo-ohm: 0.2 % of that is 200 times Rb."""
    f = frequencies(0.01)
    clean = blocking(f, inductance=0.0)
    weighted, unweighted = [], []
    for seed in range(12):
        spectrum = measured(f, clean, seed)
        starts = BLOCKING.starts(spectrum)
        weighted.append(BLOCKING.fit(spectrum).estimate("bulk_resistance").value)
        plain = fit_circuit("plain", BLOCKING.impedance, starts, spectrum, weighting=Weighting.NONE)
        unweighted.append(plain.estimate("bulk_resistance").value)
    assert np.max(np.abs(np.array(weighted) / 4.08 - 1)) < 0.003
    assert np.median(np.abs(np.array(unweighted) / 4.08 - 1)) > 0.1


def test_a_circuit_that_is_not_the_cells_shows_in_its_residual() -> None:
    f = frequencies(0.1)
    assert BLOCKING.fit(measured(f, lithium(f), 0)).residual > 0.1


def test_more_parameters_than_numbers_are_refused() -> None:
    f = frequencies(1e4, per_decade=7)  # 8 points, 16 numbers
    parameters = [Parameter(f"R{i}", "ohm", 1.0) for i in range(16)]
    with pytest.raises(FigureError, match="8 points for the 16 parameters of chain: too few"):
        fit_circuit(
            "chain", lambda w, *ohms: np.full(len(w), sum(ohms) + 0j), parameters, measured(f, blocking(f), 0)
        )


def test_a_parameter_the_data_do_not_see_is_reported_as_unknown() -> None:
    f = frequencies(1e3)
    spectrum = measured(f, np.full(len(f), 5.0 + 0j), 0)
    parameters = [Parameter("seen", "ohm", 4.0), Parameter("unseen", "ohm", 1.0)]
    fit = fit_circuit("flat", lambda w, seen, unseen: np.full(len(w), seen + 0j), parameters, spectrum)
    assert fit.estimate("seen").value == pytest.approx(5.0, rel=1e-3)
    assert fit.estimate("unseen").uncertainty > 1e3
