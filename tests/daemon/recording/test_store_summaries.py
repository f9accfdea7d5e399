"""A cycle's figures follow from its steps, by the kind of cell."""

import sqlite3
from pathlib import Path

import pytest

from daemon.recording.ingest import STEPS_OF_CYCLE
from daemon.recording.store import Store
from daemon.recording.summaries import Pairing, StepTotals, pairing_of, summarise


def step(verb: str, capacity: float | None, energy: float | None, *, ended: bool = True) -> StepTotals:
    return StepTotals(verb, ended, 10.0, capacity, energy, 1, 2)


@pytest.mark.parametrize(
    ("cell", "facts", "pairing"),
    [
        ("Li||Cu", {}, Pairing.STRIP_PER_PLATE),
        ("Na||Cu", {"working_electrode": "copper"}, Pairing.STRIP_PER_PLATE),
        ("half cell 7", {"working_electrode": "copper"}, Pairing.STRIP_PER_PLATE),
        ("Li||Li", {}, Pairing.SYMMETRIC),
        ("Li|separator|Li", {}, Pairing.SYMMETRIC),
        ("SS|separator|SS", {}, Pairing.SYMMETRIC),
        ("Li-S coin cell", {}, Pairing.DISCHARGE_PER_CHARGE),
        ("Li||NMC", {}, Pairing.DISCHARGE_PER_CHARGE),
    ],
)
def test_the_pairing_follows_from_the_cell(cell: str, facts: dict[str, object], pairing: Pairing) -> None:
    assert pairing_of(cell, facts) is pairing


def test_stripping_over_plating_and_no_energy_efficiency_on_copper() -> None:
    # Plated 4.0 C at -0.05 V: energy = -4 C x -0.05 V = +0.2 J. Stripped 3.9 C at +0.05 V: 0.195 J.
    cycle = summarise([step("plate", -4.0, 0.2), step("strip", 3.9, 0.195)], Pairing.STRIP_PER_PLATE)
    assert cycle.coulombic_efficiency == pytest.approx(0.975)  # 3.9 / 4.0
    assert cycle.energy_efficiency is None
    assert cycle.mean_discharge_voltage == pytest.approx(-0.05)
    assert cycle.hysteresis == pytest.approx(0.10)  # 0.05 - -0.05
    assert cycle.discharge_energy == pytest.approx(-0.2)  # plating cost it


def test_a_symmetric_cell_has_a_hysteresis_and_no_efficiency() -> None:
    cycle = summarise([step("plate", -3.6, 0.18), step("strip", 3.6, 0.18)], Pairing.SYMMETRIC)
    assert (cycle.coulombic_efficiency, cycle.energy_efficiency) == (None, None)
    assert cycle.hysteresis == pytest.approx(0.1)  # 0.18 / 3.6 - -0.18 / 3.6


def test_constant_voltage_counts_with_the_charge_it_follows() -> None:
    steps = [
        step("charge", 9.0, 36.0),
        step("hold", 1.0, 4.2),
        step("rest", 0.0, 0.0),
        step("discharge", -9.5, -35.0),
    ]
    cycle = summarise(steps, Pairing.DISCHARGE_PER_CHARGE)
    assert cycle.charge_capacity == 10.0
    assert cycle.coulombic_efficiency == pytest.approx(0.95)
    assert cycle.duration == 40.0


def test_a_spectrum_a_sweep_and_a_rest_count_for_nothing() -> None:
    steps = [step("impedance", 0.1, 0.1), step("sweep", -0.5, -1.0), step("rest", -1e-6, 0.0)]
    cycle = summarise(steps, Pairing.DISCHARGE_PER_CHARGE)
    assert (cycle.charge_capacity, cycle.discharge_capacity) == (0.0, 0.0)
    assert cycle.mean_charge_voltage is None


def test_there_is_no_efficiency_before_every_step_has_ended() -> None:
    steps = [step("charge", 9.0, 36.0), step("discharge", -9.0, -30.0), step("hold", None, None, ended=False)]
    assert summarise(steps, Pairing.DISCHARGE_PER_CHARGE).coulombic_efficiency is None


def test_an_unknown_cell_has_capacities_and_no_efficiency_yet() -> None:
    cycle = summarise([step("charge", 9.0, 36.0), step("discharge", -9.0, -30.0)], None)
    assert (cycle.charge_capacity, cycle.coulombic_efficiency, cycle.pairing) == (9.0, None, None)


def test_how_each_way_ended_how_long_it_took_and_whether_counter_and_readings_agree() -> None:
    steps = [
        StepTotals("discharge", True, 100.0, -4.0, -8.0, 1, 2, end_voltage=1.7, own_capacity=-3.98),
        StepTotals("charge", True, 90.0, 3.6, 8.0, 3, 4, end_voltage=2.8, own_capacity=3.6),
        StepTotals("hold", True, 30.0, 0.4, 1.1, 5, 6, end_voltage=2.801),
    ]
    cycle = summarise(steps, Pairing.DISCHARGE_PER_CHARGE)
    assert (cycle.charge_time, cycle.discharge_time) == (120.0, 100.0)
    assert (cycle.charge_end_voltage, cycle.discharge_end_voltage) == (2.801, 1.7)
    assert cycle.disagreement == pytest.approx(0.005)  # 3.98 of 4.00 C


def test_the_steps_of_a_cycle_are_found_however_many_the_run_has(tmp_path: Path) -> None:
    Store.open(str(tmp_path / "results.db")).close()
    connection = sqlite3.connect(tmp_path / "results.db")
    plan = connection.execute(f"EXPLAIN QUERY PLAN {STEPS_OF_CYCLE}", {"run_id": 1, "cycle": 1}).fetchall()
    connection.close()
    walked = [row[-1] for row in plan if row[-1].endswith("(run_id=?)")]
    assert walked == []  # by the run alone: that is every step it has
