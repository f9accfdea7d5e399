"""Numbers as MethodSCRIPT writes them: with SI prefixes in scripts, in 27 bits in packages."""

import re
from bisect import bisect_left

from simulators.methodscript.errors import Code, ScriptError

PREFIXES = "afpnum kMGTPE"
LARGEST = 2**27 - 1

_EXPONENTS = range(-18, 19, 3)
_LIMITS = [LARGEST * 10.0**exponent for exponent in _EXPONENTS]
_SCALES = [10.0**-exponent for exponent in _EXPONENTS]
_UNITY = PREFIXES.index(" ")
_FLOAT = re.compile(r"(-?\d{1,18})([afpnumkMGTPE]?)", re.ASCII)
_INTEGER = re.compile(r"-?\d{1,18}(?=i$)|0x[0-9A-Fa-f]{1,16}(?=i?$)", re.ASCII)


def literal(text: str) -> float | None:
    """Return the number `text` stands for, or None if it is none.

    `1500m` is 1.5 and `-2` is -2.0; `11i` and `0x1F` are integers. The digits before a prefix are
    whole: there is no decimal point.
    """
    if found := _FLOAT.fullmatch(text):
        exponent = 3 * (PREFIXES.index(found[2] or " ") - _UNITY)
        digits = int(found[1])
        return digits / 10**-exponent if exponent < 0 else float(digits * 10**exponent)
    if integer := _INTEGER.match(text):
        return int(integer[0], 0) if integer[0].startswith("0x") else int(integer[0])
    return None


def encode(value: float) -> str:
    """Return the eight characters a package carries a value in.

    Seven hexadecimal digits of mantissa + 0x8000000 and the finest prefix whose mantissa still fits
    in 27 bits; `i` marks an integer. Raises `ScriptError` for what does not fit.
    """
    if isinstance(value, int):
        if not -LARGEST <= value <= LARGEST:
            raise ScriptError(Code.OUT_OF_BOUNDS)
        return f"{value + 0x8000000:07X}i"
    if value != value:
        return "     nan"
    if value == 0.0:
        return "8000000 "
    index = bisect_left(_LIMITS, abs(value))
    if index == len(PREFIXES):
        raise ScriptError(Code.NOT_A_NUMBER)
    return f"{round(value * _SCALES[index]) + 0x8000000:07X}{PREFIXES[index]}"
