"""Rate capability: a mean per block of cycles, without the one that still feels the rate before."""

import pytest

from protocols.errors import FigureError
from protocols.figures.rate import rate_capability
from protocols.figures.run import CycleSummary


def block(first: int, amperes: float, *coulombs: float) -> list[CycleSummary]:
    return [
        CycleSummary(first + i, discharge_capacity=q, discharge_current=amperes)
        for i, q in enumerate(coulombs)
    ]


def test_each_rate_has_its_mean_and_what_is_left_of_the_first() -> None:
    cycles = block(1, 0.5e-3, 6.4, 6.0, 6.2) + block(4, 5e-3, 5.0, 3.0, 3.1) + block(7, 0.5e-3, 5.0, 5.9, 5.9)
    slow, fast, again = rate_capability(cycles)
    # means of the second and third: 6.1, 3.05 (half of the first), 5.9
    assert [f.value for f in (slow, fast, again)] == pytest.approx([6.1, 3.05, 5.9])
    assert fast.detail["relative_to_first_rate"] == pytest.approx(0.5)
    assert fast.method == "mean discharge capacity of cycles 5 to 6 at 5 mA"
    assert fast.uncertainty == pytest.approx(0.05)  # sd 0.1/√2, over √2
    assert again.place.cycle == 9


def test_per_active_mass() -> None:
    # 6 C / 2 mg = 3e6 C/kg = 833.3 mAh/g
    figures = rate_capability(block(1, 1e-3, 6.0) + block(2, 2e-3, 3.0), mass=2e-6)
    assert str(figures[0].in_lab_units()) == "833.3 mAh/g"


def test_one_rate_is_refused() -> None:
    with pytest.raises(FigureError, match="one current only"):
        rate_capability(block(1, 1e-3, 6.0, 5.9))
