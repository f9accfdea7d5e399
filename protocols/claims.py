"""What a source says of a figure: a value, a bound, a course over cycles, values at rates, or words."""

import re
from dataclasses import dataclass
from typing import TypeAlias

from protocols.nodes import Scalar

_N = r"[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?"
_UNIT = r"(?:mAh/cm2|mAh/g|mAh|Ah|mS/cm|S/m|mV|V|ohm cm2|ohm|%|mA|A|cm2/s)"
_CYCLE = r"(?:\s+at\s+cycle\s+(?P<cycle>\d+))?"
_VALUE = re.compile(rf"(?P<value>{_N})(?:\s*(?:\+-|±)\s*(?P<spread>{_N}))?\s*(?P<unit>{_UNIT})?{_CYCLE}")
_BOUND = re.compile(rf"(?P<relation>[<>])\s*(?P<value>{_N})\s*(?P<unit>{_UNIT})?{_CYCLE}")
_COURSE = re.compile(
    rf"(?P<first>{_N})?\s*->\s*(?P<last>{_N})\s*(?P<unit>{_UNIT})?(?:\s+in\s+(?P<cycles>\d+)\s+cycles)?"
)
_AT_RATE = re.compile(rf"\s*(?P<value>{_N})\s*(?P<unit>{_UNIT})?\s+at\s+(?P<rate>{_N})\s*C\s*")
_LOOKS_LIKE_A_CLAIM = re.compile(r"\s*(?:[<>+.\d-]|->)")


@dataclass(frozen=True, slots=True)
class ClaimedValue:
    """A value in lab units with its standard deviation; of one cycle, or of the run as a whole."""

    text: str
    value: float
    deviation: float | None
    unit: str
    cycle: int | None = None


@dataclass(frozen=True, slots=True)
class ClaimedBound:
    """More than, or less than; of one cycle, or of the run as a whole."""

    text: str
    above: bool
    value: float
    unit: str
    cycle: int | None = None


@dataclass(frozen=True, slots=True)
class ClaimedCourse:
    """From the first cycle to the last of so many."""

    text: str
    first: float | None
    last: float
    unit: str
    cycles: int | None = None


@dataclass(frozen=True, slots=True)
class ClaimedRates:
    """Values by C-rate."""

    text: str
    values: tuple[tuple[float, float], ...]
    unit: str


@dataclass(frozen=True, slots=True)
class ClaimedWords:
    """Something to be read beside what is measured, and compared by a person."""

    text: str


Claim: TypeAlias = ClaimedValue | ClaimedBound | ClaimedCourse | ClaimedRates | ClaimedWords


def read_claim(scalar: Scalar) -> Claim:
    """Read what a source says; what begins like a number and is none is a `ProtocolError`.

    0.305 +- 0.015 mS/cm · 98.8 % · > 96.5 % · < 91 % at cycle 150 · 585 mAh/g at cycle 5000 ·
    980 -> 345 mAh/g in 500 cycles · 950 at 0.2 C, 260 at 2 C · anything in words
    """
    text = scalar.text.strip()
    if _LOOKS_LIKE_A_CLAIM.match(text) is None:
        return ClaimedWords(text)
    claim = _rates(text) or _course(text) or _bound(text) or _value(text)
    if claim is None:
        raise scalar.refused(
            "a value such as 0.305 +- 0.015 mS/cm, a bound such as > 96.5 % or < 91 % at cycle 150, a course "
            "such as 980 -> 345 mAh/g in 500 cycles, rates such as 950 at 0.2 C, 260 at 2 C, or words"
        )
    return claim


def _value(text: str) -> Claim | None:
    found = _VALUE.fullmatch(text)
    if found is None:
        return None
    spread = found["spread"]
    return ClaimedValue(
        text,
        float(found["value"]),
        None if spread is None else float(spread),
        found["unit"] or "",
        _whole(found["cycle"]),
    )


def _bound(text: str) -> Claim | None:
    found = _BOUND.fullmatch(text)
    if found is None:
        return None
    above = found["relation"] == ">"
    return ClaimedBound(text, above, float(found["value"]), found["unit"] or "", _whole(found["cycle"]))


def _course(text: str) -> Claim | None:
    found = _COURSE.fullmatch(text)
    if found is None:
        return None
    first = found["first"]
    return ClaimedCourse(
        text,
        None if first is None else float(first),
        float(found["last"]),
        found["unit"] or "",
        _whole(found["cycles"]),
    )


def _rates(text: str) -> Claim | None:
    found = [_AT_RATE.fullmatch(part) for part in text.split(",")]
    pairs = [(float(one["value"]), float(one["rate"])) for one in found if one is not None]
    if len(pairs) < len(found):
        return None
    units = {one["unit"] for one in found if one is not None and one["unit"]}
    return ClaimedRates(text, tuple(pairs), units.pop() if units else "mAh/g")


def _whole(text: str | None) -> int | None:
    return None if text is None else int(text)
