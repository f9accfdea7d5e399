"""Faults in words: "mute after 30 s for 5 s", "late by 0.5 s 2 times", "offset by 100 mV"."""

import math
import re
from collections.abc import Mapping
from typing import Any

from simulators.faults.fault import INSTANT, UNITS, Fault, FaultError, FaultKind

WANTED = (
    'KIND [by AMOUNT] [after TIME | at TIME] [for TIME] [COUNT times], as in "mute after 30 s for 5 s"; '
    f"KIND one of {', '.join(FaultKind)}"
)

LONGEST = 200
"""Characters; no fault needs more than eighty."""

_NUMBER = r"[+-]?(?:\d{1,12}(?:\.\d{0,12})?|\.\d{1,12})(?:[eE][+-]?\d{1,2})?"
_SIZES = {
    "s": {"s": 1.0, "ms": 1e-3, "min": 60.0, "h": 3600.0},
    "V": {"V": 1.0, "mV": 1e-3},
    "Ohm": {"Ohm": 1.0, "ohm": 1.0, "kOhm": 1e3, "kohm": 1e3},
    "K/s": {"K/s": 1.0, "K/min": 1 / 60.0, "K/h": 1 / 3600.0},
}

_WORDS = re.compile(
    rf"\s*(?P<kind>[a-z]+)"
    rf"(?:\s+by\s+(?P<by>{_NUMBER}\s*[A-Za-z/]*))?"
    rf"(?:\s+(?:after\s+(?P<after>{_NUMBER}\s*[a-z]*)|at\s+(?P<at>{_NUMBER}\s*[a-z]*)))?"
    rf"(?:\s+for\s+(?P<for>{_NUMBER}\s*[a-z]*))?"
    rf"(?:\s+(?P<times>\d{{1,4}})\s+times?)?\s*",
    re.ASCII,
)
_AMOUNT = re.compile(rf"(?P<number>{_NUMBER})\s*(?P<unit>[A-Za-z/]*)", re.ASCII)

_KEYS = ("fault", "by", "after", "at", "for", "times")


def fault_in_words(text: str, now: float = 0.0) -> Fault:
    """Return the fault a sentence means; `after` counts from `now`. Raises `FaultError`."""
    match = _WORDS.fullmatch(text) if len(text) <= LONGEST else None
    if match is None:
        raise FaultError(f"fault {text[:LONGEST]!r} seen, wanted {WANTED}")
    said = {key: value for key, value in match.groupdict().items() if value is not None}
    return _fault(said.pop("kind"), said, now, text)


def asked_fault(wanted: object, now: float) -> Fault:
    """Return the fault a request means. Raises `FaultError`.

    A request is a sentence; or an object such as {"fault": "mute", "at": 30, "for": 5}, in SI or
    with units; or in short {"mute": 2}, a number of answers, and {"late": 0.5}, one answer late by
    that many seconds.
    """
    if isinstance(wanted, str):
        return fault_in_words(wanted, now)
    if isinstance(wanted, dict) and "fault" in wanted and set(wanted) <= set(_KEYS):
        return _fault(wanted["fault"], wanted, now, wanted)
    if isinstance(wanted, dict) and len(wanted) == 1:
        return _in_short(wanted, now)
    raise FaultError(f"fault {_shown(wanted)} seen, wanted {WANTED}")


def _in_short(wanted: Mapping[Any, Any], now: float) -> Fault:
    [(kind, amount)] = wanted.items()
    if kind == FaultKind.LATE:
        return _fault(kind, {"by": amount, "times": 1}, now, wanted)
    if kind in INSTANT and amount == 1:
        return _fault(kind, {}, now, wanted)
    return _fault(kind, {"times": amount}, now, wanted)


def _fault(kind: object, said: Mapping[str, Any], now: float, whole: object) -> Fault:
    if kind not in list(FaultKind):
        raise FaultError(f"fault {_shown(whole)} seen, wanted {WANTED}")
    known = FaultKind(str(kind))
    begin = _seconds(said["at"], whole) if "at" in said else now + _seconds(said.get("after", 0.0), whole)
    lasts = _seconds(said["for"], whole) if "for" in said else 0.0 if known is FaultKind.POWER else math.inf
    amount = _quantity(said["by"], UNITS.get(known, "s"), whole) if "by" in said else 0.0
    times = _count(said["times"], whole) if "times" in said else None
    return Fault(known, begin, begin + lasts, amount, times)


def _seconds(said: object, whole: object) -> float:
    return _quantity(said, "s", whole)


def _quantity(said: object, unit: str, whole: object) -> float:
    """Return an amount in `unit`; a bare number is in it already."""
    if isinstance(said, int | float) and not isinstance(said, bool):
        number = float(said) if abs(said) < 1e15 else math.nan
    elif isinstance(said, str) and (match := _AMOUNT.fullmatch(said)) is not None:
        size = _SIZES[unit].get(match["unit"]) if match["unit"] else 1.0
        number = float(match["number"]) * size if size is not None else math.nan
    else:
        number = math.nan
    if not math.isfinite(number):
        raise FaultError(
            f"fault {_shown(whole)}: {_shown(said)} seen, wanted a number of {' or '.join(_SIZES[unit])}"
        )
    return number


def _count(said: object, whole: object) -> int:
    if isinstance(said, str) and said.isascii() and said.isdigit():
        return int(said)
    if type(said) is int:
        return said
    if type(said) is float and said.is_integer():
        return int(said)
    raise FaultError(f"fault {_shown(whole)}: {_shown(said)} times seen, wanted a whole number")


def _shown(what: object) -> str:
    return repr(what)[:LONGEST]
