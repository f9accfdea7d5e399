"""Capacities, efficiencies and hysteresis of cycles worked out by hand."""

import math

import numpy as np
import pytest

from protocols.errors import FigureError
from protocols.figures import cycling
from protocols.figures.cycling import Pairing
from protocols.figures.estimate import Estimate
from protocols.figures.run import CycleSummary, StepSummary
from tests.protocols.figures.synthetic import covered


def cycle(number: int, charge: float | None, discharge: float | None) -> CycleSummary:
    return CycleSummary(number, charge_capacity=charge, discharge_capacity=discharge)


def test_capacity_per_mass_and_per_area() -> None:
    # 6 C / 1.7 mg = 3.529e6 C/kg = 980 mAh/g; 6 C / 1.131 cm2 = 53 050 C/m2 = 1.474 mAh/cm2
    plain, per_mass, per_area = cycling.capacity(
        cycle(7, None, 6.0), mass=Estimate(1.7e-6), area=Estimate(1.131e-4)
    )
    assert str(plain.in_lab_units()) == "1.667 mAh"
    assert str(per_mass.in_lab_units()) == "980.4 mAh/g"
    assert str(per_area.in_lab_units()) == "1.474 mAh/cm2"
    assert per_mass.method == "discharge capacity of cycle 7 / active mass 1.7 mg"
    assert plain.place.cycle == 7


def test_without_a_discharge_the_charge_counts_and_says_so() -> None:
    assert cycling.capacity(cycle(1, 3.0, None))[0].method == "charge capacity of cycle 1"


CYCLES = [cycle(1, 10.0, 9.0), cycle(2, 8.0, 7.6), cycle(3, 8.0, None)]


@pytest.mark.parametrize(
    ("pairing", "series"),
    [
        (Pairing.STRIP_OVER_PLATE, [(1, 10 / 9), (2, 8 / 7.6)]),
        (Pairing.DISCHARGE_OVER_CHARGE, [(1, 0.9), (2, 0.95)]),
        (Pairing.DISCHARGE_OVER_PREVIOUS_CHARGE, [(2, 0.76)]),
    ],
)
def test_each_pairing_takes_its_two_capacities(pairing: Pairing, series: cycling.Series) -> None:
    assert cycling.coulombic_efficiencies(CYCLES, pairing) == series


@pytest.mark.parametrize(
    ("cell", "electrode", "pairing"),
    [
        ("Li||Cu", None, Pairing.STRIP_OVER_PLATE),
        ("Na||Cu (PP)", None, Pairing.STRIP_OVER_PLATE),
        ("half-cell", "copper", Pairing.STRIP_OVER_PLATE),
        ("Li||Li", None, None),
        ("SS|separator|SS", None, None),
        ("Li | separator | Li", None, None),
        ("Li-S coin cell", None, Pairing.DISCHARGE_OVER_CHARGE),
    ],
)
def test_the_cell_decides_the_pairing(cell: str, electrode: str | None, pairing: Pairing | None) -> None:
    assert cycling.pairing_of(cell, electrode) is pairing


def test_mean_coulombic_efficiency_with_its_standard_error() -> None:
    # 0.90 and 0.95: mean 0.925, sd 0.05/√2 = 0.03536, error 0.025
    figure = cycling.coulombic_efficiency(CYCLES, Pairing.DISCHARGE_OVER_CHARGE)
    assert figure.value == pytest.approx(0.925)
    assert figure.uncertainty == pytest.approx(0.025)
    assert figure.detail["standard_deviation"] == pytest.approx(0.05 / math.sqrt(2))
    assert figure.method == "discharge / charge of the same cycle; mean of 2 cycles, 1 to 2"


def test_mean_coulombic_efficiency_is_unbiased_and_its_uncertainty_honest() -> None:
    found = []
    for seed in range(200):
        stripped = 0.975 + 0.002 * np.random.default_rng(seed).standard_normal(100)
        cycles = [cycle(n, float(q), 1.0) for n, q in enumerate(stripped, start=1)]
        found.append(cycling.coulombic_efficiency(cycles, Pairing.STRIP_OVER_PLATE).estimate)
    bias, coverage = covered(found, 0.975)
    assert abs(bias) < 0.2
    assert 0.90 <= coverage <= 0.99


def test_an_efficiency_that_runs_away_is_pointed_out() -> None:
    random = np.random.default_rng(0)
    cycles = [cycle(n, 0.96 - 0.001 * n, 1.0) for n in range(1, 101)]
    figure = cycling.coulombic_efficiency(cycles, Pairing.STRIP_OVER_PLATE)
    assert "drifts by -9.9 % from cycle 1 to 100" in figure.warnings[0]  # 99 times 0.1 %
    steady = [cycle(n, 0.96 + 0.0005 * float(random.standard_normal()), 1.0) for n in range(1, 101)]
    assert cycling.coulombic_efficiency(steady, Pairing.STRIP_OVER_PLATE).warnings == ()


def test_energy_efficiency_and_hysteresis() -> None:
    # 18 J out, 24 J in: 75 %; 2.4 V - 2.05 V = 350 mV
    one = CycleSummary(
        1, charge_energy=24.0, discharge_energy=18.0, charge_voltage=2.4, discharge_voltage=2.05
    )
    assert cycling.energy_efficiency([one]).value == 0.75
    gap = cycling.hysteresis([one])
    assert gap.value == pytest.approx(0.35)
    assert gap.uncertainty is None  # one cycle shows no scatter


def test_no_complete_cycle_is_no_efficiency() -> None:
    with pytest.raises(
        FigureError, match="no complete cycle: energy_efficiency needs discharge / charge energy"
    ):
        cycling.energy_efficiency([cycle(1, None, 3.0)])


def test_retention() -> None:
    # 6 of 8 C: 75 %; 0.08 C of scatter on either is 1 % and 1.333 %: 0.75 · 1.667 % = 0.0125
    figure = cycling.retention(cycle(1, None, 8.0), cycle(50, None, 6.0), noise=0.08)
    assert figure.value == 0.75
    assert figure.uncertainty == pytest.approx(0.0125, rel=1e-3)


def plated(ordinal: int, coulombs: float) -> StepSummary:
    verb = "strip" if coulombs > 0 else "plate"
    return StepSummary(ordinal, verb, cycle=1, capacity=coulombs, energy=0.0, duration=3600.0)


def test_average_efficiency_over_a_reservoir() -> None:
    # Qt = 18 C, n = 10 of Qc = 3.6 C, Qs = 16.2 C: (36 + 16.2) / (36 + 18) = 0.96667
    between = [plated(3 + i, 3.6 if i % 2 == 0 else -3.6) for i in range(20)]
    figure = cycling.average_coulombic_efficiency(plated(2, -18.0), between, plated(23, 16.2))
    assert figure.value == pytest.approx(52.2 / 54)
    assert figure.detail["rounds"] == 10
    assert figure.warnings == ()


def test_a_reservoir_that_ran_out_is_pointed_out() -> None:
    between = [plated(3, 3.6), plated(4, -3.6), plated(5, 1.2), plated(6, -3.6)]
    figure = cycling.average_coulombic_efficiency(plated(2, -5.0), between, plated(7, 3.0))
    assert "ran out" in figure.warnings[0]
    assert figure.value == pytest.approx(7.8 / 12.2)


def test_a_reservoir_has_to_be_plated() -> None:
    with pytest.raises(FigureError, match="the reservoir passed 18 C"):
        cycling.average_coulombic_efficiency(plated(2, 18.0), [], plated(3, 16.0))
