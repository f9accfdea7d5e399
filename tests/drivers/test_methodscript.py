"""Numbers a script can hold: an integer and a prefix, six to seven digits."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.methodscript import literal

FACTORS = {
    "": 1.0,
    "G": 1e9,
    "M": 1e6,
    "k": 1e3,
    "m": 1e-3,
    "u": 1e-6,
    "n": 1e-9,
    "p": 1e-12,
    "f": 1e-15,
    "a": 1e-18,
}


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (0.0, "0"),
        (1.5, "1500m"),
        (4.2, "4200m"),
        (-0.05, "-50m"),
        (1.131e-3, "1131u"),
        (36000.0, "36k"),
        (100e3, "100k"),
        (1.122018, "1122018u"),
        (-2.5e-9, "-2500p"),
        (1.0, "1"),
        (10.0, "10"),
    ],
)
def test_literals_by_hand(number: float, text: str) -> None:
    assert literal(number) == text


@given(st.floats(1e-12, 1e8) | st.floats(-1e8, -1e-12))
def test_a_literal_is_the_number_to_seven_digits(number: float) -> None:
    text = literal(number)
    digits = text.rstrip("GMkmunpfa")
    assert digits.lstrip("-").isdigit()
    assert float(digits) * FACTORS[text[len(digits) :]] == pytest.approx(number, rel=5.1e-7)


@pytest.mark.parametrize("number", [float("nan"), float("inf"), 1e25, 1e-25])
def test_what_cannot_be_written_is_refused(number: float) -> None:
    with pytest.raises(ValueError, match=r"no number|cannot be written"):
        literal(number)
