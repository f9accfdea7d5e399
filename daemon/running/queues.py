"""What waits on each channel: the next run begins when the one before it has finished.

It does not begin after one that was stopped, tripped or failed: somebody should look first, and lets
the queue go on.
"""

import asyncio
import logging
import secrets
import time
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from typing import Any

import msgspec

from daemon.errors import StaleError, UnknownError
from daemon.requests import Submit
from daemon.running.journal import Journal
from daemon.running.run import RunState
from protocols.errors import GalvanodError

_log = logging.getLogger(__name__)

Begin = Callable[[Submit, str], Awaitable[Mapping[str, Any]]]
"""Begins a run for somebody."""


class Waiting(msgspec.Struct, frozen=True):
    """A submission that waits, checked when it came; `since` is UTC seconds.

    `rank` is its place among those of its channel where somebody has put them in order.
    """

    number: int
    who: str
    since: float
    protocol: str
    cell: str
    request: Submit
    rank: int = 0

    def facts(self) -> Mapping[str, Any]:
        """Return it as plain data, without the files."""
        return {
            "number": self.number,
            "who": self.who,
            "since": self.since,
            "protocol": self.protocol,
            "cell": self.cell,
        }


class Queues:
    """The queues of one core, kept in its journal."""

    def __init__(self, journal: Journal, begin: Begin) -> None:
        self._journal = journal
        self._begin = begin
        self._lines: dict[str, list[Waiting]] = {}
        kept = [msgspec.msgpack.decode(blob, type=Waiting) for blob in journal.waiting]
        for waiting in sorted(kept, key=lambda each: (each.rank or each.number, each.number)):
            self._lines.setdefault(waiting.request.channel, []).append(waiting)
        self._next = 1 + max((each.number for line in self._lines.values() for each in line), default=0)
        self._turns: dict[str, asyncio.Lock] = {}
        self._held = dict.fromkeys(self._lines, "the core was started anew")

    def length(self, channel: str) -> int:
        """How many wait on a channel."""
        return len(self._lines.get(channel, ()))

    def held(self, channel: str) -> str | None:
        """Why the queue of a channel does not go on; None where it does."""
        return self._held.get(channel) if self.length(channel) else None

    def line(self, channel: str) -> Iterable[Waiting]:
        """What waits on a channel, the next first."""
        return tuple(self._lines.get(channel, ()))

    async def add(self, request: Submit, who: str, protocol: str, cell: str) -> int:
        """Let a submission wait; returns its place, from 1. One that waits already keeps its own."""
        line = self._lines.setdefault(request.channel, [])
        for place, each in enumerate(line, 1):
            if request.key and each.request.key == request.key:
                return place
        key = request.key or f"queue-{secrets.token_hex(8)}"  # so that a crash begins nothing twice
        keyed = msgspec.structs.replace(request, key=key)
        rank = max((each.rank or each.number for each in line), default=0) + 1
        waiting = Waiting(self._next, who, time.time(), protocol, cell, keyed, rank)
        self._next += 1
        line.append(waiting)
        await self._journal.wait((waiting.number, msgspec.msgpack.encode(waiting)))
        self._journal.audit(who, "queue", request.channel, protocol)
        return len(line)

    async def remove(self, channel: str, number: int, who: str) -> None:
        """Take a submission out of the queue. Raises `UnknownError` where it does not wait."""
        found = next((each for each in self.line(channel) if each.number == number), None)
        if found is None:
            raise UnknownError(f"nothing that waits on channel {channel} has the number {number}")
        await self._drop(found)
        self._journal.audit(who, "unqueue", channel, found.protocol)

    async def reorder(self, channel: str, order: Sequence[int], who: str) -> None:
        """Put what waits in another order. Raises `StaleError` where other ones wait than those named."""
        waiting = {each.number: each for each in self.line(channel)}
        if sorted(order) != sorted(waiting):
            listed = ", ".join(map(str, waiting)) or "nothing"
            raise StaleError(
                f"the queue of channel {channel} has changed: {listed} wait there now; look again"
            )
        ranked = [msgspec.structs.replace(waiting[number], rank=rank) for rank, number in enumerate(order, 1)]
        await self._journal.wait(*((each.number, msgspec.msgpack.encode(each)) for each in ranked))
        places = {each.number: each for each in ranked}
        line = self._lines[channel]  # one may have begun, or come, while that was kept
        line[:] = sorted(
            (places.get(each.number, each) for each in line), key=lambda each: each.rank or each.number
        )
        self._journal.audit(who, "reorder", channel, ", ".join(map(str, order)))

    def hold(self, channel: str, reason: str, who: str) -> None:
        """Let a queue begin nothing more. Raises `UnknownError` where nothing waits."""
        if not self.length(channel):
            raise UnknownError(f"nothing waits on channel {channel}, so there is nothing to hold")
        self._held[channel] = f"{reason}, says {who}" if reason else f"by {who}"
        self._journal.audit(who, "hold", channel, reason)

    async def go_on(self, channel: str, who: str) -> str | None:
        """Let a queue go on that is held; returns the run that began, None where it waits for another.

        Raises what speaks against beginning it; the queue is then held for that.
        """
        self._held.pop(channel, None)
        self._journal.audit(who, "go on", channel, "")
        return await self._advance(channel)

    async def ended(self, channel: str, state: RunState, run: str) -> None:
        """A run has ended: the next one begins where it finished, or the queue is held."""
        if not self.length(channel):
            return
        if state is not RunState.FINISHED:
            self._held[channel] = f"run {run} before it {_ended(state)}"
            return
        await self.freed(channel)

    async def freed(self, channel: str) -> None:
        """A channel is free: the next of its queue begins, where nothing holds it or speaks against it."""
        try:
            await self._advance(channel)
        except GalvanodError as error:
            _log.warning("the queue of channel %s: %s", channel, error)

    async def _advance(self, channel: str) -> str | None:
        async with self._turns.setdefault(channel, asyncio.Lock()):
            line = self.line(channel)
            if not line or channel in self._held:
                return None
            first = next(iter(line))
            try:
                begun = await self._begin(msgspec.structs.replace(first.request, queue=False), first.who)
            except GalvanodError as error:
                self._held[channel] = str(error)
                raise
            await self._drop(first)
            return str(begun["run"])

    async def _drop(self, waiting: Waiting) -> None:
        line = self._lines[waiting.request.channel]
        line[:] = [each for each in line if each.number != waiting.number]
        await self._journal.wait_no_more(waiting.number)


def _ended(state: RunState) -> str:
    return f"was {state.value}" if state in (RunState.STOPPED, RunState.INTERRUPTED) else state.value
