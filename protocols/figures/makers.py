"""How each figure is made from the evidence of a run: which steps it needs, and what refuses it."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import pairwise
from typing import TypeAlias

from protocols.errors import FigureError
from protocols.figures import cycling, decay, plating, transference
from protocols.figures.circuit_string import CIRCUIT, circuit_parameters, read_circuit
from protocols.figures.differential import differential_capacity_peaks, plateau_capacities
from protocols.figures.estimate import Array, Estimate
from protocols.figures.evidence import Evidence
from protocols.figures.figure import Figure, Refusal, RunPlace
from protocols.figures.impedance import (
    SpectrumAnalysis,
    bulk_resistance,
    interfacial_resistance,
    ionic_conductivity,
    kramers_kronig_residual,
    macmullin_number,
    resistance_drift,
)
from protocols.figures.instrument import by_instrument
from protocols.figures.polarisation import FEWEST_AT_REST, Polarisation, resting_voltage
from protocols.figures.pulses import pulse_resistance
from protocols.figures.rate import rate_capability
from protocols.figures.run import StepSummary
from protocols.figures.titration import diffusion
from protocols.figures.voltammetry import voltammetry_peaks

Outcome: TypeAlias = Figure | Refusal
Maker: TypeAlias = Callable[[Evidence], Iterable[Outcome]]
PULSE_MARK = "pulse"
RESERVOIR_MARK = "reservoir"
FINAL_STRIP_MARK = "final strip"
READINGS_BEFORE_PULSE = 10


def made(name: str, evidence: Evidence) -> Iterator[Outcome]:
    """Make the figure of that name: one outcome at least, refusals among them."""
    maker = _circuit(name) if name.startswith(CIRCUIT) else MAKERS.get(name)
    if maker is None:
        yield Refusal(name, f"no figure has this name; known are {', '.join(MAKERS)}")
        return
    try:
        for outcome in maker(evidence):
            yield outcome if isinstance(outcome, Refusal) else by_instrument(outcome, evidence.run.accuracy)
    except FigureError as error:
        yield Refusal(name, str(error))


def _each(
    name: str, steps: Iterable[StepSummary], make: Callable[[StepSummary], Iterable[Outcome]]
) -> Iterator[Outcome]:
    """Make a figure of each step; one that fails is refused by itself."""
    for step in steps:
        try:
            yield from make(step)
        except FigureError as error:
            yield Refusal(name, str(error), _place(step))


def _place(step: StepSummary) -> RunPlace:
    return RunPlace(cycle=step.cycle or None, step=step.ordinal, mark=step.marks[-1] if step.marks else None)


def _capacity(evidence: Evidence) -> Iterator[Figure]:
    """Of the first and of the latest complete cycle."""
    cycles = evidence.cycles
    if not cycles:
        raise FigureError("the run has no complete cycle yet")
    for cycle in dict.fromkeys((cycles[0], cycles[-1])):
        facts = evidence.known_fact("active_mass"), evidence.known_fact("area")
        yield from cycling.capacity(cycle, *facts, evidence.run.accuracy)


def _coulombic_efficiency(evidence: Evidence) -> Iterator[Figure]:
    if evidence.pairing is None:
        raise FigureError(f"{evidence.run.cell} is symmetric: what one side strips the other plates")
    yield cycling.coulombic_efficiency(evidence.cycles, evidence.pairing, evidence.run.accuracy)


def _energy_efficiency(evidence: Evidence) -> Iterator[Figure]:
    if evidence.pairing is not cycling.Pairing.DISCHARGE_OVER_CHARGE:
        raise FigureError(f"{evidence.run.cell} stores no energy: plating and stripping both cost some")
    yield cycling.energy_efficiency(evidence.cycles)


def _capacity_decay(evidence: Evidence) -> Iterator[Figure]:
    """Over the longest run of cycles at one rate, from its first cycle on."""
    block = decay.longest_block(evidence.cycles)
    series = decay.discharge_capacities(block)
    yield from decay.capacity_decay(series)
    yield cycling.retention(block[0], block[-1], decay.noise_of(series))


def _nucleation_overpotential(evidence: Evidence) -> Iterator[Outcome]:
    """Of the first and of the latest plating."""

    def make(step: StepSummary) -> Iterator[Figure]:
        readings = evidence.readings(step)
        yield plating.nucleation_overpotential(readings.voltage, readings.capacity, _place(step))
        yield plating.steady_overpotential(readings.voltage, readings.capacity, _place(step))

    steps = evidence.needed("plate")
    yield from _each("nucleation_overpotential", dict.fromkeys((steps[0], steps[-1])), make)


def _overpotential(evidence: Evidence) -> Iterator[Figure]:
    """Of the first and of the latest cycle that has both half-cycles."""
    if not evidence.symmetric:
        raise FigureError(f"{evidence.run.cell} is not symmetric: half the difference is no overpotential")
    pairs = list(_half_cycles(evidence))
    if not pairs:
        raise FigureError("the run has no complete cycle yet")
    for positive, negative in dict.fromkeys((pairs[0], pairs[-1])):
        charge, discharge = evidence.readings(positive), evidence.readings(negative)
        yield plating.overpotential(
            (charge.voltage, charge.capacity),
            (discharge.voltage, discharge.capacity),
            RunPlace(cycle=positive.cycle),
        )


def _half_cycles(evidence: Evidence) -> Iterator[tuple[StepSummary, StepSummary]]:
    complete = {cycle.number for cycle in evidence.cycles}
    halves: dict[int, dict[bool, StepSummary]] = {}
    for step in evidence.of("charge", "strip", "discharge", "plate"):
        if step.cycle in complete:
            halves.setdefault(step.cycle, {}).setdefault(step.capacity > 0, step)
    for both in halves.values():
        if len(both) == 2:
            yield both[True], both[False]


def _soft_short(evidence: Evidence) -> Iterator[Figure]:
    """By the cycles' mean voltages: half the hysteresis of a symmetric cell is its overpotential."""
    if not evidence.symmetric:
        raise FigureError(f"{evidence.run.cell} is not symmetric: its voltage does not show a soft short")
    yield plating.soft_short([(number, volts / 2) for number, volts in cycling.hystereses(evidence.cycles)])


