"""How bytes reach an instrument."""

from abc import ABC, abstractmethod
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class LinkOptions:
    """How to talk over a cable where the address does not say it.

    `deadline` is the default of every answer, in seconds; `baud_rate` matters on serial lines only.
    `answer_terminator` is what ends an answer where it is not what ends a message; one without an end
    is given up after `longest` bytes.
    """

    deadline: float = 2.0
    baud_rate: int = 9600
    terminator: str = "\n"
    answer_terminator: str | None = None
    longest: int = 65_536


class Link(ABC):
    """A conversation in lines with one instrument.

    A link serialises its own traffic: concurrent queries never interleave, and a cancelled one
    leaves the link usable. Every failure surfaces as `LinkError`; a deadline that passes as
    `SilenceError`, after which an answer still on its way is thrown away before the next
    question, so that it is never taken for that question's answer.
    """

    address: str

    @abstractmethod
    async def write(self, message: str) -> None:
        """Send a message; the terminator is added."""

    @abstractmethod
    async def read(self, deadline: float | None = None) -> str:
        """Return the next line, terminator removed, within `deadline` seconds (the link's own if None)."""

    @abstractmethod
    async def read_lines(self, deadline: float) -> list[str]:
        """Return every complete line that is here, waiting up to `deadline` seconds for the first.

        Empty if none came: for instruments that speak unasked.
        """

    @abstractmethod
    async def query(self, message: str, deadline: float | None = None) -> str:
        """Send a message and return its one-line answer."""

    @abstractmethod
    async def aclose(self) -> None:
        """Let go of the port. Closing twice is fine."""
