"""Lithium-sulfur against the source's numbers, its wells against what can be worked out by hand."""

from math import exp, log, tanh

import pytest

from simulators.cells.half_cycle import half_cycle
from simulators.cells.library import make_cell
from simulators.cells.plateaus import UPPER, plateau_voltage
from simulators.cells.two_wells import TwoWells, Wells

MASS = 1.70e-6  # kg
ONE_C = MASS * 1675.0  # kg x A/kg: 2.8475 mA


def cycles(
    name: str, rate: float, count: int, low: float = 1.7, high: float = 2.8
) -> list[tuple[float, float]]:
    """Return discharge and charge capacity of each cycle in mAh/g."""
    cell = make_cell(name)
    amperes = rate * cell.truth()["theoretical_capacity"] / 3600.0
    per_second = amperes / cell.truth()["active_mass"] / 3600.0
    return [
        (half_cycle(cell, -amperes, low) * per_second, half_cycle(cell, amperes, high) * per_second)
        for _ in range(count)
    ]


@pytest.mark.parametrize(
    ("name", "first", "second", "efficiency"),
    [
        ("li_s/pp", 980.0, 973.0, 0.957),
        ("li_s/tio2", 965.0, 959.0, 0.970),
        ("li_s/go", 960.0, 955.0, 0.982),
        ("li_s/ti087o2", 960.0, 958.0, 0.995),
    ],
)
def test_the_first_cycles_at_a_fifth_c(name: str, first: float, second: float, efficiency: float) -> None:
    one, two = cycles(name, 0.2, 2)
    assert one[0] == pytest.approx(first, rel=2e-3)
    assert two[0] == pytest.approx(second, abs=1.5)
    assert two[0] / two[1] == pytest.approx(efficiency, abs=1e-3)


@pytest.mark.parametrize(
    ("name", "rate", "capacity"),
    [
        ("li_s/ti087o2_rate", 0.2, 960.0),
        ("li_s/ti087o2_rate", 1.0, 713.0),
        ("li_s/ti087o2_rate", 2.0, 560.0),
        ("li_s/pp_rate", 0.2, 950.0),
        ("li_s/pp_rate", 1.0, 420.0),
        ("li_s/pp_rate", 2.0, 260.0),
        ("li_s/ti087o2_1c", 1.0, 713.3),
        ("li_s/ti087o2_2c", 2.0, 384.9),
    ],
)
def test_rate_capability_once_the_wells_follow_the_rate(name: str, rate: float, capacity: float) -> None:
    assert cycles(name, rate, 5)[-1][0] == pytest.approx(capacity, rel=2.5e-3)


def test_an_hour_of_rest_before_the_first_cycle_changes_little() -> None:
    cell = make_cell("li_s/pp")
    cell.drive_current(0.0, 3600.0)
    assert half_cycle(cell, -0.2 * ONE_C, 1.7) * 0.2 * 1675.0 / 3600.0 == pytest.approx(980.0, rel=0.01)


def test_fifty_cycles_on_plain_separator_fade_as_published() -> None:
    assert cycles("li_s/pp", 0.2, 50)[-1][0] == pytest.approx(826.0, rel=2e-3)


@pytest.mark.parametrize(
    ("name", "low", "high", "first"),
    [("li_se/ti087o2", 1.7, 2.8, 560.0), ("na_se/ti087o2", 0.8, 2.5, 540.0)],
)
def test_selenium_relatives_cycle_in_their_windows(name: str, low: float, high: float, first: float) -> None:
    assert cycles(name, 0.2, 1, low, high)[0][0] == pytest.approx(first, rel=2e-3)


def test_the_plateaus_are_where_they_are_published() -> None:
    cell = make_cell("li_s/ti087o2")
    amperes = 0.2 * ONE_C
    hour = 3600.0
    assert 2.27 < cell.drive_current(-amperes, 0.4 * hour) < 2.34  # upper plateau
    assert 2.04 < cell.drive_current(-amperes, 1.6 * hour) < 2.08  # lower plateau, 2 h of 2.9 in


def test_the_ledger_holds_each_discharge_in_coulombs() -> None:
    cell = make_cell("li_s/ti087o2")
    amperes = 0.2 * ONE_C
    first = half_cycle(cell, -amperes, 1.7)
    cell.drive_current(0.0, 600.0)  # a rest begins nothing
    half_cycle(cell, amperes, 2.8)
    cell.drive_current(-amperes, 1000.0)
    assert cell.truth()["delivered"] == pytest.approx([first * amperes, 1000.0 * amperes])


def test_at_rest_the_shuttle_eats_the_upper_plateau() -> None:
    # stored - 0.66 falls off as e^(-ks t): in 10 h at 0.15 1/h by e^-1.5
    cell = make_cell("li_s/pp")
    cell.drive_current(0.0, 36000.0)
    fresh = cell.drive_current(-1e-3, 0.0)
    cell.drive_current(0.0, 36000.0)
    assert cell.drive_current(-1e-3, 0.0) == pytest.approx(
        fresh, abs=1e-9
    )  # but not before it has ever worked
    cell.drive_current(-1e-3, 1.0)
    before = cell.state().stored
    cell.drive_current(0.0, 36000.0)
    assert cell.state().stored == pytest.approx(0.66 + (before - 0.66) * exp(-1.5), rel=1e-9)


def test_a_current_below_the_shuttle_charges_for_ever() -> None:
    # 0.15 1/h x 0.34 x 1136.5 mAh/g = 58 mA/g; 0.02 C is 33.5 mA/g
    cell = make_cell("li_s/pp")
    cell.drive_current(-0.2 * ONE_C, 3600.0)
    assert cell.drive_current(0.02 * ONE_C, 1000 * 3600.0) < 2.7


