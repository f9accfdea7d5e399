"""A run yields the figures asked for and those its techniques always yield; the rest is refused aloud."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import pytest

from daemon.recording.merit import Merit, figures_for
from protocols.figures.estimate import Array
from protocols.figures.run import ImpedanceColumns, ReadingColumns, RunFacts, StepSummary
from protocols.figures.spectrum import ComplexArray
from tests.protocols.figures.synthetic import blocking, frequencies, lithium, logarithmic_times, step_response

NO_READINGS = ReadingColumns(*(np.array([]) for _ in range(4)))


@dataclass
class RecordedRun:
    """A run in memory, as the results database would hand it out."""

    recorded: Sequence[StepSummary]
    columns: Mapping[int, ReadingColumns] = field(default_factory=dict)
    spectra: Mapping[int, ImpedanceColumns] = field(default_factory=dict)

    def steps(self) -> Sequence[StepSummary]:
        return self.recorded

    def readings(self, ordinal: int) -> ReadingColumns:
        return self.columns.get(ordinal, NO_READINGS)

    def impedance(self, ordinal: int) -> ImpedanceColumns:
        return self.spectra[ordinal]


def step(
    ordinal: int,
    verb: str,
    cycle: int = 1,
    coulombs: float = 0.0,
    joules: float = 0.0,
    set_value: float | None = None,
    marks: tuple[str, ...] = (),
    open_circuit: float | None = None,
) -> StepSummary:
    return StepSummary(
        ordinal, verb, cycle, coulombs, joules, 3600.0, marks, set_value, open_circuit_voltage=open_circuit
    )


def columns(frequency: Array, impedance: ComplexArray, seed: int = 0) -> ImpedanceColumns:
    noise = 1 + 0.001 * np.random.default_rng(seed).standard_normal((2, len(frequency)))
    noisy = impedance.real * noise[0], impedance.imag * noise[1]
    return ImpedanceColumns(frequency, *noisy)


def values(merit: Merit) -> dict[str, list[float]]:
    found: dict[str, list[float]] = {}
    for figure in merit.figures:
        assert json.dumps(dict(figure.detail), allow_nan=False)
        found.setdefault(figure.name, []).append(figure.value)
    return found


def reasons(merit: Merit) -> dict[str, str]:
    return {refusal.name: refusal.reason for refusal in merit.refusals}


BLOCKING_CELL = {
    "area": 2.011e-4,
    "separator": {"name": "PP", "thickness": 25e-6},
    "uncertainties": {"thickness": 0.5e-6, "area": 2e-6},
}


def test_a_blocking_cell_yields_its_conductivity_unasked() -> None:
    f = frequencies(10.0)
    source = RecordedRun([step(1, "rest", 0), step(2, "impedance", 0)], spectra={2: columns(f, blocking(f))})
    merit = figures_for(RunFacts("SS|separator|SS", BLOCKING_CELL), [], source)
    found = values(merit)
    assert set(found) == {"bulk_resistance", "ionic_conductivity"}
    # 25e-6 / (4.08 · 2.011e-4) = 0.030470 S/m
    assert found["ionic_conductivity"] == pytest.approx([0.030470], rel=2e-3)
    assert [figure.place.step for figure in merit.figures] == [2, 2]
    assert merit.refusals == ()


def test_without_a_thickness_the_conductivity_is_refused_if_asked_for_and_left_out_if_not() -> None:
    f = frequencies(10.0)
    source = RecordedRun([step(1, "impedance", 0)], spectra={1: columns(f, blocking(f))})
    run = RunFacts("SS|separator|SS", {"area": 2.011e-4})
    assert figures_for(run, [], source).refusals == ()
    asked = figures_for(run, ["ionic_conductivity"], source)
    assert reasons(asked) == {"ionic_conductivity": "the cell file has no `separator: {thickness}`"}
    assert set(values(asked)) == {"bulk_resistance"}


DIFFUSION = 34.08 * (1 / 0.36 - 1)


def polarised() -> RecordedRun:
    f, time = frequencies(0.1), logarithmic_times()
    spectrum = lithium(f, diffusion=DIFFUSION, diffusion_time=60.0)
    current = 0.01 * step_response(time, 34.08, DIFFUSION, 60.0)
    readings = ReadingColumns(time, np.full(len(time), 0.0105), current, np.zeros(len(time)))
    steps = [
        step(1, "rest", 0),
        step(2, "impedance", 0, marks=("before",)),
        step(3, "polarise", 0, set_value=0.0105, open_circuit=0.0005),
        step(4, "impedance", 0, marks=("after",)),
    ]
    return RecordedRun(steps, {3: readings}, {2: columns(f, spectrum, 1), 4: columns(f, spectrum, 2)})


def test_a_polarisation_between_two_spectra_yields_every_form_of_the_transference_number() -> None:
    found = values(
        figures_for(RunFacts("Li|separator|Li", BLOCKING_CELL), ["transference_number"], polarised())
    )
    assert found["transference_number"] == pytest.approx([0.36], abs=0.002)
    assert found["transference_number_evans_vincent_bruce"] == pytest.approx(
        [4.08 / (4.08 + DIFFUSION)], rel=0.05
    )
    assert found["transference_number_extrapolated"] == pytest.approx([0.36], abs=0.002)
    assert found["transference_number_first_reading"] == pytest.approx([0.3629], abs=0.001)
    assert found["bulk_resistance"] == pytest.approx([4.08, 4.08], rel=0.005)
    assert found["interfacial_resistance"] == pytest.approx([30.0, 30.0], rel=0.005)


def test_the_rest_before_stands_in_for_an_open_circuit_voltage_that_was_not_taken() -> None:
    source = polarised()
    steps = [
        StepSummary(1, "rest", 0, 0.0, 0.0, 3600.0, end_voltage=0.0005),
        source.recorded[1],
        step(3, "polarise", 0, set_value=0.0105),
    ]
    found = values(
        figures_for(RunFacts("Li|separator|Li", {}), [], RecordedRun(steps, source.columns, source.spectra))
    )
    assert found["transference_number"] == pytest.approx([0.36], abs=0.002)


def cycled(count: int) -> list[StepSummary]:
    """Li-S: 6 C at 2.1 V out of cycle 1 and 0.01 C less each cycle; 1 % more back in, at 2.35 V."""
    steps = [step(1, "rest", 0)]
    for n in range(1, count + 1):
        out = 6.0 - 0.01 * (n - 1)
        steps.append(step(2 * n, "discharge", n, -out, -2.1 * out, -0.6e-3))
        steps.append(step(2 * n + 1, "charge", n, out / 0.99, 2.35 * out / 0.99, 0.6e-3))
    return steps


LI_S = RunFacts("Li-S coin cell", {"area": 1.131e-4, "active_mass": 1.7e-6})


def test_cycling_yields_capacity_efficiencies_hysteresis_and_decay() -> None:
    merit = figures_for(LI_S, ["capacity"], RecordedRun(cycled(51)))
    found = values(merit)
    assert found["capacity"] == pytest.approx([6.0, 5.5])  # cycles 1 and 51
    assert found["specific_capacity"] == pytest.approx([6.0 / 1.7e-6, 5.5 / 1.7e-6])
    assert found["coulombic_efficiency"] == pytest.approx([0.99])
    assert found["energy_efficiency"] == pytest.approx([0.99 * 2.1 / 2.35])
    assert found["hysteresis"] == pytest.approx([0.25])
    assert found["capacity_decay"] == pytest.approx([0.01 / 6])
    assert found["retention"] == pytest.approx([5.5 / 6])
    assert merit.refusals == ()


def test_the_cycle_a_run_is_in_does_not_count_yet() -> None:
    running = RunFacts(LI_S.cell, LI_S.facts, ended=False)
    found = values(figures_for(running, [], RecordedRun(cycled(51)[:-1])))
    assert found["capacity"] == pytest.approx([6.0, 5.51])  # cycle 50 is the last whole one


def test_lithium_on_copper_yields_efficiency_and_nucleation() -> None:
    share = np.linspace(0, 1, 301)
    dip = ReadingColumns(3600 * share, np.where(share < 0.1, -0.1, -0.04), np.full(301, -1e-3), -3.6 * share)
    steps = [step(1, "plate", 1, -3.6, 0.144, -1e-3), step(2, "strip", 1, 3.51, 0.14, 1e-3)]
    merit = figures_for(RunFacts("Li||Cu", {}), ["energy_efficiency"], RecordedRun(steps, {1: dip}))
    found = values(merit)
    assert found["coulombic_efficiency"] == [3.51 / 3.6]
    assert found["nucleation_overpotential"] == pytest.approx([0.06])
    assert found["steady_overpotential"] == pytest.approx([0.04])
    assert "capacity_decay" not in found  # what is plated is chosen, not lost
    assert "stores no energy" in reasons(merit)["energy_efficiency"]


def test_a_symmetric_cell_yields_overpotential_and_soft_shorts() -> None:
    share = np.linspace(0, 1, 11)
    steps, readings = [], {}
    for n in range(1, 21):
        height = 0.02 if n == 15 else 0.05
        for ordinal, verb, sign in ((2 * n, "plate", -1), (2 * n + 1, "strip", 1)):
            steps.append(step(ordinal, verb, n, sign * 7.2, 7.2 * height, sign * 2e-3))
            volts = np.full(11, sign * height)
            readings[ordinal] = ReadingColumns(
                3600 * share, volts, np.full(11, sign * 2e-3), sign * 7.2 * share
            )
    merit = figures_for(RunFacts("Li||Li", {}), ["coulombic_efficiency"], RecordedRun(steps, readings))
    found = values(merit)
    assert found["overpotential"] == pytest.approx([0.05, 0.05])  # cycles 1 and 20
    assert found["soft_short"] == [1]
    assert "is symmetric" in reasons(merit)["coulombic_efficiency"]


def test_a_reservoir_yields_its_average_efficiency() -> None:
    # (2 · 3.6 + 16.2) / (2 · 3.6 + 18) = 23.4 / 25.2
    steps = [
        step(1, "plate", 0, -18.0),
        step(2, "strip", 0, 17.0),
        step(3, "plate", 0, -18.0, marks=("reservoir",)),
        step(4, "strip", 1, 3.6),
        step(5, "plate", 1, -3.6),
        step(6, "strip", 2, 3.6),
        step(7, "plate", 2, -3.6),
        step(8, "strip", 3, 16.2, marks=("final strip",)),
    ]
    found = values(figures_for(RunFacts("Li||Cu", {}), ["average_coulombic_efficiency"], RecordedRun(steps)))
    assert found["average_coulombic_efficiency"] == pytest.approx([23.4 / 25.2])


def test_rates_and_pulses() -> None:
    steps = [
        step(1, "discharge", 1, -6.0, -20.0, -1e-3),
        step(2, "discharge", 2, -3.0, -10.0, -2e-3),
        step(3, "rest", 2),
        step(4, "discharge", 2, -0.06, -0.2, -6e-3, marks=("pulse",)),
    ]
    readings = {
        3: ReadingColumns(np.arange(5.0), np.full(5, 3.7), np.zeros(5), np.zeros(5)),
        4: ReadingColumns(np.array([0.1, 10.0]), np.array([3.61, 3.58]), np.full(2, -6e-3), np.zeros(2)),
    }
    asked = ["rate_capability", "pulse_resistance"]
    found = values(figures_for(RunFacts("Li-ion coin cell", {}), asked, RecordedRun(steps, readings)))
    assert found["pulse_resistance"] == pytest.approx([20.0])  # 120 mV / 6 mA
    assert found["rate_capability"] == pytest.approx([6.0, 3.06])


ASKED = [
    "capacity",
    "coulombic_efficiency",
    "capacity_decay",
    "hysteresis",
    "energy_efficiency",
    "nucleation_overpotential",
    "overpotential",
    "soft_short",
    "rate_capability",
    "average_coulombic_efficiency",
    "bulk_resistance",
    "ionic_conductivity",
    "transference_number",
    "pulse_resistance",
    "voltammetry_peaks",
]


@pytest.mark.parametrize("cell", ["Li||Cu", "Li||Li", "Li-S coin cell"])
def test_nothing_asked_for_is_dropped_in_silence(cell: str) -> None:
    merit = figures_for(
        RunFacts(cell, {"area": 1e-4, "separator": {"thickness": 25e-6}}), ASKED, RecordedRun([])
    )
    assert list(reasons(merit)) == ASKED
    assert merit.figures == ()


def test_an_unknown_name_is_refused_with_the_known_ones() -> None:
    merit = figures_for(LI_S, ["capasity"], RecordedRun([]))
    assert "no figure has this name; known are capacity," in reasons(merit)["capasity"]


def test_one_spectrum_that_cannot_be_read_costs_only_itself() -> None:
    f = frequencies(10.0)
    sparse = columns(f[:5], blocking(f[:5]))
    source = RecordedRun(
        [step(1, "impedance", 0), step(2, "impedance", 0)], spectra={1: sparse, 2: columns(f, blocking(f))}
    )
    merit = figures_for(RunFacts("SS|separator|SS", {}), ["bulk_resistance"], source)
    assert [figure.place.step for figure in merit.figures] == [2]
    assert [(refusal.place.step, refusal.reason) for refusal in merit.refusals] == [
        (1, "the spectrum has 5 points; wanted 8 at least")
    ]
