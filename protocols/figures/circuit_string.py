"""An equivalent circuit written as text, such as `R0-p(R1,CPE1)-W1`, read and fitted.

`-` puts in series, `p(a,b,…)` in parallel, either may hold the other. Elements: R, C, L, CPE, W (diffusion
whose far end is not seen), Wo (reflecting end) and Ws (transmitting end), each with a number or letters
of its own.
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from types import MappingProxyType
from typing import TypeAlias

import numpy as np

from protocols.errors import FigureError
from protocols.figures.circuit import CircuitFit, Parameter, Weighting, fit_circuit
from protocols.figures.estimate import Array
from protocols.figures.figure import NOWHERE, Figure, RunPlace
from protocols.figures.spectrum import ComplexArray, Spectrum

CIRCUIT = "circuit: "
"""How a circuit to be fitted is told from a figure's name."""

STARTS = 40
AGREEING = 3
SETTLED = 1e-3
POOR = 0.02
LONGEST = 200
_NAME = re.compile(r"([A-Z][A-Za-z]*?)(\d\w*)?(?![A-Za-z0-9_])")


class CircuitTextError(FigureError):
    """The text is no circuit; `at` is the character, counted from 0, where it stops being one."""

    def __init__(self, seen: str, wanted: str, at: int) -> None:
        super().__init__(f"{seen} at character {at + 1}; wanted {wanted}")
        self.seen, self.wanted, self.at = seen, wanted, at


def _coth_over(w: Array, ohms: float, time: float) -> ComplexArray:
    root = np.sqrt(1j * w * time)
    shape: ComplexArray = ohms / (root * np.tanh(root))
    return shape


def _tanh_over(w: Array, ohms: float, time: float) -> ComplexArray:
    root = np.sqrt(1j * w * time)
    shape: ComplexArray = ohms * np.tanh(root) / root
    return shape


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of element: what follows its name in each parameter's name, the units, its impedance."""

    parts: tuple[str, ...]
    units: tuple[str, ...]
    impedance: Callable[..., ComplexArray]


KINDS: Mapping[str, Kind] = {
    "R": Kind(("",), ("ohm",), lambda w, ohms: np.full(len(w), ohms, dtype=complex)),
    "C": Kind(("",), ("F",), lambda w, farad: 1 / (1j * w * farad)),
    "L": Kind(("",), ("H",), lambda w, henry: 1j * w * henry),
    "CPE": Kind(("_Q", "_n"), ("S s^n", "1"), lambda w, q, n: 1 / (q * (1j * w) ** n)),
    "W": Kind(("",), ("ohm s^-1/2",), lambda w, sigma: sigma * (1 - 1j) / np.sqrt(w)),
    "Wo": Kind(("_R", "_time"), ("ohm", "s"), _coth_over),
    "Ws": Kind(("_R", "_time"), ("ohm", "s"), _tanh_over),
}


@dataclass(frozen=True, slots=True)
class Element:
    """One element under its name."""

    name: str
    kind: Kind

    def impedance(self, w: Array, values: Iterator[float]) -> ComplexArray:
        """Return its impedance, taking as many values as it has parameters."""
        return self.kind.impedance(w, *(next(values) for _ in self.kind.parts))

    def elements(self) -> "Iterator[Element]":
        yield self


@dataclass(frozen=True, slots=True)
class Branches:
    """Branches in series, or in parallel."""

    parts: "tuple[Branch, ...]"
    parallel: bool

    def impedance(self, w: Array, values: Iterator[float]) -> ComplexArray:
        each = np.stack([part.impedance(w, values) for part in self.parts])
        total: ComplexArray = 1 / np.sum(1 / each, axis=0) if self.parallel else np.sum(each, axis=0)
        return total

    def elements(self) -> Iterator[Element]:
        for part in self.parts:
            yield from part.elements()


Branch: TypeAlias = Element | Branches


