"""Plating and stripping on copper, against hand-made numbers and the ledger."""

from statistics import mean

import pytest

from simulators.cells.half_cycle import half_cycle
from simulators.cells.library import make_cell

AREA = 1.131e-4  # m2
ONE_MA_CM2 = 10.0 * AREA  # A


def efficiencies(name: str, count: int, stop: float, seed: int = 7) -> tuple[list[float], list[float]]:
    """Return what is measured with 1 mAh/cm2 at 1 mA/cm2, and what was put in."""
    cell = make_cell(name, seed)
    measured = []
    for _ in range(count):
        cell.drive_current(-ONE_MA_CM2, 3600.0)
        cell.drive_current(0.0, 60.0)  # a rest in between begins nothing
        measured.append(half_cycle(cell, ONE_MA_CM2, stop) / 3600.0)
    return measured, cell.truth()["coulombic_efficiency"]


@pytest.mark.parametrize("stop", [0.5, 1.0])
def test_what_is_stripped_is_what_the_ledger_says(stop: float) -> None:
    measured, drawn = efficiencies("li_cu/ti087o2", 20, stop)
    assert len(drawn) == 20
    assert len(set(drawn)) == 20
    assert measured == pytest.approx(drawn, abs=3e-4)


def test_the_coated_separator_stays_above_the_published_efficiency() -> None:
    measured, _ = efficiencies("li_cu/ti087o2", 100, 0.5)
    assert min(measured) > 0.965
    assert mean(measured) == pytest.approx(0.975, abs=6e-4)  # 3 x 0.002 / sqrt(100)


def test_the_plain_separator_drifts_and_fluctuates() -> None:
    measured, _ = efficiencies("li_cu/pp", 100, 0.5)
    assert mean(measured[:40]) == pytest.approx(0.95, abs=3e-3)
    # of cycles 81 to 100 the mean is 0.95 - 8e-4 x 50.5 = 0.910, good to 3 x 0.036 / sqrt(20) = 0.024
    assert mean(measured[80:]) == pytest.approx(0.910, abs=0.024)


def test_sodium_as_published() -> None:
    good, _ = efficiencies("na_cu/ti087o2", 200, 0.5)
    assert mean(good) == pytest.approx(0.988, abs=4e-4)
    plain, _ = efficiencies("na_cu/pp", 150, 0.5)
    assert mean(plain[-20:]) < 0.92  # 0.96 - 5e-4 x 100 = 0.91, and falling


def test_voltages_of_both_half_cycles() -> None:
    cell = make_cell("li_cu/ti087o2", spread=0.0)
    # plating far from its start: -1 x 28 mV - 51.39 mV asinh(1/3) = -28 - 16.83 mV
    assert cell.drive_current(-ONE_MA_CM2, 3600.0) == pytest.approx(-0.04483, abs=2e-5)
    # stripping, 0.475 of 0.975 left: coverage 0.475/0.495, squared 0.9208; 28 + 51.39 asinh(0.3620) mV
    assert cell.drive_current(ONE_MA_CM2, 1800.0) == pytest.approx(0.0462, abs=5e-5)


def test_nucleation_costs_sixty_millivolts_at_first() -> None:
    cell = make_cell("li_cu/ti087o2", spread=0.0)
    cell.drive_current(-ONE_MA_CM2, 3600.0)
    cell.drive_current(ONE_MA_CM2, 1800.0)
    assert cell.drive_current(-ONE_MA_CM2, 0.0) == pytest.approx(-0.04483 - 0.060, abs=2e-5)


def test_the_first_plating_comes_down_from_the_potential_of_bare_copper() -> None:
    cell = make_cell("li_cu/ti087o2")
    assert cell.drive_current(0.0, 21600.0) == pytest.approx(1.0)
    trace = [cell.drive_current(-ONE_MA_CM2, 2.0) for _ in range(60)]
    assert trace[0] > 0.0
    assert min(trace) < -0.06
    assert trace[-1] > min(trace)  # out of the nucleation dip


def test_at_rest_metal_pins_the_potential_and_bare_copper_drifts_back() -> None:
    cell = make_cell("li_cu/ti087o2")
    cell.drive_current(-ONE_MA_CM2, 3600.0)
    assert cell.drive_current(0.0, 3600.0) == pytest.approx(0.0, abs=1e-6)
    half_cycle(cell, ONE_MA_CM2, 1.4)
    cell.drive_current(ONE_MA_CM2, 60.0)  # nothing at all is left
    assert cell.drive_current(0.0, 0.0) < 0.1
    assert cell.drive_current(0.0, 36000.0) == pytest.approx(1.0, abs=0.01)


def test_overdriven_stripping_ends_at_a_finite_voltage() -> None:
    cell = make_cell("li_cu/ti087o2")
    cell.drive_current(-ONE_MA_CM2, 60.0)
    volts = cell.drive_current(ONE_MA_CM2, 86400.0)
    assert 3.0 < volts <= 5.1


def test_a_reservoir_averages_the_efficiencies() -> None:
    # Adams' method 3: (n Qc + Qs) / (n Qc + Qt), with every plating at exactly 0.975:
    # in: 5 + 10 x 1 plated; live at the end 0.975 x 15 - 10 stripped = 4.625; (10 + 4.625) / 15 = 0.975
    cell = make_cell("li_cu/ti087o2", spread=0.0)
    hour = 3600.0
    cell.drive_current(-ONE_MA_CM2, 5 * hour)
    for _ in range(10):
        cell.drive_current(ONE_MA_CM2, hour)
        cell.drive_current(-ONE_MA_CM2, hour)
    final = half_cycle(cell, ONE_MA_CM2, 1.0) / hour
    assert (10.0 + final) / 15.0 == pytest.approx(0.975, abs=1e-4)


def test_going_back_draws_nothing_anew() -> None:
    cell = make_cell("li_cu/pp", 4)
    before = cell.state()
    cell.drive_current(-ONE_MA_CM2, 10.0)
    drawn = cell.truth()["coulombic_efficiency"]
    cell.restore(before)
    cell.drive_current(-ONE_MA_CM2, 10.0)
    assert cell.truth()["coulombic_efficiency"] == drawn
    assert make_cell("li_cu/pp", 5).drive_current(-ONE_MA_CM2, 10.0) is not None


def test_seeds_differ() -> None:
    assert efficiencies("li_cu/pp", 2, 0.5, seed=1)[1] != efficiencies("li_cu/pp", 2, 0.5, seed=2)[1]


def test_bare_copper_blocks_and_plated_copper_does_not() -> None:
    cell = make_cell("li_cu/ti087o2")
    assert abs(cell.impedance(0.01)) > 1e4
    cell.drive_current(-ONE_MA_CM2, 3600.0)
    # (28 ohm cm2 + 51.39 mV / (2 x 1.5 mA/cm2 x (0.975/0.995)^4... squared coverage)) / 1.131 cm2
    transfer = 51.39 / (2 * 1.5 * (0.975 / 0.995) ** 2)
    assert cell.impedance(1e-3).real == pytest.approx((28.0 + transfer) / 1.131, rel=5e-3)