def _average_coulombic_efficiency(evidence: Evidence) -> Iterator[Figure]:
    """Between the plating marked `reservoir` and the stripping marked `final strip`."""
    begun, over = evidence.of("plate", mark=RESERVOIR_MARK), evidence.of("strip", mark=FINAL_STRIP_MARK)
    if not (begun and over):
        raise FigureError(
            f"wanted a plating marked `{RESERVOIR_MARK}` and a stripping marked `{FINAL_STRIP_MARK}`"
        )
    first, last = begun[0], over[-1]
    between = [s for s in evidence.of("plate", "strip") if first.ordinal < s.ordinal < last.ordinal]
    yield cycling.average_coulombic_efficiency(first, between, last, evidence.run.accuracy)


def _bulk_resistance(evidence: Evidence) -> Iterator[Outcome]:
    def make(step: StepSummary) -> Iterator[Figure]:
        analysis = evidence.spectrum(step)
        yield bulk_resistance(analysis, _place(step))
        if analysis.circuit.arcs:
            yield interfacial_resistance(analysis, _place(step))

    yield from _each("bulk_resistance", evidence.needed("impedance"), make)


def _ionic_conductivity(evidence: Evidence) -> Iterator[Outcome]:
    thickness, area = evidence.thickness(), evidence.area()

    def make(step: StepSummary) -> Iterator[Figure]:
        resistance = bulk_resistance(evidence.spectrum(step), _place(step))
        yield ionic_conductivity(resistance, thickness, area, _place(step))

    yield from _each("ionic_conductivity", evidence.needed("impedance"), make)


def _transference_number(evidence: Evidence) -> Iterator[Outcome]:
    steps = evidence.needed("polarise")
    yield from _each("transference_number", steps, lambda step: _transferences(evidence, step))


def _transferences(evidence: Evidence, step: StepSummary) -> Iterator[Outcome]:
    """The number itself, then what Evans-Vincent-Bruce and other readings of I0 make of it."""
    spectra = _spectra_around(evidence, step)
    polarisation, accuracy = _polarisation(evidence, step), evidence.run.accuracy
    data = transference.transference_data(polarisation, *spectra, accuracy)
    yield transference.transference_number(data, _place(step))
    for name, other in transference.OTHERS.items():
        try:
            yield other(data, _place(step))
        except FigureError as error:
            yield Refusal(name, str(error), _place(step))


