"""One channel: its firmware, the techniques it holds, what it runs, and the rows nobody has taken yet."""

import asyncio
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum

from simulators.biologic.errors import Code, RefusalError
from simulators.biologic.exits import Then
from simulators.biologic.models import Manners
from simulators.biologic.parameters import IDENTIFIERS, Parameters, within
from simulators.biologic.potentiostat import Potentiostat
from simulators.biologic.rows import Memory
from simulators.biologic.run import Run
from simulators.biologic.spectra import GalvanostaticSpectrum, PotentiostaticSpectrum
from simulators.biologic.steady import ControlledCurrent, ControlledVoltage, OpenCircuit
from simulators.biologic.technique import Technique
from simulators.biologic.voltammetry import Voltammetry
from simulators.cycler import Bay

CHANNEL_INFOS = struct.Struct("<19i")
CURRENT_VALUES = struct.Struct("<2i7fif2i3f3i")
TECHNIQUE_INFOS = struct.Struct("<4i")

AHEAD = 12
"""Rows a channel that lives faster than everybody may have in its memory; then it waits to be asked."""

MOST_TECHNIQUES = 60  # assumed

KINDS: Mapping[str, type[Technique]] = {
    "ocv": OpenCircuit,
    "ca": ControlledVoltage,
    "cp": ControlledCurrent,
    "calimit": ControlledVoltage,
    "cplimit": ControlledCurrent,
    "cv": Voltammetry,
    "peis": PotentiostaticSpectrum,
    "geis": GalvanostaticSpectrum,
}


class Firmware(IntEnum):
    """`FirmwareCode`."""

    NONE = 0
    ECLAB = 1
    KERNEL = 5


class State(IntEnum):
    """`State`."""

    STOP = 0
    RUN = 1


@dataclass(frozen=True, slots=True)
class Loop:
    """`loop`: go back to a technique, so many times."""

    parameters: Parameters
    times: int
    target: int

    @classmethod
    def of(cls, parameters: Parameters, index: int) -> "Loop":
        """Read it; it is the technique at `index` and goes back. Raises `RefusalError`."""
        times = int(within(parameters.integer("loop_N_times"), -1, 1 << 30))
        return cls(parameters, times, int(within(parameters.integer("protocol_number"), 0, index - 1)))


