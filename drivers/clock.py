"""Time is a device too: the engines ask a clock, so that a rehearsal need not wait."""

import asyncio
import time
from abc import ABC, abstractmethod


class Clock(ABC):
    """What an engine knows of time."""

    @abstractmethod
    async def now(self) -> float:
        """Return seconds that only ever grow."""

    @abstractmethod
    async def sleep_until(self, moment: float) -> float:
        """Return the time once it has reached `moment`; at once if it has."""

    async def aclose(self) -> None:
        """Let go of whatever the clock holds; a clock that holds nothing has nothing to do."""
        return


class WallClock(Clock):
    """The time everybody else has."""

    async def now(self) -> float:
        return time.monotonic()

    async def sleep_until(self, moment: float) -> float:
        await asyncio.sleep(max(0.0, moment - time.monotonic()))
        return time.monotonic()
