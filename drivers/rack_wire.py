"""What is said to a rack, and what its answers mean."""

import asyncio
import time
from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

import numpy as np

from drivers.errors import LinkError, RefusedError
from drivers.links import Link
from drivers.scan import Column
from drivers.scpi import OVERFLOW, Scpi
from drivers.timeline import Timeline

AMPERES = 5.0
VOLTS = 10.0

LETTERS = frozenset("NCOPW")
"""How a channel stands: closed, clamped, open, opened by its window, opened by its watchdog."""


class Measured(NamedTuple):
    """Volts, amperes and a letter for each channel asked for, at one moment."""

    time: float
    voltage: Column
    current: Column
    letters: str


class Sampled(NamedTuple):
    """The interval the rack's timer is set to (s), and what it measured, beginning with number `first`."""

    interval: float
    first: int
    measured: Sequence[Measured]


class Wire:
    """The conversation that all channels of one rack share.

    What is set and read back is one message, so that channels cannot take each other's answers.
    """

    def __init__(self, link: Link, who: str) -> None:
        self.scpi = Scpi(link, who)
        self._timeline = Timeline()
        self._turn = asyncio.Lock()

    async def places(self) -> list[str]:
        """Return the channels there are."""
        answer = await self.scpi.ask(":SYST:CHAN?")
        places = answer.split(",")
        if not all(place.isascii() and place.isdigit() for place in places):
            raise LinkError(f"{self.scpi.who}: :SYST:CHAN? answered {answer[:60]!r}; wanted channel numbers")
        return places

    async def set(self, settings: str, question: str) -> str:
        """Say what to set, and return the answer to the question after it; refusals are raised.

        The rack keeps one queue of errors: whoever sets something has it to himself meanwhile.
        """
        async with self._turn:
            answer, errors = await self.scpi.ask_all(2, f"{settings};{question};:SYST:ERR:COUN?")
            await self.scpi.raise_on_errors(errors)
        return answer

    async def measure(self, places: Sequence[str]) -> Measured:
        """Look at the channels. Raises `LinkError` for an answer that is not whole."""
        question = f":MEAS? {listed(tuple(places))}"
        moment, volts, amperes, letters = await self.scpi.ask_all(4, question)
        count = len(places)
        if len(letters) != count or not LETTERS.issuperset(letters):
            raise LinkError(f"{self.scpi.who}: {question} answered {letters[:60]!r}; wanted {count} letters")
        (own,) = self.scpi.numbers(1, question, moment)
        return Measured(
            self._timeline.at(own, time.monotonic()),
            self._column(count, question, volts),
            self._column(count, question, amperes),
            letters,
        )

    async def sampled(self, after: int, places: Sequence[str]) -> Sampled:
        """Return what the rack's own timer had measured and nobody was told. Raises `LinkError`."""
        question = f":SAMP:TIM?;:SAMP:DATA? {after},{listed(tuple(places))}"
        seconds, first, moments, volts, amperes, letters = await self.scpi.ask_all(6, question)
        (interval, number) = self.scpi.numbers(2, question, f"{seconds},{first}")
        if not number:
            return Sampled(interval, 0, ())
        count = len(places)
        times = self._column(moments.count(",") + 1, question, moments)
        if len(letters) != count * len(times) or not LETTERS.issuperset(letters):
            raise LinkError(f"{self.scpi.who}: {question} answered {letters[:60]!r}; wanted letters")
        voltage, current = (self._column(len(letters), question, told) for told in (volts, amperes))
        rows = []
        for begin, own in enumerate(times.tolist()):
            these = slice(begin * count, (begin + 1) * count)
            rows.append(Measured(self._timeline.of(own), voltage[these], current[these], letters[these]))
        return Sampled(interval, int(number), rows)

    async def sample_every(self, seconds: float) -> None:
        """Set the rack's own timer, which then counts its samples from 1."""
        told = f"{seconds:.6f}"
        answer = await self.set(f":SAMP:TIM {told}", ":SAMP:TIM?")
        if answer != told:
            raise RefusedError(f"{self.scpi.who}: told to measure every {told} s, it holds {answer}")

    def _column(self, count: int, question: str, answer: str) -> Column:
        """Return one number per channel; thousands come per second, so all are checked at once."""
        try:
            numbers = np.array([float(part) for part in answer.split(",")])
        except ValueError as error:
            raise LinkError(f"{self.scpi.who}: {question} answered {answer[:60]!r}: no numbers") from error
        if len(numbers) != count or not (np.abs(numbers) < OVERFLOW).all():
            raise LinkError(f"{self.scpi.who}: {question} answered {answer[:60]!r}; wanted {count} numbers")
        return numbers


@lru_cache(maxsize=256)
def listed(places: tuple[str, ...]) -> str:
    """Return the channel list of these places, runs of neighbours as ranges: `(@1:3,7)`."""
    numbers = [int(place) for place in places]
    ranges: list[list[int]] = []
    for number in numbers:
        if ranges and number == ranges[-1][1] + 1:
            ranges[-1][1] = number
        else:
            ranges.append([number, number])
    return f"(@{','.join(str(a) if a == b else f'{a}:{b}' for a, b in ranges)})"
