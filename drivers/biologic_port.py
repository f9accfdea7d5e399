"""One channel of a Bio-Logic at the other end of EClib: loaded, started, emptied and stopped."""

from collections.abc import Sequence
from typing import NamedTuple

from drivers.biologic_conventions import Conventions
from drivers.biologic_models import FIRMWARE, Potentiostat
from drivers.biologic_rows import Point, points
from drivers.eclib import Eclib
from drivers.eclib_errors import meaning, option_meaning
from drivers.eclib_structs import ChannelInfos, CurrentValues
from drivers.eclib_technique import IDENTIFIERS, Technique
from drivers.errors import LinkError, RefusedError
from drivers.links.eclib import EclibLink

STOP = 0
"""`State` of a channel that does nothing; 1 runs, 2 pauses, 3 waits for others."""

ECLAB_FIRMWARE, KERNEL = 1, 5
"""`FirmwareCode`: techniques run on the kernel alone."""


class Taken(NamedTuple):
    """What was in a channel's memory, and what it was doing before that was taken."""

    points: Sequence[Point]
    values: CurrentValues

    @property
    def working(self) -> bool:
        """Whether the channel was doing something."""
        return bool(self.values.State != STOP)


class Port:
    """Channel `number`, counted from 0. Every call is made in the link's own thread."""

    def __init__(
        self, link: EclibLink, number: int, potentiostat: Potentiostat, conventions: Conventions
    ) -> None:
        self.potentiostat = potentiostat
        self.conventions = conventions
        self._link = link
        self._number = number

    def __str__(self) -> str:
        return f"channel {self._number + 1} of the {self.potentiostat.model.name} at {self._link.address}"

    async def make_ready(self) -> None:
        """Load the firmware techniques run on, where there is none. A busy channel is refused."""
        await self._link.perform(self._make_ready)

    async def begin(self, techniques: Sequence[Technique]) -> None:
        """Load the techniques and start them; what was left in the memory is gone."""

        def work(eclib: Eclib) -> None:
            eclib.load(self._number, techniques, self.potentiostat.suffix)
            eclib.start(self._number)

        await self._link.perform(work)

    async def take(self) -> Taken:
        """Take what is in the memory, as much as one answer holds."""
        return await self._link.perform(self._take)

    async def stop(self) -> None:
        """Stop what runs, which opens the circuit."""
        await self._link.perform(lambda eclib: eclib.stop(self._number))

    async def off(self) -> None:
        """Open the circuit and read back that it is open. Once more where an answer was lost."""
        try:
            await self._link.perform(self._off)
        except LinkError:
            await self._link.perform(self._off)

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

        return await self._link.perform(work)

    async def said(self) -> str:
        """Return what the channel's firmware had to say, for a program that failed."""
        messages = await self._link.perform(lambda eclib: eclib.messages(self._number))
        return "; ".join(messages)

    def _make_ready(self, eclib: Eclib) -> None:
        infos = self._ours(eclib)
        if infos.State != STOP:
            raise RefusedError(f"{self} is running; stop it first")
        if infos.FirmwareCode != KERNEL:
            eclib.load_firmware(self._number, *FIRMWARE[self.potentiostat.board])

    def _take(self, eclib: Eclib) -> Taken:
        block = eclib.data(self._number)
        if block.values.OptErr:
            raise RefusedError(f"{self}: option error {block.values.OptErr}: {self._option(block.values)}")
        board = self.potentiostat
        found = points(
            block, board, self.conventions.phase_sign, lambda word: eclib.single(word, board.board)
        )
        return Taken(found, block.values)

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
