"""Circuits in series: elements whose impedance is an amplitude times a shape.

Amplitudes enter linearly. That is what finds a start for the fit without asking anybody: on a grid
of the few shape parameters the amplitudes follow from one non-negative least-squares solution.
"""

import itertools
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np

from protocols.figures.circuit import CircuitFit, Parameter, fit_circuit
from protocols.figures.estimate import Array
from protocols.figures.spectrum import ComplexArray, Spectrum

Shape: TypeAlias = Callable[..., ComplexArray]
TIMES_PER_DECADE = 2
EVALUATIONS = 400  # a circuit that fits at all settles in 150; one that does not, costs no more


@dataclass(frozen=True, slots=True)
class Element:
    """One element: its amplitude's name and unit, its shape, and what the shape needs.

    `timed` shapes take a time constant (s) first, tried over the whole spectrum; `exponent` is the
    start of a free exponent, which the shape takes last.
    """

    name: str
    unit: str
    shape: Shape
    timed: bool = False
    exponent: float | None = None
    signed: bool = False

    @property
    def shape_names(self) -> tuple[str, ...]:
        """Names of the shape's parameters, in its order."""
        time = (f"{self.name}_time",) if self.timed else ()
        return time if self.exponent is None else (*time, f"{self.name}_exponent")


def bulk() -> Element:
    """R: separator, electrolyte and contacts, ohm."""
    return Element("bulk_resistance", "ohm", lambda w: np.ones_like(w) + 0j)


def lead() -> Element:
    """jωL: leads, henry."""
    return Element("inductance", "H", lambda w: 1j * w, signed=True)


def constant_phase() -> Element:
    """A (jω)⁻ⁿ with A = 1/Q: a blocking electrode."""
    return Element("blocking", "ohm s^-n", lambda w, n: (1j * w) ** -n, exponent=0.9)


def arc(name: str) -> Element:
    """R / (1 + jωτ): a resistance with its capacitance beside it."""
    return Element(name, "ohm", lambda w, time: 1 / (1 + 1j * w * time), timed=True)


def depressed_arc(name: str) -> Element:
    """R / (1 + (jωτ)ⁿ): the same with a constant-phase element."""
    return Element(name, "ohm", lambda w, time, n: 1 / (1 + (1j * w * time) ** n), timed=True, exponent=0.9)


def warburg() -> Element:
    """A (jω)^-1/2: diffusion whose far end is not seen."""
    return Element("warburg", "ohm s^-1/2", lambda w: (1j * w) ** -0.5)


def finite_warburg() -> Element:
    """R tanh √(jωτ) / √(jωτ): diffusion across a layer."""
    return Element("diffusion", "ohm", _tanh_shape, timed=True)


def _tanh_shape(w: Array, time: float) -> ComplexArray:
    root = np.sqrt(1j * w * time)
    shape: ComplexArray = np.tanh(root) / root
    return shape


