"""Amounts: "1 mA/cm2", "C/5" or "25.08 um +- 0.5 um" as SI numbers that know what they measure."""

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from protocols.errors import ProtocolError
from protocols.nodes import Scalar, did_you_mean, shown
from protocols.units import UNITS, Dimension, Unit


@dataclass(frozen=True, slots=True)
class Kind:
    """What may stand in one place: a name for messages, the dimensions allowed, units as examples."""

    name: str
    dimensions: tuple[Dimension, ...]
    examples: str

    @property
    def wanted(self) -> str:
        return f"{self.name} in {self.examples}" if self.examples else self.name


@dataclass(frozen=True, slots=True)
class Amount:
    """A number in SI (temperature: degrees Celsius; C-rate: 1/h; percent: a fraction).

    `uncertainty` is what stood after `+-`, in the same unit, or None.
    """

    value: float
    dimension: Dimension
    uncertainty: float | None = None


VOLTAGE = Kind("a voltage", (Dimension.VOLTAGE,), "V or mV")
CURRENT = Kind(
    "a current",
    (Dimension.CURRENT, Dimension.CURRENT_PER_AREA, Dimension.CURRENT_PER_MASS, Dimension.C_RATE),
    "A, mA, mA/cm2, mA/g or C",
)
CAPACITY = Kind(
    "a capacity",
    (Dimension.CAPACITY, Dimension.CAPACITY_PER_AREA, Dimension.CAPACITY_PER_MASS),
    "Ah, mAh, mAh/cm2 or mAh/g",
)
SPECIFIC_CAPACITY = Kind("a capacity per mass", (Dimension.CAPACITY_PER_MASS,), "mAh/g")
ENERGY = Kind("an energy", (Dimension.ENERGY,), "Wh, mWh or J")
TIME = Kind("a time", (Dimension.TIME,), "ms, s, min, h or d")
FREQUENCY = Kind("a frequency", (Dimension.FREQUENCY,), "mHz, Hz, kHz or MHz")
TEMPERATURE = Kind("a temperature", (Dimension.TEMPERATURE,), "degC or K")
VOLTAGE_RATE = Kind("a voltage per time", (Dimension.VOLTAGE_RATE,), "mV/s, V/s or mV/h")
TEMPERATURE_RATE = Kind("a temperature per time", (Dimension.TEMPERATURE_RATE,), "K/min or K/s")
RESISTANCE = Kind("a resistance", (Dimension.RESISTANCE,), "ohm, mohm or kohm")
POWER = Kind("a power", (Dimension.POWER,), "W or mW")
FRACTION = Kind("a percentage", (Dimension.FRACTION,), "%")
LENGTH = Kind("a length", (Dimension.LENGTH,), "um, mm or cm")
AREA = Kind("an area", (Dimension.AREA,), "cm2 or mm2")
MASS = Kind("a mass", (Dimension.MASS,), "mg or g")
CONDUCTIVITY = Kind("a conductivity", (Dimension.CONDUCTIVITY,), "mS/cm or S/m")
COUNT = Kind("a whole number without a unit", (Dimension.COUNT,), "")

_KINDS = (
    *(VOLTAGE, CURRENT, CAPACITY, ENERGY, TIME, FREQUENCY, TEMPERATURE, VOLTAGE_RATE, RESISTANCE, POWER),
    *(TEMPERATURE_RATE, FRACTION, LENGTH, AREA, MASS, CONDUCTIVITY),
)

_NUMBER = re.compile(r"[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d{1,3})?(?![\d.])")
_DIVIDED_C = re.compile(r"C\s*/\s*(\d+(?:\.\d*)?|\.\d+)")
_PLUS_MINUS = re.compile(r"\+-|\+/-|±")
_WHOLE = re.compile(r"\d{1,9}")
_ABSOLUTE_ZERO = -273.15


def either(name: str, *kinds: Kind) -> Kind:
    """Return the kind that takes what any of `kinds` takes."""
    dimensions = tuple(dimension for kind in kinds for dimension in kind.dimensions)
    return Kind(name, dimensions, ", or ".join(kind.examples for kind in kinds))


