"""Which figures of merit a run yields: those asked for, and those its techniques always yield."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from protocols.figures.cycling import Pairing
from protocols.figures.evidence import Evidence
from protocols.figures.figure import Figure, Refusal
from protocols.figures.makers import PULSE_MARK, RESERVOIR_MARK, Outcome, made
from protocols.figures.run import RunFacts, RunSource


class Merit(NamedTuple):
    """The figures a run yields, and those asked for that it cannot yield, with the reason."""

    figures: tuple[Figure, ...]
    refusals: tuple[Refusal, ...]


def figures_for(run: RunFacts, requested: Sequence[str], source: RunSource) -> Merit:
    """Make every figure asked for and every figure the run's techniques always yield.

    A figure asked for comes back as a figure or as a refusal, never as nothing. May take seconds:
    circuits are fitted. The data decide, so it can be called again as the run goes on.
    """
    evidence = Evidence(run, source)
    outcomes: list[Outcome] = []
    for name in dict.fromkeys([*requested, *_come_unasked(evidence)]):
        found = list(made(name, evidence))
        outcomes += found if name in requested else [one for one in found if isinstance(one, Figure)]
    return Merit(
        tuple(one for one in outcomes if isinstance(one, Figure)),
        tuple(one for one in outcomes if isinstance(one, Refusal)),
    )


def _come_unasked(evidence: Evidence) -> Iterator[str]:
    """Yield the names of what the techniques of the run always yield."""
    spectra = evidence.of("impedance")
    if spectra:
        yield "bulk_resistance"
        if evidence.symmetric or evidence.blocking(spectra[0]):
            yield "ionic_conductivity"
        if evidence.of("polarise"):
            yield "transference_number"
    if any(c.charge_capacity and c.discharge_capacity for c in evidence.cycles):
        yield from _come_with_cycles(evidence)
    if evidence.of("plate", mark=RESERVOIR_MARK):
        yield "average_coulombic_efficiency"
    if evidence.of("sweep"):
        yield "voltammetry_peaks"
    if evidence.of("discharge", "charge", mark=PULSE_MARK):
        yield "pulse_resistance"


def _come_with_cycles(evidence: Evidence) -> Iterator[str]:
    yield from ("capacity", "hysteresis")
    match evidence.pairing:
        case None:
            yield from ("overpotential", "soft_short")
        case Pairing.STRIP_OVER_PLATE:
            yield from ("coulombic_efficiency", "nucleation_overpotential")
        case _:
            yield from ("coulombic_efficiency", "energy_efficiency", "capacity_decay", "plateau_capacity")
