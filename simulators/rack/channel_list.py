"""SCPI channel lists, `(@1,3:5)` (SCPI 1999.0 vol. 1 §8.3.2)."""

import re
from functools import lru_cache

from simulators.scpi.errors import ScpiError

_ITEM = re.compile(r"(\d{1,4})(?::(\d{1,4}))?", re.ASCII)


@lru_cache(maxsize=256)
def channel_list(parameters: tuple[str, ...]) -> tuple[int, ...]:
    """Return the channel numbers of a list that was cut at its commas.

    Raises `ScpiError` -109 where there is none, and -102 where it cannot be read.
    """
    text = ",".join(parameters).replace(" ", "")
    if not text:
        raise ScpiError(-109)
    if not (text.startswith("(@") and text.endswith(")")):
        raise ScpiError(-102)
    return tuple(number for item in text[2:-1].split(",") for number in _numbers(item))


def _numbers(item: str) -> range:
    match = _ITEM.fullmatch(item)
    if match is None:
        raise ScpiError(-102)
    first = int(match[1])
    last = int(match[2] or first)
    return range(first, last + 1) if first <= last else range(first, last - 1, -1)