@dataclass(frozen=True, slots=True)
class SeriesCircuit:
    """Elements in series, under the name they are quoted by."""

    name: str
    elements: tuple[Element, ...]

    @property
    def arcs(self) -> tuple[str, ...]:
        """Names of the arcs: together the interfacial resistance."""
        return tuple(e.name for e in self.elements if e.name.startswith("interface"))

    @property
    def names(self) -> tuple[str, ...]:
        """Names of all parameters, in the order `impedance` takes them."""
        return tuple(name for e in self.elements for name in (e.name, *e.shape_names))

    def impedance(self, angular: Array, *values: float) -> ComplexArray:
        """Return the sum of all elements; `values` in the order of `names`."""
        total = np.zeros(len(angular), dtype=complex)
        at = 0
        for element in self.elements:
            shape = values[at + 1 : at + 1 + len(element.shape_names)]
            total += values[at] * element.shape(angular, *shape)
            at += 1 + len(shape)
        return total

    def fit(self, spectrum: Spectrum) -> CircuitFit:
        """Fit it, beginning at the best point of a grid. Raises `FigureError`."""
        return fit_circuit(self.name, self.impedance, self.starts(spectrum), spectrum, EVALUATIONS)

    def starts(self, spectrum: Spectrum) -> list[Parameter]:
        """Return the parameters at the best point of the grid, to begin a fit with."""
        from scipy.optimize import nnls  # late: costs half a second

        weight = 1 / np.abs(spectrum.impedance)
        wanted = _weighted(spectrum.impedance, weight)
        best: tuple[float, Array, Sequence[tuple[float, ...]]] | None = None
        for shapes in self._grid(spectrum):
            columns = self._columns(spectrum, weight, shapes)
            norms = np.linalg.norm(columns, axis=0)
            shares, error = nnls(columns / norms, wanted)
            if best is None or error < best[0]:
                # an element the grid did without still starts with a hundredth of the whole
                floor = 0.01 * float(np.linalg.norm(wanted))
                best = (float(error), np.maximum(shares, floor) / norms, shapes)
        if best is None:
            raise ValueError("the grid is empty")
        return list(self._parameters(best[1], best[2]))

    def _columns(self, spectrum: Spectrum, weight: Array, shapes: Sequence[tuple[float, ...]]) -> Array:
        pairs = zip(self.elements, shapes, strict=True)
        return np.stack([_weighted(e.shape(spectrum.angular, *s), weight) for e, s in pairs], axis=1)

    def _grid(self, spectrum: Spectrum) -> Iterator[Sequence[tuple[float, ...]]]:
        """Yield shape parameters for every element; arcs of one circuit from fast to slow only."""
        points = max(2, round(spectrum.decades * TIMES_PER_DECADE) + 1)
        times = np.geomspace(1 / spectrum.angular[0], 1 / spectrum.angular[-1], points).tolist()
        timed = [e for e in self.elements if e.timed]
        for chosen in itertools.product(times, repeat=len(timed)):
            arcs = [time for element, time in zip(timed, chosen, strict=True) if element.name in self.arcs]
            if all(fast < slow for fast, slow in itertools.pairwise(arcs)):
                following = iter(chosen)
                yield [_shape_start(element, following) for element in self.elements]

    def _parameters(self, amplitudes: Array, shapes: Sequence[tuple[float, ...]]) -> Iterator[Parameter]:
        for element, amplitude, shape in zip(self.elements, amplitudes.tolist(), shapes, strict=True):
            yield Parameter(element.name, element.unit, amplitude, element.signed)
            for name, start in zip(element.shape_names, shape, strict=True):
                yield Parameter(name, "1" if name.endswith("exponent") else "s", start)


def _shape_start(element: Element, times: Iterator[float]) -> tuple[float, ...]:
    time = (next(times),) if element.timed else ()
    return time if element.exponent is None else (*time, element.exponent)


def _weighted(impedance: ComplexArray, weight: Array) -> Array:
    return np.concatenate([impedance.real * weight, impedance.imag * weight])


BLOCKING = SeriesCircuit("L-R-CPE", (lead(), bulk(), constant_phase()))
CIRCUITS = (
    BLOCKING,
    SeriesCircuit("L-R-(R|C)", (lead(), bulk(), arc("interface"))),
    SeriesCircuit("L-R-(R|CPE)", (lead(), bulk(), depressed_arc("interface"))),
    SeriesCircuit("L-R-(R|C)-W", (lead(), bulk(), arc("interface"), warburg())),
    SeriesCircuit("L-R-(R|CPE)-W", (lead(), bulk(), depressed_arc("interface"), warburg())),
    SeriesCircuit("L-R-(R|C)-T", (lead(), bulk(), arc("interface"), finite_warburg())),
    SeriesCircuit("L-R-(R|CPE)-T", (lead(), bulk(), depressed_arc("interface"), finite_warburg())),
    SeriesCircuit("L-R-(R|CPE)-CPE", (lead(), bulk(), depressed_arc("interface"), constant_phase())),
    SeriesCircuit(
        "L-R-(R|CPE)-(R|CPE)-W",
        (lead(), bulk(), depressed_arc("interface_1"), depressed_arc("interface_2"), warburg()),
    ),
    SeriesCircuit(
        "L-R-(R|CPE)-(R|CPE)-CPE",
        (lead(), bulk(), depressed_arc("interface_1"), depressed_arc("interface_2"), constant_phase()),
    ),
)
"""What bulk and interfacial resistance are looked for with; W is a semi-infinite and T a finite
(transmissive) Warburg element."""
