"""A circuit written as text: read with its place where it is wrong, fitted without being told a start."""

import numpy as np
import pytest

from protocols.figures.circuit import Weighting
from protocols.figures.circuit_string import CircuitTextError, circuit_parameters, read_circuit
from protocols.figures.spectrum import Spectrum
from tests.protocols.figures.synthetic import frequencies, lithium, measured
from tests.protocols.figures.test_circuit import DOCUMENTED, EXAMPLE


def test_series_and_parallel_by_hand() -> None:
    # at 1 rad/s: 1 + 1/(1/2 + j·0.5) = 1 + 1 - j = 2 - j
    circuit = read_circuit("R0 - p(R1, C1)")
    assert circuit.names == ("R0", "R1", "C1")
    assert circuit.impedance(np.array([1.0]), 1.0, 2.0, 0.5)[0] == pytest.approx(2 - 1j)


@pytest.mark.parametrize(
    ("text", "at", "seen"),
    [
        ("R0-p(R1,Q1)", 8, "'Q1'"),
        ("R0-", 3, "the end"),
        ("R0-p(R1)", 7, "one branch"),
        ("R0-R0", 3, "R0 a second time"),
        ("R0)", 2, "')'"),
        ("p(R1,C1", 7, "the end"),
        ("", 0, "the end"),
    ],
)
def test_what_is_no_circuit_is_refused_where_it_stops_being_one(text: str, at: int, seen: str) -> None:
    with pytest.raises(CircuitTextError) as refused:
        read_circuit(text)
    assert refused.value.at == at
    assert seen in refused.value.seen


def test_a_fit_finds_its_own_start() -> None:
    f = frequencies(0.1)
    spectrum = measured(f, lithium(f, diffusion=0.0), seed=1)
    found = {figure.name: figure for figure in circuit_parameters(read_circuit("R0-p(R1,C1)"), spectrum)}
    for name, truth in (("circuit_R0", 4.08), ("circuit_R1", 30.0), ("circuit_C1", 5e-6)):
        figure = found[name]
        assert figure.uncertainty is not None
        assert abs(figure.value - truth) < 3 * figure.uncertainty < 0.01 * truth, name


def test_a_parameter_the_data_do_not_see_is_said_to_be_so() -> None:
    f = frequencies(0.1)
    spectrum = measured(f, lithium(f, diffusion=0.0), seed=1)
    figures = circuit_parameters(read_circuit("R0-p(R1,C1)-p(R2,C2)"), spectrum)
    assert any("does not determine" in warning for figure in figures for warning in figure.warnings)


def test_the_documented_fit_of_a_real_cell_from_its_text() -> None:
    columns = np.loadtxt(EXAMPLE, delimiter=",")
    columns = columns[columns[:, 2] < 0]
    spectrum = Spectrum.of(columns[:, 0], columns[:, 1], columns[:, 2])
    circuit = read_circuit("R0-p(R1,C1)-p(R2-Wo1,C2)")
    start = dict(zip(circuit.names, (0.01, 0.01, 100.0, 0.005, 0.05, 100.0, 1.0), strict=True))
    fit = circuit.fit(spectrum, Weighting.NONE, known=start)
    for name, key in (
        ("R0", "R0"),
        ("R1", "R1"),
        ("C1", "C1"),
        ("R2", "R2"),
        ("Wo1_R", "Wo_0"),
        ("C2", "C2"),
    ):
        assert fit.estimate(name).value == pytest.approx(DOCUMENTED[key], rel=0.01), name
