"""Ladders and the two cells that are nothing else, against closed formulas."""

from cmath import sqrt, tanh
from math import exp, pi, tau

import pytest

from simulators.cells.library import make_cell
from simulators.cells.modes import HeldLadder
from simulators.cells.voigt import Ladder, Voigt, constant_phase, warburg


def test_one_pair_charges_as_the_textbook_says() -> None:
    # 3 ohm, 2 s: after 2 s of 0.1 A, 0.3 V (1 - 1/e)
    assert Ladder([Voigt(3.0, 2.0)]).relaxed((0.0,), 0.1, 2.0) == pytest.approx((0.3 * (1 - exp(-1)),))


def test_one_pair_held_at_a_voltage() -> None:
    # behind 1 ohm the 3 ohm, 2 s pair relaxes with 2 s x 1/(1 + 3) = 0.5 s, from 1 A to 1/4 A at 1 V
    held = HeldLadder(1.0, Ladder([Voigt(3.0, 2.0)]))
    after = held.held((0.0,), 1.0, 1.0)
    assert held.current(after.voltages, 1.0) == pytest.approx(0.25 + 0.75 * exp(-2.0))
    assert after.charge == pytest.approx(0.25 + 0.75 * 0.5 * (1 - exp(-2.0)))


def test_a_held_ladder_agrees_with_small_steps_of_its_equation() -> None:
    ladder = Ladder([Voigt(3.0, 2.0), Voigt(1.0, 0.3), Voigt(0.5, 40.0)])
    voltages, charge, steps = ladder.at_rest, 0.0, 20_000
    for _ in range(steps):  # midpoint rule: each small current is that of half a step later
        middle = ladder.relaxed(voltages, (1.0 - sum(voltages)) / 0.7, 1e-4 / 2)
        amperes = (1.0 - sum(middle)) / 0.7
        voltages, charge = ladder.relaxed(voltages, amperes, 1e-4), charge + amperes * 1e-4
    held = HeldLadder(0.7, ladder).held(ladder.at_rest, 1.0, 2.0)
    assert held.voltages == pytest.approx(voltages, rel=1e-5)
    assert held.charge == pytest.approx(charge, rel=1e-5)


@pytest.mark.parametrize("frequency", [1e-4, 1e-2, 1e-1, 1.0, 10.0, 1e3])
def test_the_warburg_ladder_is_the_warburg_element(frequency: float) -> None:
    ladder = Ladder(warburg(60.0, 120.0, 1e-6))
    root = sqrt(2j * pi * frequency * 120.0)
    exact = 60.0 * tanh(root) / root
    assert abs(ladder.impedance(tau * frequency) - exact) < 0.014 * abs(exact)
    assert ladder.resistance == pytest.approx(60.0)


@pytest.mark.parametrize("frequency", [0.1, 1.0, 1e2, 1e4, 1e6])
def test_the_phase_ladder_is_the_constant_phase_element(frequency: float) -> None:
    phase = constant_phase(3e-5, 0.92, 1e3, 1e-8)
    s = 2j * pi * frequency
    exact = 1.0 / (3e-5 * s**0.92)
    ladder = Ladder(phase.pairs).impedance(tau * frequency) + phase.resistor + 1.0 / (s * phase.capacitor)
    assert abs(ladder - exact) < 3e-4 * abs(exact)


@pytest.mark.parametrize(
    ("name", "ohms"),
    [
        ("blocking/pp", 4.076),  # 25e-6 / (0.0305 x 2.011e-4)
        ("blocking/tio2", 5.070),  # 25.08e-6 / (0.0246 x 2.011e-4)
        ("blocking/go", 10.676),  # 25.12e-6 / (0.0117 x 2.011e-4)
        ("blocking/ti087o2", 3.273),  # 25.08e-6 / (0.0381 x 2.011e-4)
    ],
)
def test_bulk_resistances(name: str, ohms: float) -> None:
    truth = make_cell(name).truth()
    assert truth["bulk_resistance"] == pytest.approx(ohms, abs=1e-3)
    assert truth["thickness"] / (truth["bulk_resistance"] * truth["area"]) == pytest.approx(
        truth["conductivity"]
    )


