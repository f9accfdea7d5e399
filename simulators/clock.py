"""The instrument's own clock, which may live many seconds in one."""

import asyncio
import math
import time
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any

WallTime = Callable[[], float]
Sleep = Callable[[float], Awaitable[Any]]

SHORTEST_SLEEP = 1e-3
"""Seconds; being ahead by less is settled later, so that sleeping's own lateness costs no speed."""

LONGEST_CREDIT = 0.25
"""Seconds a held clock that was left standing may catch up with; the rest is forgiven."""


class Clock(ABC):
    """Simulated seconds since the instrument was switched on.

    Left alone the clock runs by itself at `speed` simulated seconds per second. While a rehearsal
    holds it, time stands still unless the instrument itself takes some (`reach`) or the rehearsal
    lets it pass; `speed` is then only how fast it may go, and results do not depend on it.
    """

    speed: float

    @property
    def standing(self) -> bool:
        """Whether time passes only when it is asked to."""
        return False

    @property
    def held(self) -> bool:
        """Whether a rehearsal says when time passes."""
        return False

    @abstractmethod
    def now(self) -> float:
        """Return the simulated time in seconds."""

    @abstractmethod
    async def reach(self, moment: float) -> None:
        """Return once it is `moment`, at the pace of `speed`; at once (but yielding) if it has been."""


class SimulatedClock(Clock):
    """The bench's clock: free until someone holds it, free again when the last holder lets go.

    It is 0 s until it is started, by `start` or by the end of the first hold. At infinite speed it
    cannot run by itself: it stands as if held, and jumps wherever it is asked to.
    """

    def __init__(self, speed: float, wall: WallTime = time.monotonic, sleep: Sleep = asyncio.sleep) -> None:
        if not speed > 0:  # written so that NaN is refused
            raise ValueError(f"speed {speed:g} seen, wanted more than 0 simulated seconds per second")
        self.speed = speed
        self._wall = wall
        self._sleep = sleep
        self._started = False
        self._holders = 0
        self._awaited: list[float] = []
        self._watched: list[float] = []
        self._moved = asyncio.Event()
        self._standing_at = 0.0
        self._anchor(0.0)

    @property
    def held(self) -> bool:
        return self._holders > 0

    @property
    def standing(self) -> bool:
        return self._holders > 0 or not self._started or math.isinf(self.speed)

    def start(self) -> None:
        """Let time begin; once it has begun, nothing happens."""
        if not self._started:
            self._started = True
            self._anchor(self._standing_at)

    def now(self) -> float:
        if self.standing:
            return self._standing_at
        return self._anchored + (self._wall() - self._anchored_wall) * self.speed

    def hold(self) -> float:
        """Stop time (once more, if others hold it too) and return where it stands."""
        now = self.now()
        self._holders += 1
        self._stand(now)
        return now

    def release(self) -> None:
        """Undo one `hold`; the last one lets the clock run on from where it stood."""
        if not self._holders:
            raise RuntimeError("the clock was released more often than it was held")
        now = self.now()
        self._started = True
        self._holders -= 1
        self._anchor(now)

    async def when(self, moment: float) -> None:
        """Return once it is `moment`, without letting any time pass; a clock that stands stops there."""
        self._watched.append(moment)
        try:
            while (now := self.now()) < moment:
                self._moved.clear()
                with suppress(TimeoutError):
                    async with asyncio.timeout(None if self.standing else (moment - now) / self.speed):
                        await self._moved.wait()
        finally:
            self._watched.remove(moment)

    async def reach(self, moment: float) -> None:
        self._awaited.append(moment)
        try:
            await asyncio.sleep(0)
            while (now := self.now()) < moment:
                if self.standing:
                    await self._let_pass(min(m for m in (*self._awaited, *self._watched) if m > now))
                else:
                    await self._sleep((moment - now) / self.speed)
        finally:
            self._awaited.remove(moment)

    async def _let_pass(self, moment: float) -> None:
        """Move a standing clock on, sleeping only if that would be ahead of `speed`."""
        due = self._anchored_wall + (moment - self._anchored) / self.speed
        ahead = due - self._wall()
        await self._sleep(ahead if ahead >= SHORTEST_SLEEP else 0)
        if self.standing:
            self._stand(max(self._standing_at, moment))
            if self._watched:
                await asyncio.sleep(0)  # who waited for this moment acts before time goes on
            if self._wall() - due > LONGEST_CREDIT:
                self._anchor(self._standing_at)

    def _stand(self, moment: float) -> None:
        self._standing_at = moment
        self._moved.set()

    def _anchor(self, moment: float) -> None:
        self._stand(moment)
        self._anchored = moment
        self._anchored_wall = self._wall()


class Uptime(Clock):
    """Another clock's time since a moment of it, at which an instrument was switched on."""

    def __init__(self, clock: Clock, since: float) -> None:
        self.speed = clock.speed
        self._clock = clock
        self._since = since

    @property
    def standing(self) -> bool:
        return self._clock.standing

    @property
    def held(self) -> bool:
        return self._clock.held

    def now(self) -> float:
        return self._clock.now() - self._since

    async def reach(self, moment: float) -> None:
        await self._clock.reach(moment + self._since)
