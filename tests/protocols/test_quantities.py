"""Amounts: what a lab writes, and the SI number it is."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocols.errors import Place, ProtocolError
from protocols.nodes import Scalar
from protocols.operands import Facts, Operand, Values
from protocols.quantities import (
    AREA,
    CAPACITY,
    CONDUCTIVITY,
    COUNT,
    CURRENT,
    ENERGY,
    FRACTION,
    FREQUENCY,
    LENGTH,
    MASS,
    POWER,
    RESISTANCE,
    TEMPERATURE,
    TEMPERATURE_RATE,
    TIME,
    VOLTAGE,
    VOLTAGE_RATE,
    Amount,
    Kind,
    read_amount,
)
from protocols.units import UNITS, Dimension


def read(text: str, kind: Kind) -> Amount:
    return read_amount(Scalar(text, Place("file", 1, 1)), kind)


def in_si(text: str, kind: Kind, facts: Facts) -> float:
    return Values(facts).number(Operand.read(Scalar(text, Place("file", 1, 1)), kind))


# Each expected value is the definition of the unit, written out.
SI = [
    ("4.2 V", VOLTAGE, 4.2),
    ("2800 mV", VOLTAGE, 2.8),
    ("-0.5V", VOLTAGE, -0.5),
    ("\u22120.5 V", VOLTAGE, -0.5),
    ("+.5 V", VOLTAGE, 0.5),
    ("5 uV", VOLTAGE, 5e-6),
    ("5 µV", VOLTAGE, 5e-6),
    ("5 μV", VOLTAGE, 5e-6),
    ("1e-3 A", CURRENT, 1e-3),
    ("250 mA", CURRENT, 0.25),
    ("3 nA", CURRENT, 3e-9),
    ("1 mAh", CAPACITY, 3.6),
    ("2 Ah", CAPACITY, 7200.0),
    ("1 mWh", ENERGY, 3.6),
    ("5 J", ENERGY, 5.0),
    ("100 ms", TIME, 0.1),
    ("10 min", TIME, 600.0),
    ("1.5 h", TIME, 5400.0),
    ("2 d", TIME, 172800.0),
    ("30 minutes", TIME, 1800.0),
    ("10 mHz", FREQUENCY, 0.01),
    ("100 kHz", FREQUENCY, 1e5),
    ("1 MHz", FREQUENCY, 1e6),
    ("25 degC", TEMPERATURE, 25.0),
    ("25 °C", TEMPERATURE, 25.0),
    ("298.15 K", TEMPERATURE, 25.0),
    ("0.1 mV/s", VOLTAGE_RATE, 1e-4),
    ("36 mV/h", VOLTAGE_RATE, 1e-5),
    ("6 V / min", VOLTAGE_RATE, 0.1),
    ("3 K/min", TEMPERATURE_RATE, 0.05),
    ("90 degC/h", TEMPERATURE_RATE, 0.025),
    ("3 mohm", RESISTANCE, 3e-3),
    ("3 kΩ", RESISTANCE, 3e3),
    ("2 mW", POWER, 2e-3),
    ("80 %", FRACTION, 0.8),
    ("25 um", LENGTH, 25e-6),
    ("1.131 cm2", AREA, 1.131e-4),
    ("1.131 cm²", AREA, 1.131e-4),
    ("20 mm2", AREA, 2e-5),
    ("1.7 mg", MASS, 1.7e-6),
    ("0.305 mS/cm", CONDUCTIVITY, 0.0305),
    ("12", COUNT, 12.0),
]


@pytest.mark.parametrize(("text", "kind", "value"), SI)
def test_a_unit_is_its_definition(text: str, kind: Kind, value: float) -> None:
    assert read(text, kind).value == value


def test_two_ways_to_write_a_value_are_the_same_float() -> None:
    """2800 × 0.001 is not 2.8 in binary, so conversion is done in decimal."""
    assert read("2800 mV", VOLTAGE).value == read("2.8 V", VOLTAGE).value
    assert 2800 * 0.001 != 2.8


def test_c_rates_are_per_hour() -> None:
    assert read("0.2 C", CURRENT) == Amount(0.2, Dimension.C_RATE)
    assert read("C/5", CURRENT) == Amount(0.2, Dimension.C_RATE)
    assert read("2C", CURRENT) == Amount(2.0, Dimension.C_RATE)


# 1.70 mg of sulfur at 1675 mAh/g is 2.8475 mAh, so 1 C is 2.8475 mA.
SULFUR = Facts(area=1.131e-4, active_mass=1.7e-6, theoretical_capacity=1675 * 3.6 * 1e3)


@pytest.mark.parametrize(
    ("text", "amperes"),
    [
        ("1 C", 2.8475e-3),
        ("C/5", 0.5695e-3),
        ("1 mA/cm2", 1.131e-3),
        ("1675 mA/g", 2.8475e-3),
        ("10 A/m2", 1.131e-3),
    ],
)
def test_a_current_becomes_amperes_with_the_facts_of_the_cell(text: str, amperes: float) -> None:
    assert in_si(text, CURRENT, SULFUR) == pytest.approx(amperes, rel=1e-12)


@pytest.mark.parametrize(("text", "coulombs"), [("1 mAh/cm2", 1.131 * 3.6), ("100 mAh/g", 0.17 * 3.6)])
def test_a_capacity_becomes_coulombs_with_the_facts_of_the_cell(text: str, coulombs: float) -> None:
    assert in_si(text, CAPACITY, SULFUR) == pytest.approx(coulombs, rel=1e-12)


def test_a_nominal_capacity_is_the_basis_of_c_before_the_theoretical_one() -> None:
    facts = Facts(active_mass=1.7e-6, theoretical_capacity=6.03e6, nominal_capacity=10.8)  # 3 mAh
    assert in_si("1 C", CURRENT, facts) == pytest.approx(3e-3, rel=1e-12)


@pytest.mark.parametrize(
    ("text", "kind", "fact"),
    [
        ("0.2 C", CURRENT, "`nominal_capacity`, or `theoretical_capacity` and `active_mass`"),
        ("1 mA/cm2", CURRENT, "`area`"),
        ("1 mAh/cm2", CAPACITY, "`area`"),
        ("1 mA/g", CURRENT, "`active_mass`"),
        ("1 mAh/g", CAPACITY, "`active_mass`"),
    ],
)
def test_a_unit_that_needs_an_unknown_fact_names_it(text: str, kind: Kind, fact: str) -> None:
    with pytest.raises(ProtocolError) as caught:
        in_si(text, kind, Facts())
    assert f"{text} needs {fact}" in str(caught.value)
    assert "in the cell file" in str(caught.value)


@pytest.mark.parametrize(
    ("text", "value", "uncertainty"),
    [
        ("25.08 um +- 0.5 um", 25.08e-6, 0.5e-6),
        ("25.08 um ± 500 nm", 25.08e-6, 0.5e-6),
        ("25.08 +- 0.5 um", 25.08e-6, 0.5e-6),
        ("25 um +/- 2 %", 25e-6, 0.5e-6),
    ],
)
def test_an_uncertainty_has_the_unit_of_its_value(text: str, value: float, uncertainty: float) -> None:
    amount = read(text, LENGTH)
    assert amount.value == value
    assert amount.uncertainty == pytest.approx(uncertainty, rel=1e-12)


def test_without_plus_minus_there_is_no_uncertainty() -> None:
    assert read("25 um", LENGTH).uncertainty is None


def test_an_uncertainty_of_a_temperature_has_no_zero_point() -> None:
    assert read("25 degC +- 1 K", TEMPERATURE) == Amount(25.0, Dimension.TEMPERATURE, 1.0)


BROKEN = [
    ("4.2", VOLTAGE, "'4.2', which has no unit", "V or mV"),
    ("4.2 v", VOLTAGE, "'v'", "did you mean 'V'"),
    ("4.2 MV", VOLTAGE, "'MV'", "did you mean 'mV'"),
    ("5 MA", CURRENT, "'MA'", "did you mean 'mA'"),
    ("5 mA/cm3", CURRENT, "'mA/cm3'", "did you mean 'mA/cm"),
    ("5 mA", VOLTAGE, "which is a current", "a voltage"),
    ("4,2 V", VOLTAGE, "',2 V'", "V or mV"),
    ("1.2.3 V", VOLTAGE, "'1.2.3 V'", "a voltage"),
    ("1e999 V", VOLTAGE, "'1e999 V'", "finite"),
    ("nan V", VOLTAGE, "'nan V'", "a voltage"),
    (".inf", VOLTAGE, "'.inf'", "a voltage"),
    ("inf V", VOLTAGE, "'inf V'", "a voltage"),
    ("", VOLTAGE, "nothing", "a voltage"),
    ("C/0", CURRENT, "'C/0'", "C/5"),
    ("-300 degC", TEMPERATURE, "-300 degC", "absolute zero"),
    ("1 um +- -1 um", LENGTH, "'-1 um'", "not negative"),
    ("1 um +- ", LENGTH, "nothing", "a length"),
    ("1.5", COUNT, "'1.5'", "whole number"),
    ("-3", COUNT, "'-3'", "whole number"),
    ("3 times", COUNT, "'3 times'", "whole number"),
    ("9999999999", COUNT, "'9999999999'", "whole number"),
    ("4:20", TIME, "':20'", "ms, s, min"),
    ("no", TIME, "'no'", "a time"),
]


@pytest.mark.parametrize(("text", "kind", "seen", "wanted"), BROKEN)
def test_what_is_no_such_amount_is_refused(text: str, kind: Kind, seen: str, wanted: str) -> None:
    with pytest.raises(ProtocolError) as caught:
        read(text, kind)
    (problem,) = caught.value.problems
    assert seen in problem.seen
    assert wanted in problem.wanted


def test_the_column_of_an_unknown_unit_is_that_of_the_unit() -> None:
    with pytest.raises(ProtocolError) as caught:
        read_amount(Scalar("12.5 mAx", Place("file", 3, 10)), CURRENT)
    assert caught.value.problems[0].place == Place("file", 3, 15)


@given(st.floats(allow_nan=False, allow_infinity=False, width=32), st.sampled_from(sorted(UNITS)))
def test_a_printed_number_with_any_unit_reads_back(number: float, unit: str) -> None:
    found = UNITS[unit]
    if found.dimension is Dimension.TEMPERATURE and number < 0:
        number = -number
    amount = read(f"{number!r} {unit}", Kind("it", (found.dimension,), ""))
    assert amount.dimension is found.dimension
    assert amount.value == pytest.approx(
        number * float(found.factor) + float(found.offset), rel=1e-9, abs=1e-300
    )
    assert math.isfinite(amount.value)


@given(st.text(max_size=40))
def test_no_text_raises_anything_but_a_protocol_error(text: str) -> None:
    for kind in (VOLTAGE, CURRENT, COUNT, TEMPERATURE):
        try:
            read(text, kind)
        except ProtocolError:
            pass
        else:
            assert any(digit.isdigit() for digit in text) or "C/" in text
