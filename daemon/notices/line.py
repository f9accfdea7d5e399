"""What one recipient is still to be told: what is urgent first, and of a storm the rest together."""

import asyncio
from collections import deque
from collections.abc import Sequence
from typing import Any, NamedTuple

import msgspec

from daemon.notices.allowance import Allowance
from daemon.notices.happening import Happening, Kind
from daemon.notices.notice_file import Recipient

MOST_WAITING = 500
"""Happenings that may wait; beyond it the oldest end of a run is left out, then the oldest of all."""


class Notice(NamedTuple):
    """One letter: what happened last, and what else did that was not told by itself."""

    happening: Happening
    also: Sequence[Happening] = ()


class Line:
    """Happenings in the order in which they are told; a run's end takes no place from a trip."""

    def __init__(self, recipient: Recipient) -> None:
        self.recipient = recipient
        self._urgent: deque[Happening] = deque()
        self._ordinary: deque[Happening] = deque()
        self._allowances = (Allowance(), Allowance())
        self._more = asyncio.Event()

    def add(self, happening: Happening) -> None:
        """Let it wait for its turn."""
        (self._ordinary if happening.kind is Kind.END else self._urgent).append(happening)
        if len(self._urgent) + len(self._ordinary) > MOST_WAITING:
            (self._ordinary or self._urgent).popleft()
        self._more.set()

    def next(self, now: float) -> Notice | None:
        """Return what is to be told at `now`, which stays here until it is `told`; None for nothing."""
        for waiting, allowance in zip((self._urgent, self._ordinary), self._allowances, strict=True):
            if not waiting or allowance.wait(now) > 0.0:
                continue
            if allowance.scarce(now):
                *others, last = waiting
                return Notice(last, others)
            return Notice(waiting[0])
        return None

    def told(self, notice: Notice, now: float) -> None:
        """It has been delivered, or given up."""
        ordinary = notice.happening.kind is Kind.END
        waiting = self._ordinary if ordinary else self._urgent
        self._allowances[ordinary].take(now)
        for happening in (*notice.also, notice.happening):
            if happening in waiting:
                waiting.remove(happening)

    async def until_more(self, now: float) -> None:
        """Wait until there is more to tell, or until what waits may be told."""
        self._more.clear()
        waits = [
            allowance.wait(now)
            for waiting, allowance in zip((self._urgent, self._ordinary), self._allowances, strict=True)
            if waiting
        ]
        try:
            async with asyncio.timeout(min(waits, default=None)):
                await self._more.wait()
        except TimeoutError:
            pass

    def plain(self) -> list[Any]:
        """Return what waits as plain data."""
        found: list[Any] = msgspec.to_builtins([*self._urgent, *self._ordinary])
        return found
