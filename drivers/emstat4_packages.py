"""Data packages of a MethodSCRIPT instrument: exact numbers with what the instrument said of them.

A variable is two letters of type, seven hexadecimal digits offset by 0x8000000 and an SI prefix,
then comma-separated metadata: `1x` status bits, `2xx` the range it was measured in.
"""

import re
from typing import NamedTuple

from drivers.errors import LinkError
from protocols.reading import Flags

LONGEST_PACKAGE = 1000

OFFSET = 0x8000000

_EXPONENTS = {
    "a": -18,
    "f": -15,
    "p": -12,
    "n": -9,
    "u": -6,
    "m": -3,
    " ": 0,
    "i": 0,  # an integer, exact
    "k": 3,
    "M": 6,
    "G": 9,
    "T": 12,
    "P": 15,
    "E": 18,
}

_VARIABLE = re.compile(
    r"(?P<kind>[a-z]{2})(?:(?P<digits>[0-9A-F]{7})(?P<prefix>[afpnum ikMGTPE])|(?P<nan> {5}nan))"
    r"(?P<metadata>(?:,[0-9A-F]{1,8})*)"
)

_STATUS_FLAGS = (
    (0x1, Flags.TIMING),
    (0x2, Flags.OVERLOAD),
    (0x4, Flags.UNDERLOAD),
    (0x8, Flags.OVERLOAD),  # an overload warning: past the range's nominal end
)


class Variable(NamedTuple):
    """One number of a package. `kind` is its VarType; `status` and `range` are None where not sent."""

    kind: str
    value: float
    status: int | None = None
    range: int | None = None

    @property
    def flags(self) -> Flags:
        """The status bits in our words."""
        flags = Flags(0)
        for bit, flag in _STATUS_FLAGS:
            if (self.status or 0) & bit:
                flags |= flag
        return flags


def decode(line: str) -> list[Variable]:
    """Return the variables of a package line. Raises `LinkError` for anything but a whole package."""
    if not line.startswith("P") or len(line) > LONGEST_PACKAGE:
        raise LinkError(f"{line[:60]!r} is no data package")
    return [_variable(part, line) for part in line[1:].split(";")]


def _variable(text: str, line: str) -> Variable:
    match = _VARIABLE.fullmatch(text)
    if match is None:
        raise LinkError(f"package {line[:60]!r}: {text[:40]!r} is no variable")
    status = index = None
    for token in match["metadata"].split(",")[1:]:
        if token[0] == "1" and len(token) == 2:
            status = int(token[1], 16)
        elif token[0] == "2" and len(token) == 3:
            index = int(token[1:], 16)
    return Variable(match["kind"], _value(match), status, index)


def _value(match: re.Match[str]) -> float:
    if match["nan"]:
        return float("nan")
    mantissa = int(match["digits"], 16) - OFFSET
    exponent = _EXPONENTS[match["prefix"]]
    # Dividing by a whole power of ten rounds once; multiplying by 1e-9 would round twice.
    return mantissa * 10.0**exponent if exponent >= 0 else mantissa / 10.0**-exponent