@dataclass(frozen=True, slots=True)
class Circuit:
    """A circuit as it was written."""

    text: str
    root: Branch

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the parameters, in the order of the text."""
        return tuple(f"{e.name}{part}" for e in self.root.elements() for part in e.kind.parts)

    @property
    def units(self) -> tuple[str, ...]:
        """Their units."""
        return tuple(unit for e in self.root.elements() for unit in e.kind.units)

    def impedance(self, w: Array, *values: float) -> ComplexArray:
        """Return the impedance at angular frequencies, `values` in the order of `names`."""
        return self.root.impedance(w, iter(values))

    def fit(
        self,
        spectrum: Spectrum,
        weighting: Weighting = Weighting.MODULUS,
        known: Mapping[str, float] = MappingProxyType({}),
    ) -> CircuitFit:
        """Fit it, weighted by 1/|Z|, from many starts drawn from what the spectrum can show.

        The draws are the same each time; `known` are parameters to begin with instead (all of them:
        one start). `FigureError` for a name that is none, and where no start leads to a fit.
        """
        if strange := sorted(set(known) - set(self.names)):
            raise FigureError(f"{self.text} has no {strange[0]}; it has {', '.join(self.names)}")
        random = np.random.default_rng(0)
        found: list[CircuitFit] = []
        for _ in range(1 if len(known) == len(self.names) else STARTS):
            drawn = self._draw(spectrum, random)
            starts = [Parameter(name, unit, known.get(name, start)) for name, unit, start in drawn]
            try:
                found.append(fit_circuit(self.text, self.impedance, starts, spectrum, 600, weighting))
            except FigureError:
                continue  # this start leads nowhere; another may
            best = min(fit.residual for fit in found)
            if sum(fit.residual <= best * (1 + SETTLED) + 1e-12 for fit in found) >= AGREEING:
                break
        if not found:
            raise FigureError(f"the fit of {self.text} settled from none of {STARTS} starts")
        return min(found, key=lambda fit: fit.residual)

    def _draw(self, spectrum: Spectrum, random: np.random.Generator) -> Iterator[tuple[str, str, float]]:
        """Yield name, unit and a start of each parameter."""
        size = np.abs(spectrum.impedance)
        for element in self.root.elements():
            ohms = float(np.exp(random.uniform(np.log(0.2 * size.min()), np.log(size.max()))))
            time = float(np.exp(random.uniform(-np.log(spectrum.angular[0]), -np.log(spectrum.angular[-1]))))
            power = float(random.uniform(0.7, 1.0))
            drawn = {
                "ohm": ohms,
                "F": time / ohms,
                "H": 0.3 * float(size.min() / spectrum.angular[0]),
                "S s^n": time**power / ohms,
                "1": power,
                "ohm s^-1/2": ohms / np.sqrt(time),
                "s": time,
            }
            for part, unit in zip(element.kind.parts, element.kind.units, strict=True):
                yield f"{element.name}{part}", unit, drawn[unit]


@lru_cache(maxsize=1024)
def _fitted(text: str, frequency: bytes, impedance: bytes) -> CircuitFit:
    """Figures are made anew whenever a step ends; a spectrum is fitted once."""
    spectrum = Spectrum(np.frombuffer(frequency, dtype=float), np.frombuffer(impedance, dtype=complex))
    return read_circuit(text).fit(spectrum)


def circuit_parameters(circuit: Circuit, spectrum: Spectrum, place: RunPlace = NOWHERE) -> list[Figure]:
    """Fit a circuit and return a figure for each of its parameters, `circuit_R1` and so on."""
    fit = _fitted(circuit.text, spectrum.frequency.tobytes(), spectrum.impedance.tobytes())
    hertz = spectrum.frequency
    method = (
        f"{circuit.text}, least squares weighted by 1/|Z| over {len(hertz)} points, {hertz[0]:g} Hz to "
        f"{hertz[-1]:g} Hz; {100 * fit.residual:.2g} % unexplained"
    )
    poor = (f"{circuit.text} leaves {100 * fit.residual:.1f} % unexplained",) if fit.residual > POOR else ()
    return [
        Figure(
            name=f"circuit_{name}",
            value=value,
            unit=unit,
            uncertainty=uncertainty,
            method=method,
            warnings=poor + _undetermined(name, value, uncertainty),
            detail={"circuit": circuit.text, "residual": fit.residual, "parameters": fit.as_mapping()},
            place=place,
        )
        for name, unit in zip(circuit.names, circuit.units, strict=True)
        for value, uncertainty in [fit.estimate(name)]
    ]


def _undetermined(name: str, value: float, uncertainty: float) -> tuple[str, ...]:
    if uncertainty < 0.5 * abs(value):
        return ()
    return (f"the spectrum does not determine {name}: leave it out, or measure where it shows",)


def read_circuit(text: str) -> Circuit:
    """Read a circuit; `CircuitTextError` says where it stops being one."""
    if len(text) > LONGEST:
        raise CircuitTextError(f"{len(text)} characters", f"{LONGEST} at most", LONGEST)
    reader = _Reader(text)
    root = reader.series(0)
    if reader.at < len(text):
        raise CircuitTextError(f"{text[reader.at]!r}", "`-` or the end", reader.at)
    _differ(text, [element.name for element in root.elements()])
    return Circuit(text, root)


def _differ(text: str, names: Sequence[str]) -> None:
    for name in names:
        if names.count(name) > 1:
            again = [m.start() for m in re.finditer(rf"\b{name}\b", text)][1]
            raise CircuitTextError(f"{name} a second time", "another number for it", again)


class _Reader:
    """Reads a circuit from left to right."""

    def __init__(self, text: str) -> None:
        self._text = text
        self.at = 0

    def series(self, depth: int) -> Branch:
        parts = [self._part(depth)]
        while self._next("-"):
            parts.append(self._part(depth))
        return parts[0] if len(parts) == 1 else Branches(tuple(parts), parallel=False)

    def _part(self, depth: int) -> Branch:
        self._skip_blanks()
        if self._text[self.at : self.at + 1] == "p":
            return self._parallel(depth + 1)
        found = _NAME.match(self._text, self.at)
        if found is None or found[1] not in KINDS:
            seen = repr(found[0]) if found else repr(self._text[self.at : self.at + 1] or "the end")
            raise CircuitTextError(
                seen, f"p( or one of {', '.join(KINDS)} with a number, such as R1", self.at
            )
        self.at = found.end()
        return Element(found[0], KINDS[found[1]])

    def _parallel(self, depth: int) -> Branch:
        if depth > 8:
            raise CircuitTextError("p( within p( more than 8 deep", "a flatter circuit", self.at)
        self.at += 1
        self._need("(", "( after p")
        parts = [self.series(depth)]
        while self._next(","):
            parts.append(self.series(depth))
        self._need(")", ", or )")
        if len(parts) < 2:
            raise CircuitTextError("one branch", "two at least in p( )", self.at - 1)
        return Branches(tuple(parts), parallel=True)

    def _next(self, character: str) -> bool:
        self._skip_blanks()
        if self._text[self.at : self.at + 1] != character:
            return False
        self.at += 1
        return True

    def _need(self, character: str, wanted: str) -> None:
        if not self._next(character):
            raise CircuitTextError(repr(self._text[self.at : self.at + 1] or "the end"), wanted, self.at)

    def _skip_blanks(self) -> None:
        while self._text[self.at : self.at + 1] == " ":
            self.at += 1