def test_a_rested_start_delivers_more_than_the_periodic_one() -> None:
    amperes = ONE_C
    rested, periodic = (
        make_cell("li_s/ti087o2_1c", precondition=0.0),
        make_cell("li_s/ti087o2_1c", precondition=1.0),
    )
    assert half_cycle(rested, -amperes, 1.7) * 1675.0 / 3600.0 == pytest.approx(868.0, rel=5e-3)
    assert half_cycle(periodic, -amperes, 1.7) * 1675.0 / 3600.0 == pytest.approx(713.3, rel=2e-3)


def test_the_long_term_set_begins_at_the_capacity_its_decay_counts_from() -> None:
    # 585 mAh/g after 5000 cycles of 0.0036 %: 585 / (1 - 0.18) = 713.4; an hour of rest goes before
    cell = make_cell("li_s/ti087o2_1c")
    cell.drive_current(0.0, 3600.0)
    assert half_cycle(cell, -ONE_C, 1.7) * 1675.0 / 3600.0 == pytest.approx(713.4, rel=3e-3)


def test_voltammetry_shows_two_reductions_and_an_oxidation() -> None:
    cell = make_cell("li_s/ti087o2")
    down = [(cell.drive_voltage(volts, 100.0), volts) for volts in (2.7 - k / 100.0 for k in range(101))]
    up = [(cell.drive_voltage(volts, 100.0), volts) for volts in (1.7 + k / 100.0 for k in range(111))]
    upper = min(pair for pair in down if pair[1] > 2.15)
    lower = min(pair for pair in down if pair[1] < 2.1)
    assert 2.2 < upper[1] < 2.35
    assert 1.85 < lower[1] < 2.05
    assert max(up)[1] > 2.15
    assert lower[0] < -1e-3
    assert max(up)[0] > 1e-3


def test_impedance_begins_at_the_ohmic_part_and_ends_capacitive() -> None:
    cell = make_cell("li_s/ti087o2")
    cell.drive_current(-0.2 * ONE_C, 7200.0)
    # 0.15 of 30 ohm cm2 / 1.131 cm2 = 3.98 ohm; the arcs add 0.85 of 26.5 = 22.5 ohm by 0.1 Hz
    assert cell.impedance(1e6).real == pytest.approx(3.98, rel=0.02)
    assert cell.impedance(0.05).real > 26.5
    assert cell.impedance(1e-5).imag < -100.0


def test_wells_equalise_with_their_exchange_rate() -> None:
    wells = TwoWells(share=0.4, exchange=1e-3, shuttle=0.0, threshold=0.66)
    after = wells.drained(Wells(0.5, -0.2), 0.0, 1000.0 * log(2.0))
    assert after == pytest.approx((0.5, -0.1))
    assert wells.level(after) == pytest.approx(0.5 - 0.1 / 0.4)


def test_charging_against_the_shuttle_stands_still_where_both_are_equal() -> None:
    # ks (stored - 0.66) = 1e-4 x 0.2 = the charging rate of 2e-5 per second
    wells = TwoWells(share=0.5, exchange=1e-3, shuttle=1e-4, threshold=0.66)
    assert wells.drained(Wells(0.86, 0.0), -2e-5, 1e6).stored == pytest.approx(0.86)
    assert wells.drained(Wells(0.10, 0.0), -2e-5, 1e7).stored == pytest.approx(0.86)


def test_crossing_the_threshold_is_exact() -> None:
    # down: 0.66 is reached after ln(1 + ks 0.2 / I) / ks = 1e4 ln 1.2 = 1823.2 s, then 1e-4 per second
    wells = TwoWells(share=0.5, exchange=1e-3, shuttle=1e-4, threshold=0.66)
    assert wells.drained(Wells(0.86, 0.0), 1e-4, 1823.2156 + 1000.0).stored == pytest.approx(0.56, abs=1e-8)
    # up: 0.66 is reached after 1000 s, then the rest goes towards 0.66 + 1e-4 / 1e-4 as 1 - e^(-ks t)
    up = wells.drained(Wells(0.56, 0.0), -1e-4, 2000.0)
    assert up.stored == pytest.approx(0.66 + 1.0 - exp(-0.1))


def test_periodic_cycling_obeys_the_design_equation() -> None:
    # Q = 1 - 2 (1-c) I / (c k) tanh(k Q / 2 I) between the full and the empty accessible well
    c, k, rate = 0.4, 2e-3, 5e-4
    wells, state = TwoWells(c, k, 0.0, UPPER), Wells(1.0, 0.0)
    moved = 0.0
    for sign, end in [(1.0, 0.0), (-1.0, 1.0)] * 10:
        low, high = 0.0, 10.0 / rate
        for _ in range(60):
            middle = (low + high) / 2.0
            short = sign * (wells.level(wells.drained(state, sign * rate, middle)) - end) > 0.0
            low, high = (middle, high) if short else (low, middle)
        state, moved = wells.drained(state, sign * rate, high), rate * high
    assert moved == pytest.approx(
        1.0 - 2.0 * (1 - c) * rate / (c * k) * tanh(k * moved / (2.0 * rate)), rel=1e-7
    )


def test_the_plateau_curve_goes_on_but_not_for_ever() -> None:
    # at 0: 2.105 - 0.035 - 0.45 + 0.0065 ln(1e-9) = 1.485 V; 1.5 V below it at most
    assert plateau_voltage(0.0, 1.0) == pytest.approx(1.4853, abs=1e-4)
    assert plateau_voltage(-100.0, 1.0) == pytest.approx(-0.0147, abs=1e-4)
    assert plateau_voltage(0.30, 1.0) == pytest.approx(
        2.105 + 0.009 + 0.0065 * log(0.3 / 0.7) - 0.035, abs=1e-4
    )
