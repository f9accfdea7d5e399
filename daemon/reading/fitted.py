"""The circuit that the figures of a spectrum were read off, drawn finely."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from daemon.reading.results import FigureRecord
from protocols.figures.elements import CIRCUITS
from protocols.figures.estimate import Array
from protocols.figures.spectrum import ComplexArray

POINTS = 240


@dataclass(frozen=True, slots=True)
class Fit:
    """A fitted circuit over the frequencies of its spectrum, hertz and ohm."""

    step: int
    circuit: str
    method: str
    frequency: Sequence[float]
    real: Sequence[float]
    imaginary: Sequence[float]


def fitted(figures: Sequence[FigureRecord], step: int, hertz: Array) -> tuple[Array, ComplexArray] | None:
    """Return frequencies and impedance of the circuit fitted to a step's spectrum; None where none was."""
    found = _figure_of(figures, step)
    if found is None:
        return None
    circuit = next((one for one in CIRCUITS if one.name == found.detail["circuit"]), None)
    parameters: Mapping[str, Mapping[str, float]] = found.detail["parameters"]
    if circuit is None:
        return None
    fine = np.geomspace(hertz.max(), hertz.min(), POINTS)
    values = [parameters[name]["value"] for name in circuit.names]
    return fine, circuit.impedance(2 * np.pi * fine, *values)


def fits(figures: Sequence[FigureRecord], spectra: Mapping[int, Array]) -> list[Fit]:
    """Return the fit of every spectrum (step to frequencies) that has one."""
    found = []
    for step, hertz in spectra.items():
        curve, figure = fitted(figures, step, hertz), _figure_of(figures, step)
        if curve is not None and figure is not None:
            fine, ohms = curve
            circuit = str(figure.detail["circuit"])
            found.append(
                Fit(step, circuit, figure.method, fine.tolist(), ohms.real.tolist(), ohms.imag.tolist())
            )
    return found


def _figure_of(figures: Sequence[FigureRecord], step: int) -> FigureRecord | None:
    return next((f for f in figures if f.step == step and "circuit" in f.detail), None)
