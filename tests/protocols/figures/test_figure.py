"""Figures stay in SI and are shown as a lab writes them."""

import pytest

from protocols.errors import FigureError
from protocols.figures.figure import Figure


@pytest.mark.parametrize(
    ("name", "value", "uncertainty", "unit", "shown"),
    [
        ("ionic_conductivity", 0.0305, 0.0015, "S/m", "0.305 ± 0.015 mS/cm"),  # 1 S/m = 10 mS/cm
        ("capacity", 6.12, None, "C", "1.7 mAh"),  # 6.12 / 3.6
        ("specific_capacity", 3.528e6, None, "C/kg", "980 mAh/g"),  # 3.528e6 / 3600
        ("areal_capacity", 36000.0, None, "C/m2", "1 mAh/cm2"),  # 10 Ah/m2
        ("coulombic_efficiency", 0.975, 0.0002, "1", "97.500 ± 0.020 %"),
        ("capacity_decay", 3.6e-5, None, "1/cycle", "0.0036 %/cycle"),
        ("hysteresis", 0.0487, 0.0001, "V", "48.70 ± 0.10 mV"),
        ("transference_number", 0.36, 0.03, "1", "0.360 ± 0.030"),
        ("bulk_resistance", 4.08, 0.002, "ohm", "4.0800 ± 0.0020 ohm"),
        ("bulk_resistance", 4.08, 1e-15, "ohm", "4.08 ohm"),  # rounding is no measurement
        ("diffusion_coefficient", 1.57e-16, 0.2e-16, "m2/s", "1.57e-12 ± 2.0e-13 cm2/s"),
    ],
)
def test_lab_units(name: str, value: float, uncertainty: float | None, unit: str, shown: str) -> None:
    assert str(Figure(name, value, unit, "by hand", uncertainty).in_lab_units()) == shown


def test_a_value_that_is_no_number_is_no_figure() -> None:
    with pytest.raises(FigureError, match="bulk_resistance came out as nan"):
        Figure("bulk_resistance", float("nan"), "ohm", "a fit that went nowhere")
