"""The units a lab writes, each with what it measures and its factor to SI."""

from collections.abc import Iterator, Mapping
from decimal import Decimal
from enum import StrEnum
from typing import NamedTuple


class Dimension(StrEnum):
    """What a number with a unit measures."""

    VOLTAGE = "voltage"
    CURRENT = "current"
    CURRENT_PER_AREA = "current per area"
    CURRENT_PER_MASS = "current per mass"
    C_RATE = "C-rate"
    CAPACITY = "capacity"
    CAPACITY_PER_AREA = "capacity per area"
    CAPACITY_PER_MASS = "capacity per mass"
    ENERGY = "energy"
    TIME = "time"
    FREQUENCY = "frequency"
    TEMPERATURE = "temperature"
    VOLTAGE_RATE = "voltage per time"
    TEMPERATURE_RATE = "temperature per time"
    RESISTANCE = "resistance"
    POWER = "power"
    FRACTION = "fraction"
    LENGTH = "length"
    AREA = "area"
    MASS = "mass"
    CONDUCTIVITY = "conductivity"
    COUNT = "count"


class Unit(NamedTuple):
    """`SI value = number × factor + offset`; a temperature's SI here is degrees Celsius."""

    dimension: Dimension
    factor: Decimal
    offset: Decimal = Decimal(0)


_PREFIXES = {
    "": Decimal(1),
    "p": Decimal("1e-12"),
    "n": Decimal("1e-9"),
    "u": Decimal("1e-6"),
    "µ": Decimal("1e-6"),  # MICRO SIGN
    "μ": Decimal("1e-6"),  # GREEK SMALL LETTER MU
    "m": Decimal("1e-3"),
    "k": Decimal("1e3"),
    "M": Decimal("1e6"),
}
_SMALL = ("", "p", "n", "u", "µ", "μ", "m")
_MEDIUM = (*_SMALL, "k")  # no megaampere: MA is a slip for mA
_WIDE = (*_MEDIUM, "M")
_HOUR = Decimal(3600)

_SECONDS = {
    **{prefix + "s": _PREFIXES[prefix] for prefix in ("", "n", "u", "µ", "μ", "m")},
    **dict.fromkeys(("second", "seconds"), Decimal(1)),
    **dict.fromkeys(("min", "minute", "minutes"), Decimal(60)),
    **dict.fromkeys(("h", "hour", "hours"), _HOUR),
    **dict.fromkeys(("d", "day", "days"), 24 * _HOUR),
}
_SQUARE_METRES = {
    f"{unit}{square}": side**2
    for unit, side in {"m": Decimal(1), "cm": Decimal("1e-2"), "mm": Decimal("1e-3")}.items()
    for square in ("2", "²", "^2")
}
_KILOGRAMS = {prefix + "g": _PREFIXES[prefix] / 1000 for prefix in ("", "n", "u", "µ", "μ", "m", "k")}
_METRES = {
    **{prefix + "m": _PREFIXES[prefix] for prefix in ("", "n", "u", "µ", "μ", "m")},
    "cm": Decimal("1e-2"),
}


def _prefixed(symbol: str, prefixes: tuple[str, ...], factor: Decimal = Decimal(1)) -> dict[str, Decimal]:
    return {prefix + symbol: _PREFIXES[prefix] * factor for prefix in prefixes}


_VOLTS = _prefixed("V", _MEDIUM)
_AMPERES = _prefixed("A", _MEDIUM)
_COULOMBS = _prefixed("Ah", _MEDIUM, _HOUR)
_OHMS = {**_prefixed("ohm", _WIDE), **_prefixed("Ω", _WIDE), **_prefixed("\u2126", _WIDE)}


def _ratio(over: Mapping[str, Decimal], under: Mapping[str, Decimal]) -> dict[str, Decimal]:
    return {f"{a}/{b}": over[a] / under[b] for a in over for b in under}


_FACTORS: Mapping[Dimension, Mapping[str, Decimal]] = {
    Dimension.VOLTAGE: _VOLTS,
    Dimension.CURRENT: _AMPERES,
    Dimension.CURRENT_PER_AREA: _ratio(_AMPERES, _SQUARE_METRES),
    Dimension.CURRENT_PER_MASS: _ratio(_AMPERES, _KILOGRAMS),
    Dimension.C_RATE: {"C": Decimal(1)},
    Dimension.CAPACITY: _COULOMBS,
    Dimension.CAPACITY_PER_AREA: _ratio(_COULOMBS, _SQUARE_METRES),
    Dimension.CAPACITY_PER_MASS: _ratio(_COULOMBS, _KILOGRAMS),
    Dimension.ENERGY: {**_prefixed("Wh", _MEDIUM, _HOUR), **_prefixed("J", _WIDE)},
    Dimension.TIME: _SECONDS,
    Dimension.FREQUENCY: _prefixed("Hz", ("", "u", "µ", "μ", "m", "k", "M")),
    Dimension.VOLTAGE_RATE: _ratio(_VOLTS, _SECONDS),
    Dimension.TEMPERATURE_RATE: _ratio(dict.fromkeys(("K", "degC", "°C"), Decimal(1)), _SECONDS),
    Dimension.RESISTANCE: _OHMS,
    Dimension.POWER: _prefixed("W", _MEDIUM),
    Dimension.FRACTION: {"%": Decimal("0.01")},
    Dimension.LENGTH: _METRES,
    Dimension.AREA: _SQUARE_METRES,
    Dimension.MASS: _KILOGRAMS,
    Dimension.CONDUCTIVITY: _ratio(_prefixed("S", _SMALL), {"m": Decimal(1), "cm": Decimal("1e-2")}),
}


def _units() -> Iterator[tuple[str, Unit]]:
    for dimension, factors in _FACTORS.items():
        for name, factor in factors.items():
            yield name, Unit(dimension, factor)
    for name in ("degC", "°C", "℃"):
        yield name, Unit(Dimension.TEMPERATURE, Decimal(1))
    yield "K", Unit(Dimension.TEMPERATURE, Decimal(1), Decimal("-273.15"))


UNITS: Mapping[str, Unit] = dict(_units())
"""Every unit by the name it is written with."""
