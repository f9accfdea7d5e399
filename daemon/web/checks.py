"""Checks of protocols and studies, one of a person at a time: whoever types asks often, so does a flood."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from daemon.web.problem import HttpError

MOST_AT_ONCE = 4
"""Checks under way, each of somebody else: one that waits for an instrument keeps nobody from the others."""

MOST_EACH = 4
"""Checks of one person that are under way or wait; who asks more is told to wait."""

LONGEST_REST = 1.0
"""Seconds between two checks of one person, at most; else as long as the first has taken."""


@dataclass(slots=True)
class _Person:
    turn: asyncio.Lock = field(default_factory=asyncio.Lock)
    asked: int = 0
    rests_until: float = 0.0


class Checks:
    """Lets the checks of one core, or of this process, take their turns.

    What plans keeps others waiting: half of the time at most is spent on those of any one person.
    """

    def __init__(self) -> None:
        self._room = asyncio.Semaphore(MOST_AT_ONCE)
        self._people: dict[str, _Person] = {}

    @asynccontextmanager
    async def turn(self, who: str) -> AsyncIterator[None]:
        """Wait for somebody's turn to check. Raises `HttpError` (429) for who has too many under way."""
        person = self._people.setdefault(who, _Person())
        if person.asked >= MOST_EACH:
            why = f"{MOST_EACH} checks of {who[:64]!r} are under way; ask again when one of them is answered"
            raise HttpError(429, "Too many checks", why, {"retry-after": "1"})
        person.asked += 1
        try:
            async with person.turn, self._rested(person), self._room:
                yield
        finally:
            person.asked -= 1

    @asynccontextmanager
    async def _rested(self, person: _Person) -> AsyncIterator[None]:
        loop = asyncio.get_running_loop()
        await asyncio.sleep(max(0.0, person.rests_until - loop.time()))
        began = loop.time()
        try:
            yield
        finally:
            person.rests_until = loop.time() + min(loop.time() - began, LONGEST_REST)
