"""The instrument's part of an uncertainty, by hand."""

import pytest

from protocols.accuracy import Accuracy
from protocols.figures.figure import Figure
from protocols.figures.instrument import by_instrument

ACCURACY = Accuracy(voltage_gain=3e-3, voltage_offset=3e-3, current_gain=3e-3, current_of_range=0.0)


@pytest.mark.parametrize(
    ("name", "uncertainty"),
    [
        (
            "steady_overpotential",
            (1.0**2 + 3.0 + 3.0) ** 0.5 * 1e-3,
        ),  # 1 mV, 3/√3 mV of gain, 3/√3 mV of offset
        ("hysteresis", (1.0**2 + 3.0) ** 0.5 * 1e-3),
        ("rate_capability", (1.0**2 + 3.0) ** 0.5 * 1e-3),
        ("retention", 1e-3),
    ],
)
def test_gain_and_offset_where_they_belong(name: str, uncertainty: float) -> None:
    widened = by_instrument(Figure(name, 1.0, "V", "by hand", 1e-3), ACCURACY)
    assert widened.uncertainty == pytest.approx(uncertainty)


def test_what_is_not_stated_adds_nothing() -> None:
    figure = Figure("hysteresis", 1.0, "V", "by hand", 1e-3)
    assert by_instrument(figure, None) is figure