def _polarisation(evidence: Evidence, step: StepSummary) -> Polarisation:
    readings = evidence.readings(step)
    return Polarisation.of(readings.time, readings.current, readings.voltage, _open_circuit(evidence, step))


def _open_circuit(evidence: Evidence, step: StepSummary) -> Estimate | float:
    """The mean voltage at the end of the rest before the step; without one, what was found as it began."""
    rests = [s for s in evidence.of("rest") if s.ordinal < step.ordinal]
    if rests and len(volts := evidence.readings(rests[-1]).voltage) >= FEWEST_AT_REST:
        return resting_voltage(volts)
    found = step.open_circuit_voltage if not rests else step.open_circuit_voltage or rests[-1].end_voltage
    if found is None:
        raise FigureError("no open-circuit voltage before the polarisation: what was applied is not known")
    return found


def _spectra_around(
    evidence: Evidence, step: StepSummary
) -> tuple[SpectrumAnalysis | None, SpectrumAnalysis | None]:
    """Return the last spectrum before the step and the first after it."""
    spectra = evidence.of("impedance")
    before = [s for s in spectra if s.ordinal < step.ordinal]
    after = [s for s in spectra if s.ordinal > step.ordinal]
    return (
        evidence.spectrum(before[-1]) if before else None,
        evidence.spectrum(after[0]) if after else None,
    )


def _circuit(name: str) -> Maker:
    """Return the maker of the parameters of a circuit that was written out."""
    circuit = read_circuit(name.removeprefix(CIRCUIT))

    def maker(evidence: Evidence) -> Iterator[Outcome]:
        def make(step: StepSummary) -> Iterable[Figure]:
            return circuit_parameters(circuit, evidence.raw_spectrum(step), _place(step))

        yield from _each(name, evidence.needed("impedance"), make)

    return maker


def _macmullin_number(evidence: Evidence) -> Iterator[Outcome]:
    thickness, area = evidence.thickness(), evidence.area()
    electrolyte = evidence.needed_fact("electrolyte_conductivity")

    def make(step: StepSummary) -> Iterator[Figure]:
        resistance = bulk_resistance(evidence.spectrum(step), _place(step))
        conductivity = ionic_conductivity(resistance, thickness, area, _place(step))
        yield macmullin_number(conductivity, electrolyte, _place(step))

    yield from _each("macmullin_number", evidence.needed("impedance"), make)


def _kramers_kronig(evidence: Evidence) -> Iterator[Outcome]:
    def make(step: StepSummary) -> Iterator[Figure]:
        yield kramers_kronig_residual(evidence.raw_spectrum(step), _place(step))

    yield from _each("kramers_kronig", evidence.needed("impedance"), make)


def _resistance_drift(evidence: Evidence) -> Iterator[Outcome]:
    """Of the bulk and the interface, from each spectrum to the next."""
    spectra = evidence.needed("impedance")
    if len(spectra) < 2:
        raise FigureError("the run has one spectrum; a drift needs two")
    for before, after in pairwise(spectra):
        try:
            yield from _drifts(evidence, before, after)
        except FigureError as error:
            yield Refusal("resistance_drift", str(error), _place(after))


def _drifts(evidence: Evidence, before: StepSummary, after: StepSummary) -> Iterator[Figure]:
    if before.started is None or after.started is None:
        raise FigureError("when the spectra were taken is not known")
    first, second = evidence.spectrum(before), evidence.spectrum(after)
    seconds = after.started - before.started
    for figure, arcs in ((bulk_resistance, False), (interfacial_resistance, True)):
        if not arcs or (first.circuit.arcs and second.circuit.arcs):
            pair = figure(first, _place(before)), figure(second, _place(after))
            yield resistance_drift(*pair, seconds, _place(after))


def _halves(evidence: Evidence) -> list[StepSummary]:
    """The charges and discharges of the first and of the latest complete cycle."""
    if not evidence.cycles:
        raise FigureError("the run has no complete cycle yet")
    shown = {evidence.cycles[0].number, evidence.cycles[-1].number}
    return [step for step in evidence.of("discharge", "charge") if step.cycle in shown]


