"""An instrument on its mains switch: what it forgets when the power fails, and what it finds afterwards."""

import asyncio
from collections.abc import Callable, Mapping
from typing import Any

from simulators.clock import Clock, Uptime
from simulators.faults.cell import FaultyCell
from simulators.instrument import SimulatedInstrument, Stream

Make = Callable[[Clock], SimulatedInstrument]


class Mains:
    """Holds the instrument that is switched on, with the cell that stays.

    Switched on again it is a new one, as from the box: every setting, buffer and script is lost, its
    output is off, its own time begins at nought. The cell rests while there is no power.
    """

    def __init__(self, make: Make, cell: FaultyCell, clock: Clock) -> None:
        self._make = make
        self._cell = cell
        self._clock = clock
        self._talking: set[asyncio.Task[None]] = set()
        self._on = True
        self.instrument = make(Uptime(clock, clock.now()))

    def off(self) -> None:
        """Fail: whatever it was doing or saying is over."""
        if self._on:
            self.instrument.truth()  # it has lived up to now
            self._on = False
            for conversation in self._talking:
                conversation.cancel()

    def on(self) -> None:
        """Come back."""
        if not self._on:
            self._cell.rest_until(self._clock.now())
            self.instrument = self._make(Uptime(self._clock, self._clock.now()))
            self._on = True

    def truth(self) -> Mapping[str, Any]:
        """Return what was put into the cell, after letting it live up to now."""
        if self._on:
            return self.instrument.truth()
        self._cell.rest_until(self._clock.now())
        return self._cell.truth()

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
