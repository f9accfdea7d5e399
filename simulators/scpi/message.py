"""One line of SCPI, cut into its message units (SCPI 1999.0 vol. 1 §6)."""

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import NamedTuple

from simulators.scpi.errors import ScpiError

HEADER = re.compile(r"(?P<root>:?)(?P<path>\*[A-Za-z]+|[A-Za-z]\w*(?::[A-Za-z]\w*)*)(?P<query>\??)", re.ASCII)


class Unit(NamedTuple):
    """One command or query: its mnemonics from the root, upper case, and its raw parameters."""

    path: tuple[str, ...]
    query: bool
    parameters: tuple[str, ...]

    @property
    def is_common(self) -> bool:
        """Whether it is one of IEEE 488.2's own, which leave the path alone."""
        return self.path[0].startswith("*")


class Message(NamedTuple):
    """A line understood: its units up to the first that cannot be, and what is wrong with that one."""

    units: tuple[Unit, ...]
    error: ScpiError | None


@lru_cache(maxsize=256)
def message(line: str) -> Message:
    """Cut a line into units; clients say the same few lines again and again."""
    understood: list[Unit] = []
    try:
        for unit in _units(line):
            understood.append(unit)
    except ScpiError as error:
        return Message(tuple(understood), ScpiError(error.code))
    return Message(tuple(understood), None)


def _units(line: str) -> Iterator[Unit]:
    """Yield units; a header without a leading colon goes on where the one before it was in the tree."""
    here: tuple[str, ...] = ()
    for text in split(line, ";"):
        if not text:
            continue
        unit, absolute = _unit(text)
        if not unit.is_common:
            unit = unit if absolute else unit._replace(path=here + unit.path)
            here = unit.path[:-1]
        yield unit


def _unit(text: str) -> tuple[Unit, bool]:
    """Return the unit as written, and whether it starts from the root."""
    header, *rest = text.split(None, 1)
    match = HEADER.fullmatch(header)
    if match is None:
        raise ScpiError(-102 if header.isascii() else -101)
    parameters = tuple(split(rest[0], ",")) if rest else ()
    if "" in parameters:
        raise ScpiError(-102)
    return Unit(tuple(match["path"].upper().split(":")), bool(match["query"]), parameters), bool(
        match["root"]
    )


def split(text: str, separator: str) -> Iterator[str]:
    """Yield the stripped parts between separators that are not inside quotes. Raises `ScpiError` -151."""
    part = ""
    quote = ""
    for character in text:
        if quote:
            quote = "" if character == quote else quote
        elif character in "\"'":
            quote = character
        elif character == separator:
            yield part.strip()
            part = ""
            continue
        part += character
    if quote:
        raise ScpiError(-151)
    yield part.strip()
