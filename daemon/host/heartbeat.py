"""Signs of life: who gave one last, and when."""

import asyncio
import contextlib
import sqlite3
import time
from collections.abc import Callable, Sequence

from daemon.delivery.outbox import Outbox
from drivers.base import (
    Channel,
    Program,
    ProgrammedChannel,
    ProgramStatus,
    Record,
    SteppedChannel,
)
from drivers.whole import Followed, Taken, Unheld, WholeChannel, WholeProgram
from protocols.limits import Limits
from protocols.plan import Plan, PlannedStep
from protocols.reading import Reading
from protocols.setpoint import Setpoint

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


class BeatingStepped(SteppedChannel):
    """A stepped channel that beats whenever its instrument has done something."""

    def __init__(self, channel: SteppedChannel, heartbeat: Heartbeat) -> None:
        self._channel = channel
        self._heartbeat = heartbeat

    def refusal(self, step: PlannedStep) -> str | None:
        return self._channel.refusal(step)

    async def prepare(self, limits: Limits) -> None:
        await self._channel.prepare(limits)
        self._heartbeat.beat()

    async def apply(self, setpoint: Setpoint) -> None:
        await self._channel.apply(setpoint)
        self._heartbeat.beat()

    async def measure(self, within: float) -> Reading:
        reading = await self._channel.measure(within)
        self._heartbeat.beat()
        return reading

    async def verify(self) -> None:
        await self._channel.verify()
        self._heartbeat.beat()

    async def off(self) -> None:
        await self._channel.off()
        self._heartbeat.beat()


class BeatingProgrammed(ProgrammedChannel):
    """A programmed channel that beats whenever its instrument was heard, or was quiet as it may be."""

    def __init__(self, channel: ProgrammedChannel, heartbeat: Heartbeat) -> None:
        self._channel = channel
        self._heartbeat = heartbeat

    def refusal(self, step: PlannedStep) -> str | None:
        return self._channel.refusal(step)

    def program(self, tag: str, program: Program) -> str:
        return self._channel.program(tag, program)

    async def start(self, tag: str, program: Program) -> float:
        began = await self._channel.start(tag, program)
        self._heartbeat.beat()
        return began

    async def state(self) -> ProgramStatus:
        status = await self._channel.state()
        self._heartbeat.beat()
        return status

    async def records(self, after: int) -> Sequence[Record]:
        records = await self._channel.records(after)
        self._heartbeat.beat()
        return records

    async def finish(self) -> None:
        await self._channel.finish()
        self._heartbeat.beat()

    async def off(self) -> None:
        await self._channel.off()
        self._heartbeat.beat()


class BeatingWhole(BeatingProgrammed, WholeChannel):
    """The same for a channel that is given whole protocols."""

    def __init__(self, channel: WholeChannel, heartbeat: Heartbeat) -> None:
        super().__init__(channel, heartbeat)
        self._whole = channel

    @property
    def controls(self) -> bool:
        return self._whole.controls

    def unheld(self, plan: Plan) -> Sequence[Unheld]:
        return self._whole.unheld(plan)

    def whole_program(self, tag: str, program: WholeProgram) -> str:
        return self._whole.whole_program(tag, program)

    async def look(self) -> Reading:
        reading = await self._whole.look()
        self._heartbeat.beat()
        return reading

    async def start_whole(self, tag: str, program: WholeProgram) -> None:
        await self._whole.start_whole(tag, program)
        self._heartbeat.beat()

    async def attach_whole(self, tag: str, program: WholeProgram, taken: Taken) -> bool:
        return await self._whole.attach_whole(tag, program, taken)

    async def follow(self) -> Followed:
        followed = await self._whole.follow()
        self._heartbeat.beat()
        return followed

    async def skip(self) -> None:
        await self._whole.skip()
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
