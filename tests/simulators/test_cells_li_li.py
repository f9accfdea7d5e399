"""The symmetric cell: overpotentials by hand, soft shorts from the seed."""

import pytest

from simulators.cells.base import Cell
from simulators.cells.library import make_cell

TWO_MA_CM2 = 20.0 * 2.011e-4  # A


def middles(cell: Cell, count: int) -> list[float]:
    """Return the voltage at the middle of each charging half cycle of 0.5 h."""
    found = []
    for _ in range(count):
        found.append(cell.drive_current(TWO_MA_CM2, 900.0))
        cell.drive_current(TWO_MA_CM2, 900.0)
        cell.drive_current(-TWO_MA_CM2, 1800.0)
    return found


def test_the_coated_separator_is_flat_for_three_hundred_hours() -> None:
    # 2 mA/cm2 x 12 ohm cm2 + 51.39 mV asinh(0.5) = 24 + 24.73 mV
    assert middles(make_cell("li_li/ti087o2"), 300) == pytest.approx([0.04873] * 300, abs=1e-5)


def test_the_plain_separator_grows() -> None:
    # in the middle of the first half cycle Q = 0.5: 8 (1 + 0.002) = 8.016; 2 x 16.016 + 24.73 = 56.76 mV
    # of the 300th Q = 299 x 2 + 0.5: 8 (1 + 2.394 + 0.7164) = 32.88; 2 x 40.88 + 24.73 = 106.5 mV
    found = middles(make_cell("li_li/pp"), 300)
    assert found[0] == pytest.approx(0.05676, abs=1e-5)
    assert found[-1] == pytest.approx(0.1065, abs=1e-4)


def test_each_half_cycle_begins_with_a_peak() -> None:
    cell = make_cell("li_li/ti087o2")
    assert cell.drive_current(TWO_MA_CM2, 0.0) == pytest.approx(0.04873 + 0.020, abs=1e-5)
    cell.drive_current(TWO_MA_CM2, 1800.0)
    assert cell.drive_current(TWO_MA_CM2, 0.0) == pytest.approx(0.04873, abs=1e-5)
    assert cell.drive_current(-TWO_MA_CM2, 0.0) == pytest.approx(-0.06873, abs=1e-5)


def test_it_rests_at_zero() -> None:
    cell = make_cell("li_li/pp")
    cell.drive_current(TWO_MA_CM2, 1000.0)
    assert cell.drive_current(0.0, 10.0) == 0.0


def test_a_soft_short_lowers_the_voltage_and_the_impedance_alike() -> None:
    cell = make_cell("li_li/pp", 3, short_hazard=0.01)
    at = cell.truth()["shorted_at"]
    cell.drive_current(TWO_MA_CM2, at / TWO_MA_CM2 - 1.0)
    whole, before = cell.drive_current(TWO_MA_CM2, 0.0), abs(cell.impedance(1e-3))
    assert not cell.truth()["shorted"]
    cell.drive_current(TWO_MA_CM2, 2.0)  # still on its first minute: exactly the median of 30 ohm
    assert cell.truth()["shorted"]
    shorted = cell.drive_current(TWO_MA_CM2, 0.0)
    assert shorted == pytest.approx(whole * 30.0 / (30.0 + whole / TWO_MA_CM2), rel=1e-4)
    assert abs(cell.impedance(1e-3)) == pytest.approx(before * 30.0 / (30.0 + before), rel=1e-4)


def test_a_soft_short_wanders_but_stays_a_soft_short() -> None:
    cell = make_cell("li_li/pp", 3, short_hazard=10.0)
    found = middles(cell, 200)[5:]
    assert max(found) > 1.3 * min(found)
    assert min(found) > 0.005


def test_a_hard_short_leaves_next_to_nothing() -> None:
    cell = make_cell("li_li/pp", 3, short_hazard=100.0, short_resistance=0.1)
    assert middles(cell, 2)[-1] < 0.005  # 0.1 ohm x 4 mA is 0.4 mV, times e^(3 x 0.6) at most


def test_impedance_at_low_frequency_is_the_slope_at_rest() -> None:
    cell = make_cell("li_li/ti087o2")
    cell.drive_current(TWO_MA_CM2, 1800.0)
    slope = cell.drive_current(1e-7, 0.0) / 1e-7
    assert cell.impedance(1e-4).real == pytest.approx(slope, rel=1e-4)