def test_the_blocking_spectrum_crosses_the_axis_near_the_bulk_resistance() -> None:
    cell = make_cell("blocking/pp")
    assert cell.impedance(1e6).imag > 0.0 > cell.impedance(1e4).imag
    # at 100 kHz: w = 6.283e5, w^0.92 = 2.157e5, 1/(3e-5 x 2.157e5) = 0.1545 ohm at -82.8 degrees,
    # which is 0.0194 - 0.1533j; and wL = 0.5027 ohm
    assert cell.impedance(1e5) == pytest.approx(4.0759 + 0.0194 + (0.5027 - 0.1533) * 1j, abs=5e-4)


def test_a_blocking_cell_takes_direct_current_like_a_capacitor() -> None:
    # of the element held at a constant current: V = I t^n / (Q Gamma(n + 1)), Gamma(1.92) = 0.96877;
    # 10**-0.92 = 0.12023, so 0.12023 / (3e-5 x 0.96877) = 4136.9 ohm after 0.1 s, too early for the leak
    cell = make_cell("blocking/pp")
    assert cell.drive_current(1e-6, 0.1) == pytest.approx(1e-6 * (4136.9 + 4.0759), rel=5e-4)
    # in the end the leak takes it all: 10 megohm and the 1.65 megohm of the ladder itself
    assert cell.drive_current(1e-9, 1e7) == pytest.approx(1e-9 * 11.65e6, rel=2e-2)


@pytest.mark.parametrize(("name", "ratio"), [("li_sep_li/pp", 0.36), ("li_sep_li/ti087o2", 0.55)])
def test_the_steady_current_is_the_published_share_of_the_first(name: str, ratio: float) -> None:
    cell = make_cell(name)
    truth = cell.truth()
    first = 0.010 / (truth["bulk_resistance"] + truth["interfacial_resistance"])
    assert cell.drive_voltage(0.010, 6 * 3600.0) / first == pytest.approx(ratio, rel=1e-9)
    assert truth["transference_number"] == pytest.approx(ratio)


def test_the_first_milliseconds_of_a_voltage_step() -> None:
    # at once dV / Rb = 10 mV / 4.0759 ohm; after 1 ms the interface is charged (0.13 x 150 us) and
    # diffusion has taken about 2 Rd sqrt(t / (pi t_d)) = 2 x 60.6 sqrt(1e-3 / 377) = 0.197 ohm
    cell = make_cell("li_sep_li/pp")
    assert cell.drive_voltage(0.010, 0.0) == pytest.approx(2.4534e-3, rel=1e-4)
    assert cell.drive_voltage(0.010, 1e-3) == pytest.approx(0.010 / (34.076 + 0.197), rel=2e-3)


def test_log_samples_lie_on_the_one_step_curve() -> None:
    sampled = make_cell("li_sep_li/pp")
    moment = 0.0
    for k in range(0, 140, 20):
        target = 1e-3 * 10 ** (k / 20.0)
        amperes = sampled.drive_voltage(0.010, target - moment)
        moment = target
        assert amperes == pytest.approx(make_cell("li_sep_li/pp").drive_voltage(0.010, moment), rel=1e-9)


def test_the_spectrum_shows_bulk_interface_and_diffusion() -> None:
    cell = make_cell("li_sep_li/pp")
    assert cell.impedance(1e6).real == pytest.approx(4.076, rel=2e-2)
    assert cell.impedance(1e-5).real == pytest.approx(34.076 / 0.36, rel=1e-3)


def test_the_true_parametrisation_shows_what_the_sources_formula_hides() -> None:
    # Rd = 4.0759 (1/0.36 - 1) = 7.246; Is / I0 = 34.076 / 41.322 = 0.8246
    truth = make_cell("li_sep_li/pp", true_transference=True).truth()
    assert truth["transference_number"] == pytest.approx(0.8246, abs=1e-4)
    assert truth["evans_vincent_bruce"] == pytest.approx(0.36)


def test_an_offset_is_the_open_circuit_voltage() -> None:
    cell = make_cell("li_sep_li/pp", offset=5e-4)
    assert cell.drive_current(0.0, 3600.0) == 5e-4
    assert cell.drive_voltage(5e-4, 3600.0) == 0.0
