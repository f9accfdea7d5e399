"""Figures from an impedance spectrum: bulk and interfacial resistance, ionic conductivity."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from protocols.errors import FigureError
from protocols.figures.circuit import CircuitFit
from protocols.figures.elements import CIRCUITS, SeriesCircuit
from protocols.figures.estimate import Array, Estimate, propagated
from protocols.figures.figure import NOWHERE, Figure, Plain, RunPlace
from protocols.figures.kramers_kronig import KramersKronig, kramers_kronig
from protocols.figures.spectrum import Intercept, Spectrum

DISAGREEMENT = 0.02
WORST_RESIDUAL = 0.05
POOR_RESIDUAL = 0.01


@dataclass(frozen=True, slots=True, eq=False)
class SpectrumAnalysis:
    """A spectrum with the circuit that explains it best, its axis intercept and its consistency.

    `consistency` is None where the spectrum has too few points for the test.
    """

    spectrum: Spectrum
    circuit: SeriesCircuit
    fit: CircuitFit
    intercept: Intercept
    consistency: KramersKronig | None

    @property
    def bulk(self) -> Estimate:
        """Bulk resistance Rb, ohm."""
        return self.fit.estimate("bulk_resistance")

    @property
    def interface(self) -> Estimate:
        """Interfacial resistance: all arcs together, ohm. `FigureError` if the circuit has none."""
        if not self.circuit.arcs:
            raise FigureError(f"the spectrum is that of {self.circuit.name}: no interfacial arc in it")
        return self.fit.total(self.circuit.arcs)

    def bulk_and_interface(self) -> tuple[float, float, Array]:
        """Return Rb, the interfacial resistance and the covariance of the two, ohm and ohm²."""
        names = ("bulk_resistance", *self.circuit.arcs)
        values, covariance = self.fit.chosen(names)
        shares = _summing(len(names))
        return values[0], self.interface.value, shares @ covariance @ shares.T


def _summing(count: int) -> Array:
    """Return the matrix that keeps the first of `count` values and adds up the others."""
    matrix = np.zeros((2, count))
    matrix[0, 0] = 1.0
    matrix[1, 1:] = 1.0
    return matrix


def analyse(spectrum: Spectrum, circuits: Sequence[SeriesCircuit] = CIRCUITS) -> SpectrumAnalysis:
    """Fit every circuit, weighted by 1/|Z|, and keep the one with the lowest Schwarz criterion.

    A circuit with a part the data do not determine is passed over. `FigureError` if none is left
    or the best leaves more than 5 % unexplained.
    """
    fits = [(circuit, fit) for circuit in circuits if (fit := _supported(circuit, spectrum)) is not None]
    if not fits:
        names = ", ".join(circuit.name for circuit in circuits)
        raise FigureError(f"the spectrum determines none of the circuits {names}")
    circuit, fit = min(fits, key=lambda one: one[1].criterion)
    if not fit.residual <= WORST_RESIDUAL:
        raise FigureError(
            f"{circuit.name} fits best and leaves {100 * fit.residual:.1f} % unexplained; "
            f"wanted {100 * WORST_RESIDUAL:.0f} % at most"
        )
    return SpectrumAnalysis(spectrum, circuit, fit, spectrum.axis_intercept(), _consistency(spectrum))


def _supported(circuit: SeriesCircuit, spectrum: Spectrum) -> CircuitFit | None:
    """Return the fit if every element stands clear of its uncertainty and inside the spectrum."""
    try:
        fit = circuit.fit(spectrum)
    except FigureError:
        return None  # this circuit does not describe the cell; another may
    for element in circuit.elements:
        amplitude = fit.estimate(element.name)
        if not element.signed and not amplitude.value > 2 * amplitude.uncertainty:
            return None
        if element.timed and not _inside(fit.estimate(f"{element.name}_time").value, spectrum):
            return None
        if element.exponent is not None and not fit.estimate(f"{element.name}_exponent").value <= 1.1:
            return None
    return fit


def _inside(time: float, spectrum: Spectrum) -> bool:
    """Whether the top of an arc is seen, or nearly: of one that is not, neither end is known."""
    return bool(0.3 / spectrum.angular[0] <= time <= 3 / spectrum.angular[-1])


def _consistency(spectrum: Spectrum) -> KramersKronig | None:
    try:
        return kramers_kronig(spectrum)
    except FigureError:
        return None


def bulk_resistance(analysis: SpectrumAnalysis, place: RunPlace = NOWHERE) -> Figure:
    """Rb, ohm: high-frequency resistance of the fitted circuit, contacts and leads included.

    The axis intercept stands beside it; more than 2 % apart is a warning.
    """
    value, uncertainty = analysis.bulk
    crossed = (
        "interpolated" if analysis.intercept.crossed else "extrapolated from the five highest frequencies"
    )
    return Figure(
        name="bulk_resistance",
        value=value,
        unit="ohm",
        uncertainty=uncertainty,
        method=f"Rb of {analysis.circuit.name}, least squares weighted by 1/|Z| over {_span(analysis)}; "
        f"axis intercept {analysis.intercept.resistance:.4g} ohm, {crossed}",
        warnings=_warnings(analysis),
        detail=_detail(analysis),
        place=place,
    )


def interfacial_resistance(analysis: SpectrumAnalysis, place: RunPlace = NOWHERE) -> Figure:
    """Interfacial resistance, ohm: the arcs of the fitted circuit, both electrodes together."""
    value, uncertainty = analysis.interface
    return Figure(
        name="interfacial_resistance",
        value=value,
        unit="ohm",
        uncertainty=uncertainty,
        method=f"sum of the arcs of {analysis.circuit.name}, least squares weighted by 1/|Z| over "
        f"{_span(analysis)}; both electrodes together",
        warnings=_consistency_warnings(analysis),
        detail=_detail(analysis),
        place=place,
    )


def ionic_conductivity(
    resistance: Figure, thickness: Estimate, area: Estimate, place: RunPlace = NOWHERE
) -> Figure:
    """sigma = l / (Rb A), S/m, from ohm, metre and square metre (Eq. 2 of the reference experiment)."""
    if not (resistance.value > 0 and thickness.value > 0 and area.value > 0):
        raise FigureError(
            f"Rb {resistance.value:g} ohm, thickness {thickness.value:g} m, area {area.value:g} m2: "
            "all must be more than 0"
        )
    value, uncertainty = propagated(
        lambda ohm, metre, metre2: metre / (ohm * metre2), resistance.estimate, thickness, area
    )
    return Figure(
        name="ionic_conductivity",
        value=value,
        unit="S/m",
        uncertainty=uncertainty,
        method=f"l / (Rb A) with Rb {resistance.value:.4g} ohm, l {1e6 * thickness.value:.4g} um, "
        f"A {1e4 * area.value:.4g} cm2",
        warnings=resistance.warnings + _unknown(thickness=thickness, area=area),
        detail={
            "bulk_resistance": resistance.estimate._asdict(),
            "thickness": thickness._asdict(),
            "area": area._asdict(),
            "area_specific_resistance": resistance.value * area.value,
        },
        place=place,
    )


def macmullin_number(conductivity: Figure, electrolyte: Estimate, place: RunPlace = NOWHERE) -> Figure:
    """How much worse the soaked separator conducts than the electrolyte alone, sigma0 / sigma."""
    value, uncertainty = propagated(lambda free, soaked: free / soaked, electrolyte, conductivity.estimate)
    return Figure(
        name="macmullin_number",
        value=value,
        unit="1",
        uncertainty=uncertainty,
        method=f"sigma0 / sigma with sigma0 {10 * electrolyte.value:.4g} mS/cm of the electrolyte alone and "
        f"sigma {10 * conductivity.value:.4g} mS/cm",
        warnings=conductivity.warnings + _unknown(electrolyte_conductivity=electrolyte),
        detail={"electrolyte_conductivity": electrolyte._asdict(), "conductivity": conductivity.value},
        place=place,
    )


def kramers_kronig_residual(spectrum: Spectrum, place: RunPlace = NOWHERE) -> Figure:
    """Rms residual of the linear Kramers-Kronig test relative to |Z|: below 0.5 % is consistent."""
    found = kramers_kronig(spectrum)
    return Figure(
        name="kramers_kronig",
        value=found.residual,
        unit="1",
        method=f"linear Kramers-Kronig test with {found.elements} RC elements, weighted by 1/|Z|: "
        f"the spectrum is {found.verdict}",
        warnings=found.warnings(),
        detail=found.as_mapping(),
        place=place,
    )


def resistance_drift(before: Figure, after: Figure, seconds: float, place: RunPlace = NOWHERE) -> Figure:
    """How fast a resistance changes from one spectrum to a later one, 1/s of the earlier value."""
    change = propagated(lambda a, b: (b - a) / (a * seconds), before.estimate, after.estimate)
    return Figure(
        name=f"{before.name}_drift",
        value=change.value,
        unit="1/s",
        uncertainty=change.uncertainty,
        method=f"({after.value:.4g} - {before.value:.4g}) ohm / {before.value:.4g} ohm over {seconds:.4g} s, "
        f"from step {before.place.step} to step {after.place.step}",
        place=place,
    )


def _unknown(**facts: Estimate) -> tuple[str, ...]:
    return tuple(
        f"the cell file gives no uncertainty of the {name.replace('_', ' ')}: none is in the result"
        for name, fact in facts.items()
        if fact.uncertainty == 0
    )


def _span(analysis: SpectrumAnalysis) -> str:
    frequency = analysis.spectrum.frequency
    return f"{len(frequency)} points, {frequency[0]:g} Hz to {frequency[-1]:g} Hz"


def _warnings(analysis: SpectrumAnalysis) -> tuple[str, ...]:
    found = list(_consistency_warnings(analysis))
    apart = analysis.intercept.resistance / analysis.bulk.value - 1
    if not abs(apart) <= DISAGREEMENT:
        found.append(
            f"the axis intercept {analysis.intercept.resistance:.4g} ohm is {100 * apart:+.1f} % off the fit"
        )
    return tuple(found)


def _consistency_warnings(analysis: SpectrumAnalysis) -> tuple[str, ...]:
    found = [] if analysis.consistency is None else list(analysis.consistency.warnings())
    if analysis.consistency is None:
        found.append("too few points for the Kramers-Kronig test")
    if analysis.fit.residual > POOR_RESIDUAL:
        found.append(f"{analysis.circuit.name} leaves {100 * analysis.fit.residual:.1f} % unexplained")
    return tuple(found)


def _detail(analysis: SpectrumAnalysis) -> dict[str, Plain]:
    return {
        "circuit": analysis.circuit.name,
        "parameters": analysis.fit.as_mapping(),
        "residual": analysis.fit.residual,
        "axis_intercept": analysis.intercept.resistance,
        "axis_crossed": analysis.intercept.crossed,
        "kramers_kronig": None if analysis.consistency is None else analysis.consistency.as_mapping(),
    }
