"""Whatever was recorded, a figure comes out finite or is refused with `FigureError`: nothing else."""

import math
from collections.abc import Callable, Iterable
from contextlib import suppress

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from protocols.errors import FigureError
from protocols.figures import plating, transference
from protocols.figures.elements import BLOCKING, CIRCUITS
from protocols.figures.estimate import Array
from protocols.figures.figure import Figure
from protocols.figures.impedance import analyse, bulk_resistance
from protocols.figures.polarisation import Polarisation
from protocols.figures.pulses import pulse_resistance
from protocols.figures.spectrum import Spectrum
from protocols.figures.voltammetry import voltammetry_peaks

ORDINARY = st.floats(-5, 5) | st.sampled_from([0.0, -0.0, 1e-12, -1e-9, float("nan"), float("inf")])
ROWS = st.lists(st.tuples(ORDINARY, ORDINARY), min_size=0, max_size=60)
Columns = tuple[Array, Array, Array]


def columns(rows: list[tuple[float, float]]) -> Columns:
    table = np.array(rows, dtype=float).reshape(-1, 2)
    return np.arange(1.0, len(rows) + 1), table[:, 0], table[:, 1]


def polarised(time: Array, first: Array, second: Array) -> Iterable[Figure]:
    data = transference.transference_data(Polarisation.of(time, first, second, 0.0))
    return [transference.transference_number(data), transference.transference_number_extrapolated(data)]


FIGURES: dict[str, Callable[[Array, Array, Array], Iterable[Figure]]] = {
    "nucleation": lambda t, a, b: [plating.nucleation_overpotential(a, np.abs(b).cumsum())],
    "overpotential": lambda t, a, b: [plating.overpotential((a, t), (b, -t))],
    "soft short": lambda t, a, b: [plating.soft_short([(i, float(v)) for i, v in enumerate(a)])],
    "pulse": lambda t, a, b: [pulse_resistance([(3.7, 0.0)], t, a, b)],
    "voltammetry": voltammetry_peaks,
    "transference": polarised,
}


@pytest.mark.parametrize("name", FIGURES)
@settings(max_examples=60, deadline=None)
@given(rows=ROWS)
def test_readings_of_any_kind(name: str, rows: list[tuple[float, float]]) -> None:
    figures: list[Figure] = []
    with suppress(FigureError):
        figures = list(FIGURES[name](*columns(rows)))
    for figure in figures:
        assert math.isfinite(figure.value)
        assert figure.uncertainty is None or figure.uncertainty >= 0


@settings(max_examples=60, deadline=None)
@given(rows=st.lists(st.tuples(ORDINARY, ORDINARY), min_size=8, max_size=40))
def test_spectra_of_any_kind(rows: list[tuple[float, float]]) -> None:
    _, real, imaginary = columns(rows)
    with suppress(FigureError):
        spectrum = Spectrum.of(np.geomspace(1e5, 1.0, len(rows)), real, imaginary)
        assert math.isfinite(bulk_resistance(analyse(spectrum, [BLOCKING, CIRCUITS[1]])).value)


@settings(max_examples=60, deadline=None)
@given(
    noise=st.floats(0, 1),
    pace=st.floats(1e-3, 1e4),
    left=st.floats(-0.5, 1),
    count=st.integers(10, 80),
    volts=st.floats(-0.02, 0.02),
)
def test_polarisations_of_any_course(
    noise: float, pace: float, left: float, count: int, volts: float
) -> None:
    time = np.geomspace(1e-3, 1e4, count)
    random = np.random.default_rng(count).standard_normal(count)
    amperes = 1e-4 * (left + (1 - left) * np.exp(-time / pace) + noise * random)
    with suppress(FigureError):
        assert polarised(time, amperes, np.full(count, volts))
