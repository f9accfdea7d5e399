"""Numbers on the wire, against the worked examples of the package format."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulators.methodscript.errors import ScriptError
from simulators.methodscript.numerals import LARGEST, encode, literal
from tests.simulators.emstat4_bench import decode, packages


@pytest.mark.parametrize(
    ("value", "characters"),
    [
        # 5.13737 mV: 5137370 n is the finest below 2^27 = 134217728; 5137370 = 0x4E63DA
        (5.13737e-3, "84E63DAn"),
        # 2.799987 nA: 2799987 f; 0x2AB973 = 2*16^5 + 10*16^4 + 11*16^3 + 9*16^2 + 7*16 + 3
        (2.799987e-9, "82AB973f"),
        # -0.499905 V: as n it would be 499905000 > 2^27, so u; 0x8000000 - 499905 = 0x7F85F3F
        (-0.499905, "7F85F3Fu"),
        # -57.847747 uA: -57847747 p; 134217728 - 57847747 = 76369981 = 0x48D503D
        (-57.847747e-6, "48D503Dp"),
        (0.0, "8000000 "),
        # 134.217727 = 2^27 - 1 in u, the largest that still goes with that prefix
        (134.217727, "FFFFFFFu"),
        # 200 V does not fit as u; 200000 m = 0x30D40
        (200.0, "8030D40m"),
        (10, "800000Ai"),
        (-1, "7FFFFFFi"),
        (math.nan, "     nan"),
    ],
)
def test_a_value_takes_the_finest_prefix_that_fits(value: float, characters: str) -> None:
    assert encode(value) == characters


def test_the_documented_packages_read_as_what_was_put_in() -> None:
    first = f"Pda{encode(5.13737e-3)};ba{encode(2.799987e-9)},14,284"
    assert first == "Pda84E63DAn;ba82AB973f,14,284"
    assert [(vartype, metadata) for vartype, _, metadata in decode(first)] == [("da", ""), ("ba", ",14,284")]
    assert packages([first]) == [pytest.approx([5.13737e-3, 2.799987e-9], rel=1e-9)]
    second = f"Pda{encode(-0.499905)};ba{encode(-57.847747e-6)},10,288"
    assert second == "Pda7F85F3Fu;ba48D503Dp,10,288"
    # 0.01 written with another prefix says the same: 0x800000A - 0x8000000 = 10, milli
    assert packages(["Pda800000Am"]) == [pytest.approx([0.01])]


@given(st.floats(-1e20, 1e20))
def test_no_value_loses_more_than_its_ninth_digit(value: float) -> None:
    ((_, read, _),) = decode("Pab" + encode(value))
    # the mantissa has at least LARGEST / 1000 steps once the finest prefix is left
    assert read == pytest.approx(value, rel=0.5 / (LARGEST / 1000), abs=0.5e-18)


@pytest.mark.parametrize("value", [math.inf, -math.inf, 2e26, 2**27])
def test_what_does_not_fit_is_an_error_not_a_number(value: float) -> None:
    with pytest.raises(ScriptError):
        encode(value)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1500m", 1.5),
        ("-2", -2.0),
        ("100k", 100_000.0),
        ("1M", 1e6),
        ("7a", 7e-18),
        ("11i", 11),
        ("-3i", -3),
        ("0x1F", 31),
        ("0xC4i", 196),
    ],
)
def test_a_literal_is_a_whole_number_and_a_prefix(text: str, value: float) -> None:
    read = literal(text)
    assert read == value
    assert isinstance(read, int) == isinstance(value, int)


@pytest.mark.parametrize("text", ["1.5", "1e3", "", "m", "-", "1 m", "1mm", "0x", "0xG", "i", "٣", "1n "])
def test_anything_else_is_no_literal(text: str) -> None:
    assert literal(text) is None
