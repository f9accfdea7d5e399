"""Packages: the documentation's own samples, worked out by hand, and garbage that never yields a number."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.emstat4_errors import error_report
from drivers.emstat4_packages import Variable, decode
from drivers.errors import LinkError
from protocols.reading import Flags


def test_the_first_sample_of_the_documentation() -> None:
    """0x84E63DA - 0x8000000 = 5137370 nV; 0x82AB973 - 0x8000000 = 2799987 fA."""
    voltage, current = decode("Pda84E63DAn;ba82AB973f,14,284")
    assert 0x84E63DA - 0x8000000 == 5137370
    assert 0x82AB973 - 0x8000000 == 2799987
    assert voltage == Variable("da", 5.13737e-3)
    assert current == Variable("ba", 2.799987e-9, 4, 0x84)
    assert current.flags == Flags.UNDERLOAD


def test_a_sample_of_a_chronoamperometry() -> None:
    """0x7F85F3F - 0x8000000 = -499905 uV; 0x48D503D - 0x8000000 = -57847747 pA."""
    voltage, current = decode("Pda7F85F3Fu;ba48D503Dp,10,288")
    assert voltage.value == -0.499905
    assert current == Variable("ba", -57.847747e-6, 0, 136)
    assert current.flags == Flags(0)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("aa800000Am", 0.01),  # 0xA = 10 m
        ("aa7FFFFF6m", -0.01),
        ("aa8000003i", 3.0),
        ("aa8000000 ", 0.0),
        ("aa80186A0k", 1e8),  # 0x186A0 = 100000 k
        ("aaFFFFFFFa", 134217727e-18),
    ],
)
def test_prefixes(text: str, value: float) -> None:
    assert decode(f"P{text}") == [Variable("aa", value)]


def test_what_is_not_a_number_says_so() -> None:
    [variable] = decode("Pab     nan")
    assert variable.kind == "ab"
    assert math.isnan(variable.value)


def test_metadata_of_unknown_kinds_is_skipped() -> None:
    assert decode("Pba8000001 ,10,288,40")[0] == Variable("ba", 1.0, 0, 0x88)


@pytest.mark.parametrize(("status", "flags"), [(1, 4), (2, 1), (4, 2), (8, 1), (5, 6)])
def test_status_bits_are_kept(status: int, flags: int) -> None:
    """Timing is our 4, overload our 1, underload our 2."""
    assert decode(f"Pba8000001 ,1{status}")[0].flags == flags


@pytest.mark.parametrize(
    "line",
    [
        "",
        "P",
        "Pda84E63DA",  # the prefix is missing
        "Pda84E63Dn",  # six digits
        "Pda84e63dan",  # lower case is not what instruments send
        "Pda84E63DAn;",
        "Pda84E63DAx",
        "da84E63DAn",
        "Pda84E63DAn,",
        "Pda84E63DAn;ba82AB9",
        "PdaPda84E63DAn",
        "P" + ";".join(["da84E63DAn"] * 200),
    ],
)
def test_garbage_is_a_link_error(line: str) -> None:
    with pytest.raises(LinkError):
        decode(line)


@given(st.text(alphabet="Pdabn;, 0123456789ABCDEFx!\x00\x7f", max_size=40))
def test_text_either_is_a_whole_package_or_an_error(line: str) -> None:
    try:
        variables = decode(line)
    except LinkError:
        return
    assert len(line) >= 1 + 10 * len(variables) + len(variables) - 1


@given(
    st.integers(-0x8000000, 0x7FFFFFF),
    st.sampled_from("afpnum kMGTPE"),
    st.integers(0, 12),
    st.integers(0, 255),
)
def test_a_package_cut_anywhere_never_yields_another_number(
    mantissa: int, prefix: str, cut: int, garbage: int
) -> None:
    line = f"Pab{mantissa + 0x8000000:07X}{prefix}"
    [whole] = decode(line)
    assert whole.value == pytest.approx(mantissa * 10.0 ** (3 * "afpnum kMGTPE".index(prefix) - 18))
    with pytest.raises(LinkError):
        decode(line[: min(cut, len(line) - 1)])
    with pytest.raises(LinkError):
        decode(line[:5] + chr(garbage % 32) + line[6:])


def test_errors_become_sentences() -> None:
    report = error_report("e!4001: Line 2, Col 1")
    assert report is not None
    assert report.sentence("var e\nvra i\n") == "unknown script command (!4001: Line 2, Col 1) at 'vra i'"
    assert error_report("Z!0006") == (0x0006, "", None)
    assert error_report("!0032: Line 12") == (0x0032, "Line 12", 12)
    assert error_report("not an error!4001") is None
    assert error_report("Pda84E63DAn") is None
