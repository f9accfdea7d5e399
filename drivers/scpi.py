"""SCPI as a conversation: questions with several answers, numbers that are numbers, the error queue."""

import math
import re

from drivers.base import Identity
from drivers.errors import LinkError, RefusedError
from drivers.links import Link

OVERFLOW = 9.9e37
"""What an instrument says instead of a number it could not measure (SCPI-99, 7.2.1)."""

MOST_ERRORS = 20

_NUMBER = re.compile(r"[+-]?\d+(\.\d+)?([eE][+-]?\d{1,3})?", re.ASCII)
"""How instruments write numbers (IEEE 488.2, 8.7.2 to 8.7.4); Python would read `1_0`, `.7` and `3.` too."""


class Scpi:
    """One instrument's side of a link. `who` begins every error message."""

    def __init__(self, link: Link, who: str) -> None:
        self._link = link
        self.who = who

    async def tell(self, *settings: str) -> None:
        """Send settings, one message each."""
        for setting in settings:
            await self._link.write(setting)

    async def ask(self, question: str, deadline: float | None = None) -> str:
        """Return the one answer to a question."""
        return (await self._link.query(question, deadline)).strip()

    async def ask_all(self, count: int, question: str, deadline: float | None = None) -> list[str]:
        """Return the answers to `count` questions sent in one message. Raises `LinkError` if fewer came."""
        answer = await self.ask(question, deadline)
        parts = [part.strip() for part in answer.split(";")]
        if len(parts) != count:
            raise LinkError(f"{self.who}: {question} answered {answer!r}; wanted {count} answers")
        return parts

    def numbers(self, count: int, question: str, answer: str, measured: int = 0) -> list[float]:
        """Return the comma-separated numbers of an answer, the first `measured` of them readings.

        A reading that overflowed is NaN, which is outside every window. Raises `LinkError` for what is
        no number, and where anything but a reading overflowed.
        """
        parts = answer.split(",")
        if len(parts) != count:
            raise LinkError(f"{self.who}: {question} answered {answer!r}; wanted {count} numbers")
        return [
            self._number(question, part, may_overflow=place < measured) for place, part in enumerate(parts)
        ]

    async def raise_on_errors(self, count: str) -> None:
        """Empty the error queue if it holds `count` other than 0; all of it becomes one `RefusedError`."""
        if count == "0":
            return
        texts = await self.errors()
        raise RefusedError(f"{self.who} reports {' and '.join(texts) or f'{count} errors'}")

    async def errors(self) -> list[str]:
        """Empty the error queue and return what was in it, oldest first."""
        texts: list[str] = []
        while len(texts) < MOST_ERRORS:
            text = await self.ask(":SYST:ERR?")
            if text.startswith(("0,", "+0,")):
                break
            texts.append(text)
        return texts

    def _number(self, question: str, text: str, may_overflow: bool) -> float:
        if _NUMBER.fullmatch(text.strip()) is None:
            raise LinkError(f"{self.who}: {question} answered {text[:60]!r}; wanted a number")
        number = float(text)
        if abs(number) < OVERFLOW:
            return number
        if not may_overflow:
            raise LinkError(f"{self.who}: {question} answered {text!r}: overflow")
        return math.nan


async def identify(link: Link) -> Identity:
    """Ask who is there (IEEE 488.2, 10.14). Raises `LinkError` for an answer that is not four fields."""
    answer = await link.query("*IDN?")
    parts = [part.strip() for part in answer.split(",")]
    if len(parts) != 4:
        raise LinkError(f"{link.address}: *IDN? answered {answer!r}; wanted maker, model, serial, firmware")
    maker, model, serial, firmware = parts
    return Identity(maker, model.removeprefix("MODEL ").strip(), serial, firmware)
