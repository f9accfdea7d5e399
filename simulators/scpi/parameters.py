"""What may stand after a header: numbers, words, booleans, strings; each knows its own spelling."""

import math
import re
from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Generic, TypeVar

from simulators.scpi.errors import ScpiError

T = TypeVar("T")

NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", re.ASCII)


class Parameter(ABC, Generic[T]):
    """One kind of parameter."""

    @abstractmethod
    def parse(self, text: str) -> T:
        """Return the value meant. Raises `ScpiError` -104, -222 or -224."""

    @abstractmethod
    def show(self, value: T) -> str:
        """Return it as the instrument answers it."""


def decimal(text: str) -> float:
    """Return a number as IEEE 488.2 writes them. Raises `ScpiError` -104 for anything else."""
    if not NUMBER.fullmatch(text) or math.isinf(value := float(text)):
        raise ScpiError(-104)
    return value


class Number(Parameter[float]):
    """A real number from `low` to `high`, or MINimum, MAXimum, DEFault."""

    def __init__(self, low: float, high: float, default: float) -> None:
        self.low = low
        self.high = high
        self.default = default

    def parse(self, text: str) -> float:
        word = text.upper()
        if word in ("MIN", "MINIMUM"):
            return self.low
        if word in ("MAX", "MAXIMUM"):
            return self.high
        if word in ("DEF", "DEFAULT"):
            return self.default
        value = decimal(text)
        if not self.low <= value <= self.high:
            raise ScpiError(-222)
        return value

    def show(self, value: float) -> str:
        return f"{value:.6E}"


class Integer(Parameter[int]):
    """A whole number from `low` to `high`, or MINimum, MAXimum, DEFault; fractions are refused."""

    def __init__(self, low: int, high: int, default: int) -> None:
        self._number = Number(low, high, default)

    def parse(self, text: str) -> int:
        value = self._number.parse(text)
        if not value.is_integer():
            raise ScpiError(-104)
        return int(value)

    def show(self, value: int) -> str:
        return str(value)


class Boolean(Parameter[bool]):
    """ON, OFF, 1 or 0; answered as 1 or 0."""

    def parse(self, text: str) -> bool:
        match text.upper():
            case "ON" | "1":
                return True
            case "OFF" | "0":
                return False
            case _:
                raise ScpiError(-104 if text[:1] in "\"'" else -224)

    def show(self, value: bool) -> str:
        return "1" if value else "0"


class Choice(Parameter[str]):
    """One of a few words, each written the manual's way (`HIMPedance`); answered in its short form."""

    def __init__(self, *words: str) -> None:
        self._short = {spelling: short(word) for word in words for spelling in (short(word), word.upper())}

    def parse(self, text: str) -> str:
        try:
            return self._short[text.upper()]
        except KeyError:
            raise ScpiError(-104 if text[:1] in "\"'" or NUMBER.fullmatch(text) else -224) from None

    def show(self, value: str) -> str:
        return value


class QuotedChoice(Choice):
    """One of a few words in quotes, single or double; answered in double quotes."""

    def parse(self, text: str) -> str:
        return super().parse(unquoted(text))

    def show(self, value: str) -> str:
        return f'"{value}"'


class Name(Parameter[str]):
    """A name in quotes, of which `known` may insist."""

    def __init__(self, known: Callable[[str], bool] = lambda name: True) -> None:
        self._known = known

    def parse(self, text: str) -> str:
        name = unquoted(text)
        if not self._known(name):
            raise ScpiError(-224)
        return name

    def show(self, value: str) -> str:
        return f'"{value}"'


def unquoted(text: str) -> str:
    """Return what stands between the quotes. Raises `ScpiError` -104 if there are none."""
    if len(text) < 2 or text[0] not in "\"'" or text[-1] != text[0]:
        raise ScpiError(-104)
    return text[1:-1]


def short(mnemonic: str) -> str:
    """Return the short form of a word written the manual's way: its capitals and digits."""
    return "".join(character for character in mnemonic if not character.islower())