class Channel:
    """A board with its cell. Raises `RefusalError` for what it does not do."""

    def __init__(self, bay: Bay, number: int, manners: Manners, firmware: Firmware = Firmware.NONE) -> None:
        self.number = number
        self.firmware = firmware
        self._bay = bay
        self._manners = manners
        self._potentiostat = Potentiostat(manners.model, bay.cell, bay.seed, bay.clock.now())
        self._memory = Memory(manners.model.memory)
        self._room = asyncio.Event()
        self._techniques: list[Technique | Loop] = []
        self._complete = False
        self._running: asyncio.Task[None] | None = None
        self._run: Run | None = None
        self._began = 0.0

    @property
    def running(self) -> bool:
        """Whether techniques are under way."""
        return self._running is not None and not self._running.done()

    def live(self) -> None:
        """Live up to now; while techniques are under way they see to that."""
        if not self.running:
            self._potentiostat.live_until(self._bay.clock.now())

    def load_firmware(self, force: bool) -> None:
        """Become able to run techniques, which ends what was running."""
        if self.firmware is Firmware.KERNEL and not force:
            return
        self.stop()
        self._techniques, self._complete, self.firmware = [], False, Firmware.KERNEL
        self._memory.clear()

    def load(self, name: str, raw: bytes, first: bool, last: bool) -> None:
        """Put a technique at the end of the list, a new one where it is the `first`."""
        self._need_firmware()
        if self.running:
            raise RefusalError(Code.CHANNEL_RUNNING)
        if first:
            self._techniques, self._complete = [], False
        if self._complete or (not first and not self._techniques) or len(self._techniques) >= MOST_TECHNIQUES:
            raise RefusalError(Code.INVALID_PARAMETERS)
        parameters = Parameters(self._technique(name), raw)
        self._techniques.append(self._made(parameters, len(self._techniques)))
        self._complete = last

    def update(self, index: int, name: str, raw: bytes) -> None:
        """Change parameters of a technique; a step under way that is too long by then ends."""
        if not 0 <= index < len(self._techniques):
            raise RefusalError(Code.INVALID_PARAMETERS)
        technique = self._techniques[index]
        if isinstance(technique, Loop) or technique.parameters.technique != self._technique(name):
            raise RefusalError(Code.UPDATE_PARAMETERS)
        technique.parameters.update(raw)
        technique.read()

    def technique_infos(self, index: int) -> bytes:
        """Return TTechniqueInfos without its pointers, and the parameters."""
        if not 0 <= index < len(self._techniques):
            raise RefusalError(Code.INVALID_PARAMETERS)
        parameters = self._techniques[index].parameters
        infos = IDENTIFIERS[parameters.technique], index, len(parameters.raw) // 76, 0
        return TECHNIQUE_INFOS.pack(*infos) + parameters.raw

    def start(self, tasks: asyncio.TaskGroup) -> None:
        """Run the list from its beginning."""
        self._need_firmware()
        if self.running:
            raise RefusalError(Code.CHANNEL_RUNNING)
        if not self._complete:
            raise RefusalError(Code.FUNCTION_FAILED)
        self.live()
        self._memory.clear()
        self._began = self._potentiostat.time
        self._running = tasks.create_task(self._experiment(), name=f"channel {self.number}")

    def stop(self) -> None:
        """Open the circuit, whatever is running."""
        if self._running is not None and self.running:
            self._running.cancel()
            self._potentiostat.live_until(self._bay.clock.now())
        self._running = None
        self._end()

    def infos(self) -> bytes:
        """Return TChannelInfos."""
        model = self._manners.model
        return CHANNEL_INFOS.pack(
            self.number,
            1,
            1000 + self._bay.seed % 1_000_000,
            self.firmware,
            504,
            0,
            0,
            1,
            0,
            1,
            0,
            0,
            model.memory,
            self._memory.filled,
            self._state,
            model.largest_range,
            model.smallest_range,
            model.largest_bandwidth,
            len(self._techniques),
        )

    def current_values(self) -> bytes:
        """Return TCurrentValues: the last sample while something runs, else the cell as it is."""
        self.live()
        model, sample, run = self._manners.model, self._potentiostat.latest, self._run
        if not self.running:
            sample = sample._replace(voltage=self._potentiostat.look().voltage, current=0.0)
        return CURRENT_VALUES.pack(
            self._state,
            self._memory.filled,
            model.time_base,
            sample.voltage,
            -model.volts,
            model.volts,
            0.0,
            -model.volts,
            model.volts,
            sample.voltage_overflow,
            sample.current,
            sample.current_range,
            sample.current_overflow,
            self._potentiostat.time - self._began if self.running else 0.0,
            run.frequency if run is not None else 0.0,
            0.0,
            0,
            0,
            0,
        )

    def data(self) -> bytes:
        """Return TDataInfos, TCurrentValues and the next rows."""
        values = self.current_values()  # first: a channel seen stopped has no more rows than these
        infos, words = self._memory.next()
        return infos + values + words

    def taken(self) -> None:
        """Note that the rows last sent have arrived."""
        self._memory.taken()
        self._room.set()

    @property
    def _state(self) -> State:
        return State.RUN if self.running else State.STOP

    def _need_firmware(self) -> None:
        if self.firmware is not Firmware.KERNEL:
            raise RefusalError(Code.ECLAB_FIRMWARE if self.firmware is Firmware.ECLAB else Code.NO_FIRMWARE)

    def _technique(self, name: str) -> str:
        """Return the technique in a file of that name, one for this board."""
        stem, dot, extension = name.rpartition(".")
        if not dot or extension != "ecc" or stem.rstrip("45") not in IDENTIFIERS:
            raise RefusalError(Code.FILE_MISSING)
        technique = stem.rstrip("45")
        if stem != technique + self._manners.model.suffix:
            raise RefusalError(Code.FILE_INCOMPATIBLE)
        return technique

    def _made(self, parameters: Parameters, index: int) -> Technique | Loop:
        if parameters.technique == "loop":
            return Loop.of(parameters, index)
        return KINDS[parameters.technique](parameters, self._manners.model)

    async def _experiment(self) -> None:
        """Go through the list."""
        turns = dict.fromkeys(range(len(self._techniques)), 0)
        index = loops = 0
        while index < len(self._techniques):
            technique = self._techniques[index]
            if isinstance(technique, Loop):
                again = technique.times < 0 or turns[index] < technique.times
                turns[index] = turns[index] + 1 if again else 0
                loops += again
                index = technique.target if again else index + 1
            elif await self._through(technique, index, loops) is Then.STOP:
                break
            else:
                index += 1
        self._end()

    async def _through(self, technique: Technique, index: int, loops: int) -> Then:
        potentiostat = self._potentiostat
        self._run = Run(
            potentiostat,
            self._memory,
            self._manners,
            self._bay.clock.speed,
            index,
            technique.identifier,
            loops,
            potentiostat.time,
            potentiostat.time - self._began,
        )
        for due in self._run.through(technique.way(self._run)):
            await self._wait_for_room()
            await self._bay.clock.reach(due)
        return self._run.then

    async def _wait_for_room(self) -> None:
        """Live no further than is looked at, where everybody's time does not see to that."""
        while self._bay.clock.speed != 1.0 and self._memory.count >= AHEAD:
            self._room.clear()
            await self._room.wait()

    def _end(self) -> None:
        self._potentiostat.disconnect()
        self._run = None