def _plateau_capacity(evidence: Evidence) -> Iterator[Outcome]:
    """Of the discharges of the first and of the latest complete cycle."""
    mass = evidence.fact("active_mass")

    def make(step: StepSummary) -> Iterable[Figure]:
        readings = evidence.readings(step)
        return plateau_capacities(readings.voltage, readings.capacity, mass, _place(step))

    yield from _each("plateau_capacity", [s for s in _halves(evidence) if s.verb == "discharge"], make)


def _differential_capacity_peaks(evidence: Evidence) -> Iterator[Outcome]:
    def make(step: StepSummary) -> Iterable[Figure]:
        readings = evidence.readings(step)
        return differential_capacity_peaks(readings.voltage, readings.capacity, _place(step))

    yield from _each("differential_capacity_peaks", _halves(evidence), make)


def _diffusion_coefficient(evidence: Evidence) -> Iterator[Outcome]:
    """Of every charge and discharge between two rests, but for those marked `pulse`."""
    known = evidence.fact("diffusion_length")
    length = None if known is None else evidence.needed_fact("diffusion_length")
    steps = evidence.steps
    found = [
        (before, pulse, after)
        for before, pulse, after in zip(steps, steps[1:], steps[2:], strict=False)
        if before.verb == after.verb == "rest" and pulse.verb in ("charge", "discharge")
        if PULSE_MARK not in pulse.marks
    ]
    if not found:
        raise FigureError("no charge or discharge between two rests: no titration")

    def courses(step: StepSummary) -> tuple[Array, Array]:
        readings = evidence.readings(step)
        return readings.time, readings.voltage

    for before, pulse, after in found:
        try:
            yield diffusion(courses(before), courses(pulse), courses(after), length, _place(pulse))
        except FigureError as error:
            yield Refusal("diffusion_coefficient", str(error), _place(pulse))


def _voltammetry_peaks(evidence: Evidence) -> Iterator[Outcome]:
    def make(step: StepSummary) -> Iterator[Figure]:
        readings = evidence.readings(step)
        yield from voltammetry_peaks(readings.time, readings.voltage, readings.current, _place(step))

    yield from _each("voltammetry_peaks", evidence.needed("sweep"), make)


def _pulse_resistance(evidence: Evidence) -> Iterator[Outcome]:
    """Of every step of a current marked `pulse`, against the end of the step before it."""
    pulses = evidence.of("charge", "discharge", mark=PULSE_MARK)
    if not pulses:
        raise FigureError(f"no charge or discharge is marked `{PULSE_MARK}`")
    previous = dict(zip((s.ordinal for s in evidence.steps[1:]), evidence.steps, strict=False))

    def make(step: StepSummary) -> Iterator[Figure]:
        if step.ordinal not in previous:
            raise FigureError("the run begins with the pulse: nothing to count from")
        before = evidence.readings(previous[step.ordinal])
        last = slice(-READINGS_BEFORE_PULSE, None)
        rest = list(zip(before.voltage[last].tolist(), before.current[last].tolist(), strict=True))
        readings = evidence.readings(step)
        columns = readings.time, readings.voltage, readings.current
        yield pulse_resistance(rest, *columns, _place(step), evidence.run.accuracy)

    yield from _each("pulse_resistance", pulses, make)


MAKERS: Mapping[str, Maker] = {
    "capacity": _capacity,
    "coulombic_efficiency": _coulombic_efficiency,
    "capacity_decay": _capacity_decay,
    "hysteresis": lambda evidence: [cycling.hysteresis(evidence.cycles)],
    "energy_efficiency": _energy_efficiency,
    "nucleation_overpotential": _nucleation_overpotential,
    "overpotential": _overpotential,
    "soft_short": _soft_short,
    "rate_capability": lambda evidence: rate_capability(evidence.cycles, evidence.fact("active_mass")),
    "average_coulombic_efficiency": _average_coulombic_efficiency,
    "bulk_resistance": _bulk_resistance,
    "ionic_conductivity": _ionic_conductivity,
    "transference_number": _transference_number,
    "pulse_resistance": _pulse_resistance,
    "voltammetry_peaks": _voltammetry_peaks,
    "plateau_capacity": _plateau_capacity,
    "differential_capacity_peaks": _differential_capacity_peaks,
    "diffusion_coefficient": _diffusion_coefficient,
    "macmullin_number": _macmullin_number,
    "kramers_kronig": _kramers_kronig,
    "resistance_drift": _resistance_drift,
}
"""What may be asked for, and who makes it."""
