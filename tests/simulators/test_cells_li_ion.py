"""The generic lithium-ion cell and its temperature."""

from itertools import pairwise

import pytest

from simulators.cells.half_cycle import half_cycle
from simulators.cells.li_ion import open_circuit_voltage
from simulators.cells.library import make_cell
from simulators.cells.thermal import ThermalNode, arrhenius

ONE_C = 3e-3  # A, of the 3 mAh the cell file says


def test_the_open_circuit_curve_rises_throughout() -> None:
    curve = [open_circuit_voltage(-0.2 + k / 1000.0) for k in range(1401)]
    assert all(low < high for low, high in pairwise(curve))
    assert 2.4 < open_circuit_voltage(0.0) < 2.5
    assert 4.25 < open_circuit_voltage(1.0) < 4.3


def test_slowly_it_holds_its_nominal_capacity() -> None:
    cell = make_cell("li_ion", state_of_charge=0.9)
    half_cycle(cell, ONE_C / 50, 4.2, step=60.0)
    assert half_cycle(cell, -ONE_C / 50, 2.8, step=60.0) * ONE_C / 50 / 3.6 == pytest.approx(2.98, rel=0.01)


def test_constant_current_constant_voltage_charging() -> None:
    cell = make_cell("li_ion", state_of_charge=0.1)
    half_cycle(cell, ONE_C, 4.2)
    at_once = cell.drive_voltage(4.2, 0.0)
    assert at_once == pytest.approx(ONE_C, rel=1e-6)  # the hold begins where the current left off
    currents = [cell.drive_voltage(4.2, 30.0) for _ in range(60)]
    assert all(low < high for high, low in pairwise([at_once, *currents]))
    assert cell.drive_voltage(4.2, 5400.0) < 0.05 * ONE_C


def test_a_cycle_returns_nearly_all_of_its_charge() -> None:
    cell = make_cell("li_ion", fade_cycle=0.0)
    half_cycle(cell, -0.1 * ONE_C, 2.8)
    cell.drive_current(0.0, 7200.0)
    charged = half_cycle(cell, 0.1 * ONE_C, 4.2)
    cell.drive_current(0.0, 7200.0)
    assert half_cycle(cell, -0.1 * ONE_C, 2.8) / charged == pytest.approx(0.9995, abs=2e-4)


def test_a_pulse_shows_the_ohmic_resistance_at_once_and_the_rest_later() -> None:
    cell = make_cell("li_ion")
    rest = cell.drive_current(0.0, 3600.0)
    # 2 C through 8 ohm: 48 mV at once; the arcs of 6 and 8 ohm add 84 mV within 10 s
    assert rest - cell.drive_current(-2 * ONE_C, 0.0) == pytest.approx(0.048, abs=1e-5)
    assert rest - cell.drive_current(-2 * ONE_C, 10.0) > 0.132


def test_fade_counts_full_cycles() -> None:
    # 1 % per full cycle of 2 x 3.1 mAh: after 5 h of 3.1 mA either way, 2.5 cycles
    cell = make_cell("li_ion", fade_cycle=0.01)
    for _ in range(25):
        cell.drive_current(-3.1e-3, 360.0)
        cell.drive_current(3.1e-3, 360.0)
    assert cell.truth()["capacity"] / 3.6 == pytest.approx(3.1 * 0.975)


def test_a_node_warms_with_its_own_time() -> None:
    # 0.1 W x 20 K/W = 2 K, reached with 5 J/K x 20 K/W = 100 s
    assert ThermalNode(5.0, 20.0).warmed(0.0, 0.1, 100.0) == pytest.approx(2.0 * (1 - 0.36788), abs=1e-5)


def test_resistance_falls_as_the_cell_warms() -> None:
    # exp(30000/8.314462 (1/308.15 - 1/298.15)) = exp(-0.39273)
    assert arrhenius(35.0, 30e3) == pytest.approx(0.67521, abs=2e-5)
    cold, warm = make_cell("li_ion", ambient=25.0), make_cell("li_ion", ambient=35.0)
    fall = [cell.drive_current(0.0, 0.0) - cell.drive_current(-ONE_C, 0.0) for cell in (cold, warm)]
    assert fall[1] / fall[0] == pytest.approx(0.67521, abs=2e-5)


def test_a_heavy_current_warms_the_cell_and_a_rest_cools_it() -> None:
    # 30 mA through 8 to 37 ohm is 7 to 33 mW: 0.14 to 0.67 K, about 0.4 of it within 50 s
    cell = make_cell("li_ion")
    for _ in range(5):
        cell.drive_current(-10 * ONE_C, 10.0)
    assert 25.05 < cell.temperature < 25.4
    cell.drive_current(0.0, 3600.0)
    assert cell.temperature == pytest.approx(25.0, abs=1e-3)


def test_impedance_and_pulse_agree_on_the_direct_resistance() -> None:
    cell = make_cell("li_ion")
    # at 5 mHz both arcs (14 ohm) are through and part of the 15 ohm of diffusion
    assert 22.0 < cell.impedance(5e-3).real < 37.0
    assert cell.impedance(1e5).real == pytest.approx(8.0, rel=1e-2)
