"""One channel of a Bio-Logic at the other end of EClib: loaded, started, emptied and stopped."""

import time
from collections.abc import Sequence
from typing import NamedTuple

from drivers.biologic_conventions import Conventions
from drivers.biologic_models import FIRMWARE, Potentiostat
from drivers.biologic_rows import Point, points, start_of
from drivers.eclib import Eclib
from drivers.eclib_errors import meaning, option_meaning
from drivers.eclib_structs import ChannelInfos, CurrentValues
from drivers.eclib_technique import IDENTIFIERS, Technique
from drivers.errors import LinkError, RefusedError
from drivers.finding import Finding
from drivers.links.eclib import Calls

START_SECONDS = 2.0
"""How long a channel may seem to stand after it was started."""

SHORTEST_PAUSE, LONGEST_PAUSE = 1e-3, 0.05
"""Seconds between two looks into a memory that is empty; they grow while it stays so."""

STOP = 0
"""`State` of a channel that does nothing; 1 runs, 2 pauses, 3 waits for others."""

ECLAB_FIRMWARE, KERNEL = 1, 5
"""`FirmwareCode`: techniques run on the kernel alone."""


class Emptied(NamedTuple):
    """What was in a channel's memory, and what it was doing before that was taken.

    The points are of the technique numbered `technique` in its list, which began `start` seconds after
    the experiment did; `loop` changes where the list went back.
    """

    points: Sequence[Point]
    values: CurrentValues
    technique: int
    loop: int
    start: float
    over: bool
    """Whether the channel has stopped and nothing more will come."""


class Port:
    """Channel `number`, counted from 0. Every call is made in the link's own thread."""

    def __init__(
        self, calls: Calls, number: int, potentiostat: Potentiostat, conventions: Conventions
    ) -> None:
        self.potentiostat = potentiostat
        self.conventions = conventions
        self._calls = calls
        self._number = number
        self._seen = False  # at work, since it was started
        self._deadline = 0.0  # by when it is

    def __str__(self) -> str:
        address = self._calls.address.partition("?")[0]
        return f"channel {self._number + 1} of the {self.potentiostat.model.name} at {address}"

    async def make_ready(self) -> None:
        """Load the firmware techniques run on, where there is none. A busy channel is refused."""
        await self._calls.perform(self._make_ready)

    async def begin(self, techniques: Sequence[Technique]) -> None:
        """Load the techniques and start them; what was left in the memory is gone."""

        def work(eclib: Eclib) -> None:
            eclib.load(self._number, techniques, self.potentiostat.suffix)
            eclib.start(self._number)

        await self._calls.perform(work)
        self._seen, self._deadline = False, time.monotonic() + START_SECONDS

    async def empty(self) -> Emptied:
        """Take what is in the memory, as much as one answer holds."""
        emptied = await self._calls.perform(self._empty)
        self._seen = self._seen or not emptied.over
        over = emptied.over and (self._seen or time.monotonic() > self._deadline)
        return emptied._replace(over=over)

    async def change(self, index: int, technique: Technique) -> None:
        """Change the parameters of one of the techniques, while it runs too."""
        suffix = self.potentiostat.suffix
        await self._calls.perform(lambda eclib: eclib.update(self._number, index, technique, suffix))

    async def stop(self) -> None:
        """Stop what runs, which opens the circuit."""
        await self._calls.perform(lambda eclib: eclib.stop(self._number))

    async def off(self) -> None:
        """Open the circuit and read back that it is open. Once more where an answer was lost."""
        try:
            await self._calls.perform(self._off)
        except LinkError:
            await self._calls.perform(self._off)

    async def holds(self, techniques: Sequence[Technique]) -> bool:
        """Whether the channel runs just these techniques, or ran them and nobody took all of the data."""

        def work(eclib: Eclib) -> bool:
            infos = eclib.channel_infos(self._number)
            if infos.FirmwareCode != KERNEL or (infos.State == STOP and not infos.MemFilled):
                return False
            held = eclib.held(self._number)
            return len(held) == len(techniques) and all(
                number == IDENTIFIERS[wanted.name] and (found is None or wanted.is_held_as(found))
                for (number, found), wanted in zip(held, techniques, strict=True)
            )

        found = await self._calls.perform(work)
        self._seen = self._seen or found
        return found

    async def findings(self) -> list[Finding]:
        """Return what is wrong with the channel; nothing is touched."""

        def work(eclib: Eclib) -> list[Finding]:
            infos, values = eclib.channel_infos(self._number), eclib.current_values(self._number)
            found: list[Finding] = []
            if infos.FirmwareCode == ECLAB_FIRMWARE:
                found.append(Finding(f"{self}: {meaning(-9)}", wrong=True))
            if values.OptErr:
                found.append(Finding(f"{self}: {self._option(values)}", wrong=True))
            return found

        return await self._calls.perform(work)

    async def said(self) -> str:
        """Return what the channel's firmware had to say, for a program that failed."""
        messages = await self._calls.perform(lambda eclib: eclib.messages(self._number))
        return "; ".join(messages)

    def _make_ready(self, eclib: Eclib) -> None:
        infos = self._ours(eclib)
        if infos.State != STOP:
            raise RefusedError(f"{self} is running; stop it first")
        if infos.FirmwareCode != KERNEL:
            eclib.load_firmware(self._number, *FIRMWARE[self.potentiostat.board])

    def _empty(self, eclib: Eclib) -> Emptied:
        block = eclib.data(self._number)
        if block.values.OptErr:
            raise RefusedError(f"{self}: option error {block.values.OptErr}: {self._option(block.values)}")
        board = self.potentiostat
        found = points(
            block, board, self.conventions.phase_sign, lambda word: eclib.single(word, board.board)
        )
        infos = block.infos
        idle = block.values.State == STOP and not found
        return Emptied(found, block.values, infos.TechniqueIndex, infos.loop, start_of(block), idle)

    def _off(self, eclib: Eclib) -> None:
        infos = self._ours(eclib)
        if infos.FirmwareCode != KERNEL:
            return  # nothing can run
        eclib.stop(self._number)
        if eclib.current_values(self._number).State != STOP:
            raise RefusedError(f"{self} was stopped and still runs")

    def _ours(self, eclib: Eclib) -> ChannelInfos:
        """Return what the channel is. Raises `RefusedError` while EC-Lab works with it."""
        infos = eclib.channel_infos(self._number)
        if infos.FirmwareCode == ECLAB_FIRMWARE:
            raise RefusedError(f"{self}: {meaning(-9)}")
        return infos

    @staticmethod
    def _option(values: CurrentValues) -> str:
        return f"{option_meaning(values.OptErr)} (position {values.OptPos})"
