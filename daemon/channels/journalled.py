"""A channel whose every action is in the journal before it happens; only *off* acts first."""

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Any

from daemon.running.journal import Journal
from drivers.base import Program, ProgrammedChannel, SteppedChannel
from drivers.relayed import RelayedProgrammed, RelayedStepped, RelayedWhole
from drivers.whole import WholeChannel, WholeProgram
from protocols.limits import Limits
from protocols.setpoint import AtRest, Current, Setpoint, Voltage

Passed = Callable[[str], None]
"""Told the name of every point a journalled action passes, where a test may end the process."""


def unobserved(point: str) -> None:
    """The `Passed` of a service: nobody looks."""


class Deeds:
    """The journal of one run on one channel; `step` tells the ordinal of the step under way."""

    def __init__(
        self, journal: Journal, channel: str, run: str, step: Callable[[], int], passed: Passed = unobserved
    ) -> None:
        self._journal = journal
        self._channel = channel
        self._run = run
        self.step = step
        self._passed = passed

    @asynccontextmanager
    async def action(self, kind: str, arguments: Mapping[str, Any]) -> AsyncIterator[None]:
        """Write the intent, let it happen inside, note what became of it."""
        number = await self._journal.intend(self._channel, self._run, self.step(), kind, arguments)
        self._passed(f"{kind} intended")
        try:
            yield
        except BaseException as error:
            self._journal.settle(number, "failed", f"{type(error).__name__}: {error}")
            raise
        self._passed(f"{kind} acted")
        self._journal.settle(number, "done", "read back as told")
        self._passed(f"{kind} done")

    @asynccontextmanager
    async def switched_off(self) -> AsyncIterator[None]:
        """Let the switching off happen first; the journal learns of it afterwards."""
        arguments = (self._channel, self._run, self.step(), "off")
        self._passed("off begun")
        try:
            yield
        except BaseException as error:
            self._journal.acted(*arguments, "failed", f"{type(error).__name__}: {error}")
            raise
        self._passed("off acted")
        self._journal.acted(*arguments, "done", "verified open")


class JournalledStepped(RelayedStepped):
    """A stepped channel. A step that moves its set value at every reading writes one intent.

    That intent names the function, the clamp and the first level; within them the step may move.
    """

    def __init__(self, channel: SteppedChannel, deeds: Deeds) -> None:
        super().__init__(channel)
        self._deeds = deeds
        self._covered: object = None  # what the last intent allows

    async def prepare(self, limits: Limits) -> None:
        async with self._deeds.action("prepare", _window(limits)):
            await self._channel.prepare(limits)

    async def apply(self, setpoint: Setpoint) -> None:
        function, level, clamp = _facts(setpoint)
        wanted = (self._deeds.step(), function, clamp)
        if wanted == self._covered:
            await self._channel.apply(setpoint)
            return
        self._covered = None
        async with self._deeds.action("apply", {"function": function, "level": level, "clamp": clamp}):
            await self._channel.apply(setpoint)
        self._covered = wanted

    async def off(self) -> None:
        self._covered = None
        async with self._deeds.switched_off():
            await self._channel.off()


class JournalledProgrammed(RelayedProgrammed):
    """A programmed channel: each program is an action, and so is ending one."""

    def __init__(self, channel: ProgrammedChannel, deeds: Deeds) -> None:
        super().__init__(channel)
        self._deeds = deeds

    async def start(self, tag: str, program: Program) -> float:
        facts = {
            "tag": tag,
            "path": program.step.path,
            "seconds_done": program.seconds_done,
            "coulombs_done": program.coulombs_done,
            "joules_done": program.joules_done,
        }
        async with self._deeds.action("start", facts):
            return await self._channel.start(tag, program)

    async def finish(self) -> None:
        async with self._deeds.action("finish", {}):
            await self._channel.finish()

    async def off(self) -> None:
        async with self._deeds.switched_off():
            await self._channel.off()


class JournalledWhole(JournalledProgrammed, RelayedWhole):
    """A channel that is given whole protocols: each is one action, and so is ending a step of it."""

    def __init__(self, channel: WholeChannel, deeds: Deeds) -> None:
        super().__init__(channel, deeds)

    async def start_whole(self, tag: str, program: WholeProgram) -> None:
        facts = {
            "tag": tag,
            "whole": True,
            "seconds_done": program.seconds_done,
            "coulombs_done": program.coulombs_done,
            "joules_done": program.joules_done,
        }
        async with self._deeds.action("start", facts):
            await self._whole.start_whole(tag, program)

    async def skip(self) -> None:
        async with self._deeds.action("skip", {}):
            await self._whole.skip()


def journalled(
    channel: SteppedChannel | ProgrammedChannel, deeds: Deeds
) -> JournalledStepped | JournalledProgrammed:
    """Return the channel with its actions journalled."""
    match channel:
        case SteppedChannel():
            return JournalledStepped(channel, deeds)
        case WholeChannel():
            return JournalledWhole(channel, deeds)
    return JournalledProgrammed(channel, deeds)


def _facts(setpoint: Setpoint) -> tuple[str, float, float]:
    """Return function, level and clamp."""
    match setpoint:
        case AtRest(clamp):
            return "rest", 0.0, clamp
        case Current(amperes, clamp):
            return "current", amperes, clamp
        case Voltage(volts, clamp):
            return "voltage", volts, clamp


def _window(limits: Limits) -> Mapping[str, str]:
    return {name: f"{window} {unit}" for name, unit, window in limits.named()}
