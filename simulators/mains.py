"""An instrument on its mains switch: what it forgets when the power fails, and what it finds afterwards."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from simulators.clock import Clock, Uptime
from simulators.faults.cell import FaultyCell
from simulators.wired import Living, Stream


class Mounted(NamedTuple):
    """A cell that stays where it is whatever happens to its instrument, and the time it lives in."""

    cell: FaultyCell
    clock: Clock

    def rest(self) -> None:
        """Live up to now with nothing connected."""
        self.cell.rest_until(self.clock.now())


Make = Callable[[Sequence[Clock]], Living]
"""Makes an instrument from the box, given the time each of its cells has lived since now."""


class Mains:
    """Holds the instrument that is switched on, with the cells that stay.

    Switched on again it is a new one, as from the box: every setting, buffer and script is lost, its
    outputs are off, its own time begins at nought. The cells rest while there is no power.
    """

    def __init__(self, make: Make, mounted: Sequence[Mounted]) -> None:
        self._make = make
        self._mounted = mounted
        self._talking: set[asyncio.Task[None]] = set()
        self._on = True
        self.instrument = self._new()

    def _new(self) -> Living:
        return self._make([Uptime(one.clock, one.clock.now()) for one in self._mounted])

    def off(self) -> None:
        """Fail: whatever it was doing or saying is over."""
        if self._on:
            self.instrument.live()
            self._on = False
            for conversation in self._talking:
                conversation.cancel()

    def on(self) -> None:
        """Come back."""
        if not self._on:
            for one in self._mounted:
                one.rest()
            self.instrument = self._new()
            self._on = True

    def truth(self, position: int = 0) -> Mapping[str, Any]:
        """Return what was put into one of the cells, after letting it live up to now."""
        self.live()
        return self._mounted[position].cell.truth()

    def live(self) -> None:
        """Let every cell live up to now."""
        if self._on:
            self.instrument.live()
        for one in () if self._on else self._mounted:
            one.rest()

    async def converse(self, stream: Stream) -> None:
        """Let whichever instrument is on talk to one client, until the client is gone."""
        while not await self._conversed(stream):
            pass

    async def _conversed(self, stream: Stream) -> bool:
        """Talk until one of the two is gone; return whether it is the client."""
        while not self._on:
            if not await stream.read():  # nobody hears it
                return True
        conversation = asyncio.create_task(self.instrument.converse(stream), name="conversation")
        self._talking.add(conversation)
        try:
            await asyncio.wait([conversation])
        finally:
            self._talking.discard(conversation)
            conversation.cancel()
        if conversation.cancelled():
            return False
        conversation.result()
        return True
