"""Decay per cycle, by each formula, against the numbers of the reference experiment."""

import numpy as np
import pytest

from protocols.errors import FigureError
from protocols.figures.cycling import Series
from protocols.figures.decay import blocks, capacity_decay, longest_block
from protocols.figures.figure import Figure
from protocols.figures.run import CycleSummary
from tests.protocols.figures.synthetic import covered


def by_name(series: Series) -> dict[str, Figure]:
    return {figure.name: figure for figure in capacity_decay(series)}


def test_the_published_capacities_give_the_published_decay() -> None:
    # 713.4 → 585 in 5000 cycles: 128.4 / (713.4 · 5000) = 3.5997e-5, "0.0036 %"
    # compound: 1 - (585 / 713.4)^(1/5000) = 0.19844 / 5000 = 3.969e-5
    found = by_name([(1, 713.4), (5001, 585.0)])
    assert str(found["capacity_decay"].in_lab_units()) == "0.0036 %/cycle"
    assert found["capacity_decay"].value == pytest.approx(3.5997e-5, rel=1e-4)
    assert found["capacity_decay_compound"].value == pytest.approx(3.969e-5, rel=1e-3)
    assert found["capacity_decay"].uncertainty is None  # two cycles show no scatter
    assert "reference cycle a = 1, b = 5001" in found["capacity_decay"].method


def test_a_straight_line_gives_its_slope_by_theil_and_sen() -> None:
    # 1000 - 2 n: 2 / 998 per cycle of the reference cycle 1; ends: (998 - 960) / (998 · 19)
    found = by_name([(n, 1000.0 - 2 * n) for n in range(1, 21)])
    assert found["capacity_decay_theil_sen"].value == pytest.approx(2 / 998)
    assert found["capacity_decay"].value == pytest.approx(2 / 998)


def test_one_wild_cycle_moves_the_ends_and_not_the_median() -> None:
    series = [(n, 1000.0 - 2 * n) for n in range(1, 21)]
    series[-1] = (20, 480.0)
    found = by_name(series)
    assert found["capacity_decay_theil_sen"].value == pytest.approx(2 / 998)
    assert found["capacity_decay"].value == pytest.approx((998 - 480) / (998 * 19))


@pytest.mark.parametrize("name", ["capacity_decay", "capacity_decay_theil_sen"])
def test_decay_is_unbiased_and_its_uncertainty_honest(name: str) -> None:
    numbers = np.arange(1, 101)
    found = []
    for seed in range(200):
        noisy = 1000.0 - 0.5 * (numbers - 1) + 2.0 * np.random.default_rng(seed).standard_normal(100)
        figure = by_name(list(zip(numbers.tolist(), noisy.tolist(), strict=True)))[name]
        found.append(figure.estimate)
    bias, coverage = covered(found, 0.0005)
    assert abs(bias) < 0.2
    assert 0.90 <= coverage <= 0.99


def test_ten_thousand_cycles_are_thinned_and_say_so() -> None:
    figure = by_name([(n, 400.0 - 0.01 * n) for n in range(10_000)])["capacity_decay_theil_sen"]
    assert figure.value == pytest.approx(0.01 / 400)
    assert "1000 of 10000 cycles evenly chosen" in figure.method


@pytest.mark.parametrize(
    ("series", "reason"),
    [([(1, 5.0)], "1 cycle at this rate"), ([(3, 0.0), (4, 1.0)], "reference cycle 3 has a capacity of 0 C")],
)
def test_too_little_is_refused(series: Series, reason: str) -> None:
    with pytest.raises(FigureError, match=reason):
        capacity_decay(series)


def test_a_cell_that_is_dead_has_a_linear_decay_only() -> None:
    assert [figure.name for figure in capacity_decay([(1, 5.0), (2, 0.0)])] == ["capacity_decay"]


def at_rate(number: int, amperes: float, *marks: str) -> CycleSummary:
    return CycleSummary(number, discharge_capacity=5.0, discharge_current=amperes, marks=marks)


def test_cycles_are_split_where_the_rate_changes_and_the_longest_block_is_followed() -> None:
    cycles = [
        at_rate(1, 0.2),
        at_rate(2, 0.2),
        at_rate(3, 1.0),
        at_rate(4, 1.001),
        at_rate(5, 1.0),
        at_rate(6, 0.2),
    ]
    assert [[c.number for c in block] for block in blocks(cycles)] == [[1, 2], [3, 4, 5], [6]]
    assert [c.number for c in longest_block(cycles)] == [3, 4, 5]


def test_a_mark_ends_a_block_too() -> None:
    cycles = [at_rate(1, 0.2, "activation"), at_rate(2, 0.2, "long"), at_rate(3, 0.2, "long")]
    assert [c.number for c in longest_block(cycles)] == [2, 3]