def kind_of_unit(unit: Scalar) -> Kind:
    """Return the kind a unit measures; all ways to write a current, for one, are the same kind."""
    known = UNITS.get(unit.text)
    if known is None:
        raise _unknown_unit(unit, tuple(UNITS), "a unit such as V, mA, mA/cm2, mAh, min, Hz or degC")
    return next(kind for kind in _KINDS if known.dimension in kind.dimensions)


def read_amount(scalar: Scalar, kind: Kind) -> Amount:
    """Return the amount that `scalar` writes; a `ProtocolError` if it is not of that kind.

    The number is converted in decimal and rounded once, so that 2800 mV and 2.8 V are the same float.
    """
    if Dimension.COUNT in kind.dimensions:
        return Amount(float(_whole(scalar, kind)), Dimension.COUNT)
    sign = _PLUS_MINUS.search(scalar.text)
    if sign is None:
        return _plain(scalar, kind)
    return _with_uncertainty(scalar.part(0, sign.start()), scalar.part(sign.end()), kind)


def _with_uncertainty(left: Scalar, right: Scalar, kind: Kind) -> Amount:
    number = _NUMBER.fullmatch(left.text)
    if number is not None:  # "0.305 +- 0.015 mS/cm": one unit for both
        unit = right.text[_number_end(right, kind) :].strip()
        left = Scalar(f"{left.text} {unit}", left.place, exact=False)
    value = _plain(left, kind)
    if right.text.endswith("%") and Dimension.FRACTION not in kind.dimensions:
        spread = abs(value.value) * _plain(right, FRACTION).value
    else:
        spread = _scaled(right, kind, with_offset=False)[0]
    if spread < 0.0:
        raise right.refused("an uncertainty that is not negative")
    return Amount(value.value, value.dimension, spread)


def _plain(scalar: Scalar, kind: Kind) -> Amount:
    value, dimension = _scaled(scalar, kind, with_offset=True)
    if dimension is Dimension.TEMPERATURE and value < _ABSOLUTE_ZERO:
        raise scalar.refused("a temperature above absolute zero")
    return Amount(value, dimension)


def _scaled(scalar: Scalar, kind: Kind, *, with_offset: bool) -> tuple[float, Dimension]:
    fraction = _DIVIDED_C.fullmatch(scalar.text)
    if fraction is not None and Dimension.C_RATE in kind.dimensions:
        divisor = float(fraction[1])
        if divisor == 0.0:
            raise scalar.refused("C divided by something, e.g. C/5")
        return 1.0 / divisor, Dimension.C_RATE
    end = _number_end(scalar, kind)
    unit = _unit_of(scalar, end, kind)
    exact = Decimal(_minus(scalar.text[:end])) * unit.factor + (unit.offset if with_offset else 0)
    value = float(exact)
    if not math.isfinite(value):
        raise scalar.refused("a finite number")
    return value, unit.dimension


def _number_end(scalar: Scalar, kind: Kind) -> int:
    number = _NUMBER.match(_minus(scalar.text))
    if number is None:
        raise scalar.refused(kind.wanted)
    return number.end()


def _minus(text: str) -> str:
    return text.replace("\u2212", "-")  # MINUS SIGN


def _unit_of(scalar: Scalar, end: int, kind: Kind) -> Unit:
    symbol = scalar.part(end)
    if not symbol.text:
        raise scalar.refused(kind.wanted, f"{shown(scalar)}, which has no unit")
    unit = UNITS.get(re.sub(r"\s*/\s*", "/", symbol.text))
    if unit is None:
        names = [name for name, unit in UNITS.items() if unit.dimension in kind.dimensions]
        raise _unknown_unit(symbol, names, kind.wanted)
    if unit.dimension not in kind.dimensions:
        raise scalar.refused(kind.wanted, f"{shown(scalar)}, which is a {unit.dimension}")
    return unit


def _unknown_unit(symbol: Scalar, names: Sequence[str], wanted: str) -> ProtocolError:
    hint = did_you_mean(symbol.text, names)
    return symbol.refused(f"{wanted}{hint}", f"the unknown unit {shown(symbol)}")


def _whole(scalar: Scalar, kind: Kind) -> int:
    if _WHOLE.fullmatch(scalar.text) is None:
        too_long = scalar.text.isdecimal()
        raise scalar.refused(f"{kind.wanted}{', of at most nine digits' if too_long else ''}")
    return int(scalar.text)
