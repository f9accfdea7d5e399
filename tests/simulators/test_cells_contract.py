"""What every simulated cell promises, whatever its kind."""

from cmath import rect
from collections.abc import Callable
from itertools import pairwise
from math import isfinite, tau
from random import Random

import pytest

from simulators.cells.base import Cell
from simulators.cells.library import cell_names, make_cell

KINDS = [
    "blocking",
    "li_sep_li",
    "li_cu",
    "na_cu",
    "li_li",
    "li_s/ti087o2",
    "li_s/pp",
    "li_se",
    "na_se",
    "li_ion",
    "supercapacitor",
]

Drive = Callable[[Cell, float], float]


def in_pieces(cell: Cell, drive: Drive, seconds: float, seed: int, cuts: int) -> float:
    random = Random(seed)
    moments = [0.0, *sorted(random.uniform(0.0, seconds) for _ in range(cuts)), seconds]
    return [drive(cell, after - before) for before, after in pairwise(moments)][-1]


def small_current(name: str) -> float:
    """Return a current no kind minds for an hour."""
    return 2e-8 if name.startswith("blocking") else 5e-4


@pytest.mark.parametrize("name", KINDS)
@pytest.mark.parametrize("sign", [-1.0, 1.0])
def test_a_constant_current_does_not_depend_on_how_the_hour_is_cut(name: str, sign: float) -> None:
    whole, cut = make_cell(name, 3), make_cell(name, 3)
    for cell in (whole, cut):
        cell.drive_current(-small_current(name), 4500.0)
    amperes = sign * small_current(name)
    once = whole.drive_current(amperes, 3600.0)
    many = in_pieces(cut, lambda cell, seconds: cell.drive_current(amperes, seconds), 3600.0, 5, 300)
    assert many == pytest.approx(once, abs=5e-5)
    assert cut.charge_passed() == pytest.approx(whole.charge_passed(), rel=1e-9, abs=1e-12)


@pytest.mark.parametrize(
    ("name", "volts"),
    [
        ("blocking", 0.05),
        ("li_sep_li", 0.01),
        ("li_cu", -0.1),
        ("li_li", 0.05),
        ("li_s/pp", 2.2),
        ("li_s/ti087o2", 2.0),
        ("li_ion", 4.0),
        ("li_ion", 3.6),
        ("supercapacitor", 1.6),
    ],
)
def test_a_constant_voltage_does_not_depend_on_how_the_hour_is_cut(name: str, volts: float) -> None:
    whole, cut = make_cell(name), make_cell(name)
    once = whole.drive_voltage(volts, 3600.0)
    many = in_pieces(cut, lambda cell, seconds: cell.drive_voltage(volts, seconds), 3600.0, 9, 40)
    mean = abs(whole.charge_passed()) / 3600.0
    assert many == pytest.approx(once, rel=1e-3, abs=1e-4 * mean)
    assert cut.charge_passed() == pytest.approx(whole.charge_passed(), rel=1e-4)


@pytest.mark.parametrize("name", cell_names())
def test_a_remembered_state_can_be_gone_back_to_many_times(name: str) -> None:
    cell = make_cell(name, 11)
    cell.drive_current(-small_current(name), 100.0)
    state = cell.state()

    def onwards() -> list[float]:
        cell.restore(state)
        return [
            cell.drive_current(small_current(name), 300.0),
            cell.drive_current(-small_current(name), 30.0),
            cell.drive_voltage(0.1 if cell.drive_current(0.0, 0.0) < 1.0 else 2.2, 3.0),
            cell.charge_passed(),
            cell.temperature,
        ]

    assert onwards() == onwards()


@pytest.mark.parametrize("name", KINDS)
def test_no_time_means_no_change(name: str) -> None:
    cell = make_cell(name)
    cell.drive_current(-small_current(name), 60.0)
    before = cell.state()
    cell.drive_current(0.01, 0.0)
    cell.drive_voltage(1.0, 0.0)
    assert cell.state() == before


@pytest.mark.parametrize("name", KINDS)
def test_instantaneous_current_and_voltage_are_each_others_inverse(name: str) -> None:
    cell = make_cell(name)
    cell.drive_current(-small_current(name), 600.0)
    for amperes in (-3e-3, -1e-4, 2e-4, 5e-3):
        volts = cell.drive_current(amperes, 0.0)
        assert cell.drive_voltage(volts, 0.0) == pytest.approx(amperes, rel=1e-6)


@pytest.mark.parametrize("name", KINDS)
def test_nothing_it_is_asked_makes_it_answer_with_nonsense(name: str) -> None:
    cell = make_cell(name)
    for value in (1e6, -1e6, 1.0, -1.0, 1e-12, 0.0):
        for seconds in (0.0, 1e-6, 1.0, 1e4):
            assert isfinite(cell.drive_current(value, seconds))
            assert isfinite(cell.drive_voltage(value, min(seconds, 10.0)))
            assert isfinite(abs(cell.impedance(1e3)))
            assert isfinite(cell.temperature)


@pytest.mark.parametrize("name", KINDS)
@pytest.mark.parametrize("value", [float("nan"), float("inf"), -1e7])
def test_what_no_instrument_could_do_is_refused(name: str, value: float) -> None:
    cell = make_cell(name)
    with pytest.raises(ValueError, match="is outside"):
        cell.drive_current(value, 1.0)
    with pytest.raises(ValueError, match="is outside"):
        cell.drive_voltage(value, 1.0)
    with pytest.raises(ValueError, match="wanted 0 to"):
        cell.drive_current(0.0, -1.0)


@pytest.mark.parametrize("name", KINDS)
def test_charge_passed_is_the_current_times_the_time(name: str) -> None:
    cell = make_cell(name)
    amperes = small_current(name)
    cell.drive_current(amperes, 100.0)
    cell.drive_current(-amperes, 30.0)
    assert cell.charge_passed() == pytest.approx(70.0 * amperes)


@pytest.mark.parametrize(
    ("name", "frequency", "amplitude"),
    [
        ("blocking", 10.0, 1e-6),
        ("li_sep_li", 0.01, 1e-5),
        ("li_li", 0.1, 1e-6),
        ("li_ion", 0.1, 1e-5),
        ("li_ion", 0.01, 1e-5),
    ],
)
def test_a_small_sine_in_time_finds_the_impedance(name: str, frequency: float, amplitude: float) -> None:
    cell = make_cell(name)
    expected = cell.impedance(frequency)
    rest, steps, periods = cell.drive_current(0.0, 0.0), 2000, 4
    seen = 0j
    for k in range(steps * periods):
        turn = rect(1.0, tau * (k + 0.5) / steps)
        sine = cell.drive_current(amplitude * turn.real, 1.0 / frequency / steps) - rest
        if k >= steps * (periods - 1):  # the last period, sampled half a step after its current
            seen += 2.0 / steps * sine / amplitude * rect(1.0, -tau * (k + 1.0) / steps)
    assert seen == pytest.approx(expected, rel=0.012)
