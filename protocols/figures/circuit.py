"""An equivalent circuit, and its fit to a spectrum.

Residuals are weighted by 1/|Z| ("modulus weighting"): unweighted, the large low-frequency points
decide everything and the bulk resistance of a blocking cell is lost (tests show by how much).
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeAlias

import numpy as np

from protocols.errors import FigureError
from protocols.figures.estimate import Array, Estimate, propagated_jointly
from protocols.figures.spectrum import ComplexArray, Spectrum

Model: TypeAlias = Callable[..., ComplexArray]
MOST_EVALUATIONS = 4000


class Weighting(StrEnum):
    """What residuals are divided by: |Z| of the point, or nothing (to compare with older fits)."""

    MODULUS = "modulus"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class Parameter:
    """One unknown of a circuit.

    It is positive and fitted as its logarithm, unless `signed`: then it is fitted in multiples
    of `start` and may take either sign (a lead inductance may be over-compensated).
    """

    name: str
    unit: str
    start: float
    signed: bool = False

    def value(self, fitted: float) -> float:
        """Return the parameter from the number the solver moves."""
        return fitted * self.start if self.signed else float(np.exp(fitted))

    def first(self) -> float:
        """Return the number the solver begins with."""
        return 1.0 if self.signed else float(np.log(self.start))

    def derivative(self, fitted: float) -> float:
        """Return d value / d fitted."""
        return self.start if self.signed else self.value(fitted)


@dataclass(frozen=True, slots=True, eq=False)
class CircuitFit:
    """Parameters of one circuit fitted to one spectrum.

    `covariance` belongs to the values, in their units; it is scaled by the scatter of the
    residuals. `residual` is the rms of |model - measured| / |measured| (of the plain difference, in
    ohm, where the fit was not weighted). `criterion` is Schwarz's
    (BIC): of several circuits fitted to one spectrum the lowest is preferred.
    """

    circuit: str
    names: tuple[str, ...]
    values: tuple[float, ...]
    covariance: Array
    residual: float
    criterion: float

    def estimate(self, name: str) -> Estimate:
        """Return one parameter with its standard uncertainty."""
        at = self.names.index(name)
        return Estimate(self.values[at], float(np.sqrt(self.covariance[at, at])))

    def total(self, names: Sequence[str]) -> Estimate:
        """Return the sum of parameters; that they were fitted together is accounted for."""
        return propagated_jointly(lambda *ohms: sum(ohms), *self.chosen(names))

    def chosen(self, names: Sequence[str]) -> tuple[list[float], Array]:
        """Return the values and the covariance of some of the parameters, in that order."""
        at = [self.names.index(name) for name in names]
        return [self.values[i] for i in at], self.covariance[np.ix_(at, at)]

    def as_mapping(self) -> Mapping[str, Mapping[str, float]]:
        """Return every parameter with its uncertainty as plain data."""
        return {name: self.estimate(name)._asdict() for name in self.names}


def fit_circuit(
    name: str,
    model: Model,
    parameters: Sequence[Parameter],
    spectrum: Spectrum,
    evaluations: int = MOST_EVALUATIONS,
    weighting: Weighting = Weighting.MODULUS,
) -> CircuitFit:
    """Fit `model(angular frequency, *parameters)` to the spectrum, weighted by 1/|Z| unless told otherwise.

    Raises `FigureError` where the spectrum has too few points for the parameters, or the fit has
    not settled after so many evaluations of the model.
    """
    from scipy.optimize import least_squares  # late: costs half a second

    if 2 * len(spectrum.frequency) <= len(parameters) + 1:
        points = len(spectrum.frequency)
        raise FigureError(f"{points} points for the {len(parameters)} parameters of {name}: too few")
    angular, measured = spectrum.angular, spectrum.impedance
    weight = 1.0 / np.abs(measured) if weighting is Weighting.MODULUS else np.ones(len(measured))

    def residuals(fitted: Array) -> Array:
        # exp overflows where the solver tries too much; the guard below turns that into a large residual
        with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
            values = [p.value(x) for p, x in zip(parameters, fitted, strict=True)]
            error = (model(angular, *values) - measured) * weight
        return np.nan_to_num(_stacked(error), nan=1e6, posinf=1e6, neginf=-1e6)

    first = np.array([p.first() for p in parameters])
    solution = least_squares(residuals, first, method="lm", max_nfev=evaluations)
    if solution.status <= 0:
        raise FigureError(f"the fit of {name} did not settle in {evaluations} evaluations")
    return _made(name, parameters, np.asarray(solution.x), np.asarray(solution.jac), np.asarray(solution.fun))


def _stacked(error: ComplexArray) -> Array:
    return np.concatenate([error.real, error.imag])


def _made(name: str, parameters: Sequence[Parameter], x: Array, jacobian: Array, error: Array) -> CircuitFit:
    rows, columns = len(error), len(parameters)
    squares = float(error @ error)
    # a parameter that ran away has no finite variance: it shows as inf or NaN, and is no warning
    with np.errstate(over="ignore", invalid="ignore"):
        scale = np.diag([p.derivative(value) for p, value in zip(parameters, x, strict=True)])
        covariance = scale @ _inverse_of_normal(jacobian) @ scale * squares / (rows - columns)
        values = tuple(p.value(value) for p, value in zip(parameters, x, strict=True))
    return CircuitFit(
        circuit=name,
        names=tuple(p.name for p in parameters),
        values=values,
        covariance=covariance,
        residual=float(np.sqrt(2 * squares / rows)),
        criterion=rows * float(np.log(max(squares, 1e-30) / rows)) + columns * float(np.log(rows)),
    )


def _inverse_of_normal(jacobian: Array) -> Array:
    """Return (JᵀJ)⁻¹; a direction the data do not see keeps a huge variance rather than none."""
    norms = np.maximum(np.linalg.norm(jacobian, axis=0), 1e-12)
    scaled = jacobian / norms
    strengths, directions = np.linalg.eigh(scaled.T @ scaled)
    inverse: Array = (directions / np.maximum(strengths, 1e-14)) @ directions.T
    return inverse / np.outer(norms, norms)
