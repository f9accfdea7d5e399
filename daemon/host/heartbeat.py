"""Signs of life: who gave one last, and when."""

import asyncio
import contextlib
import sqlite3
import time
from collections.abc import Callable

from daemon.delivery.outbox import Outbox
from drivers.base import Channel, ProgrammedChannel, SteppedChannel
from drivers.relayed import RelayedProgrammed, RelayedStepped, RelayedWhole
from drivers.whole import WholeChannel

CHANNEL_PATIENCE = 20.0
"""Seconds: beyond every deadline a channel's call can have, its repetition included.

A hung instrument ends its own run long before; a channel silent for longer is a fault of ours.
"""

SPOOL_PATIENCE = 30.0
"""Seconds: a disk may stall for some, and what is read meanwhile is kept in memory."""

_NOTHING = 2**62  # no batch of the spool has a number like this


class Heartbeat:
    """The last sign of life of one part of the service, and how long it may be silent, in seconds."""

    def __init__(self, name: str, patience: float, now: Callable[[], float] = time.monotonic) -> None:
        self.name = name
        self.patience = patience
        self._now = now
        self.last = now()

    def beat(self) -> None:
        """Give a sign of life."""
        self.last = self._now()


def beating(channel: Channel, heartbeat: Heartbeat) -> Channel:
    """Return the channel with a heartbeat: every answer of its instrument is a beat."""
    if isinstance(channel, SteppedChannel):
        return BeatingStepped(channel, heartbeat)
    if isinstance(channel, WholeChannel):
        return BeatingWhole(channel, heartbeat)
    return BeatingProgrammed(channel, heartbeat)


class BeatingStepped(RelayedStepped):
    """A stepped channel that beats whenever its instrument has done something."""

    def __init__(self, channel: SteppedChannel, heartbeat: Heartbeat) -> None:
        super().__init__(channel)
        self._heartbeat = heartbeat

    def answered(self) -> None:
        self._heartbeat.beat()


class BeatingProgrammed(RelayedProgrammed):
    """A programmed channel that beats whenever its instrument was heard, or was quiet as it may be."""

    def __init__(self, channel: ProgrammedChannel, heartbeat: Heartbeat) -> None:
        super().__init__(channel)
        self._heartbeat = heartbeat

    def answered(self) -> None:
        self._heartbeat.beat()


class BeatingWhole(RelayedWhole):
    """The same for a channel that is given whole protocols."""

    def __init__(self, channel: WholeChannel, heartbeat: Heartbeat) -> None:
        super().__init__(channel)
        self._heartbeat = heartbeat

    def answered(self) -> None:
        self._heartbeat.beat()


async def feel_pulse(outbox: Outbox, heartbeat: Heartbeat, interval: float = 1.0) -> None:
    """Beat as long as the thread that writes the spool does what it is asked, until cancelled.

    An error is an answer too: a disk that is full or locked is told elsewhere, and starting the
    service again would not mend it.
    """
    while True:
        with contextlib.suppress(sqlite3.Error):
            await outbox.page(after=_NOTHING, limit=1)
        heartbeat.beat()
        await asyncio.sleep(interval)
