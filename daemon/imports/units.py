"""The units of a column's heading, whichever way its maker writes them."""

import re
from collections.abc import Mapping
from typing import NamedTuple

UNITS: Mapping[str, float] = {
    **{"s": 1.0, "sec": 1.0, "second": 1.0, "ms": 1e-3, "min": 60.0, "h": 3600.0, "hr": 3600.0},
    **{"V": 1.0, "volt": 1.0, "volts": 1.0, "mV": 1e-3, "uV": 1e-6},
    **{"A": 1.0, "ampere": 1.0, "amps": 1.0, "mA": 1e-3, "uA": 1e-6, "nA": 1e-9},
    **{"Ah": 3600.0, "A.h": 3600.0, "mAh": 3.6, "mA.h": 3.6, "mA·h": 3.6, "uAh": 3.6e-3},
    **{"As": 1.0, "mAs": 1e-3, "C": 1.0},
    **{"Wh": 3600.0, "W.h": 3600.0, "mWh": 3.6, "W·h": 3600.0, "mW.h": 3.6, "uWh": 3.6e-3},
    **{"Ws": 1.0, "mWs": 1e-3, "J": 1.0},
    **{"Hz": 1.0, "hertz": 1.0, "kHz": 1e3, "Ohm": 1.0, "ohm": 1.0, "mOhm": 1e-3, "kOhm": 1e3},
    **{"degC": 1.0, "°C": 1.0, "℃": 1.0, "celsius": 1.0, "?": 1.0, "1": 1.0},
}
"""What one of each is in SI; temperatures stay in degrees Celsius."""

_BRACKETS = re.compile(r"^(?P<name>.*?)\s*[(\[](?P<unit>[^()\[\]]*)[)\]]\s*$")
_SLASH = re.compile(r"^(?P<name>.*[^/\s])\s*/\s*(?P<unit>[^/]+?)\s*$")
_UNDERSCORE = re.compile(r"^(?P<name>.+)_(?P<unit>[^_]+)$")
_FOLDED = {unit.casefold(): value for unit, value in UNITS.items()}


class Heading(NamedTuple):
    """A column's name, in small letters with single spaces, and what its unit is in SI, if it has one."""

    name: str
    unit: float | None


def heading(text: str) -> Heading:
    """Read `Capacity(mAh)`, `Voltage / V`, `Ewe/V`, `current_A` or `voltage_volt` as name and unit.

    What only looks like a unit is part of the name: `Aux_Voltage`, `half cycle`.
    """
    text = text.strip().lstrip("\ufeff")
    for form in (_BRACKETS, _SLASH, _UNDERSCORE):
        found = form.match(text)
        if found is not None and (unit := factor(found["unit"])) is not None:
            return Heading(plain(found["name"]), unit)
    return Heading(plain(text), None)


def factor(unit: str) -> float | None:
    """Return what one of the unit is in SI, None where it is no unit known here."""
    unit = unit.strip().replace("µ", "u").replace("μ", "u").replace("Ω", "Ohm")
    known = UNITS.get(unit)
    return known if known is not None else _FOLDED.get(unit.casefold())


def plain(name: str) -> str:
    """Return a heading's name as it is compared: small letters, single spaces, no underscores."""
    return " ".join(re.sub(r"[_\s]+", " ", name).strip(" .:").casefold().split())
