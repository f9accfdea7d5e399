"""EClib as calls: one connection to one instrument. Blocking, and for one thread only.

Channels are counted from 0 here, as the library counts them.
"""

from collections.abc import Mapping, Sequence
from ctypes import byref, c_float, c_int32, c_uint8, c_uint32, create_string_buffer
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from drivers import eclib_errors
from drivers.eclib_library import Function
from drivers.eclib_structs import (
    CHANNELS,
    DATA_WORDS,
    ChannelInfos,
    CurrentValues,
    DataInfos,
    DeviceInfos,
    EccParam,
    EccParams,
    TechniqueInfos,
)
from drivers.eclib_technique import NAMES, Technique, parameters_from
from drivers.errors import LinkError

MOST_MESSAGES = 20
MESSAGE_BYTES = 4096
MOST_PARAMETERS = 500


@dataclass(frozen=True, slots=True)
class Block:
    """One answer of `BL_GetData`: rows of words with what they are, and the values of that instant."""

    infos: DataInfos
    words: NDArray[np.uint32]
    values: CurrentValues


class Eclib:
    """Every failure is a `LinkError` where asking again may help, else a `RefusedError`, in words."""

    def __init__(self, functions: Mapping[str, Function], address: str, seconds: int) -> None:
        """`seconds` is how long the library waits for an answer of the instrument."""
        self._functions = functions
        self._address = address
        self._seconds = seconds
        self._id: int | None = None
        self.device = DeviceInfos()
        """What kind of instrument answered when it was last connected to."""
        self._words = (c_uint32 * DATA_WORDS)()

    @property
    def connected(self) -> bool:
        """Whether there is a connection, as far as the last call told."""
        return self._id is not None

    def connect(self) -> None:
        """Connect, or connect anew."""
        self.disconnect()
        number, infos = c_int32(), DeviceInfos()
        self._call("BL_Connect", self._address.encode("ascii"), self._seconds, byref(number), byref(infos))
        self._id, self.device = number.value, infos

    def disconnect(self) -> None:
        """Let go of the instrument; what it runs it goes on running."""
        number, self._id = self._id, None
        if number is not None:
            self._functions["BL_Disconnect"](number)  # gone is gone, whatever it answers

    def plugged(self) -> list[int]:
        """Return the channels that are there."""
        flags = (c_uint8 * CHANNELS)()
        self._ask("BL_GetChannelsPlugged", flags, CHANNELS)
        return [channel for channel, flag in enumerate(flags) if flag]

    def channel_infos(self, channel: int) -> ChannelInfos:
        """Return what the channel is and does."""
        infos = ChannelInfos()
        self._ask("BL_GetChannelInfos", channel, byref(infos))
        return infos

    def board_type(self, channel: int) -> int:
        """Return which kind of board the channel has."""
        board = c_uint32()
        self._ask("BL_GetChannelBoardType", channel, byref(board))
        return board.value

    def load_firmware(self, channel: int, kernel: str, fpga: str) -> None:
        """Give the channel the firmware techniques run on. It ends whatever the channel was doing."""
        channels, results = (c_uint8 * CHANNELS)(), (c_int32 * CHANNELS)()
        channels[channel] = 1
        files = kernel.encode("ascii"), fpga.encode("ascii")
        self._ask("BL_LoadFirmware", channels, results, CHANNELS, False, True, *files)
        self._check("BL_LoadFirmware", results[channel])

    def load(self, channel: int, techniques: Sequence[Technique], suffix: str) -> None:
        """Replace what the channel holds by these techniques, linked; `suffix` is its board's."""
        for place, technique in enumerate(techniques):
            last = place == len(techniques) - 1
            params = self._params(technique)
            name = f"{technique.name}{suffix}.ecc".encode("ascii")
            self._ask("BL_LoadTechnique", channel, name, params, place == 0, last, False)

    def update(self, channel: int, index: int, technique: Technique, suffix: str) -> None:
        """Change the parameters of a technique the channel holds, while it runs too."""
        name = f"{technique.name}{suffix}.ecc".encode("ascii")
        self._ask("BL_UpdateParameters", channel, index, byref(self._params(technique)), name)

    def held(self, channel: int) -> list[tuple[int, Technique | None]]:
        """Return the techniques the channel holds: their numbers, and themselves where they are known."""
        return [self._held(channel, index) for index in range(self.channel_infos(channel).NbOfTechniques)]

    def start(self, channel: int) -> None:
        """Start what is loaded."""
        self._ask("BL_StartChannel", channel)

    def stop(self, channel: int) -> None:
        """Stop, which disconnects the cell."""
        self._ask("BL_StopChannel", channel)

    def current_values(self, channel: int) -> CurrentValues:
        """Return what the channel does and measures at this instant."""
        values = CurrentValues()
        self._ask("BL_GetCurrentValues", channel, byref(values))
        return values

    def data(self, channel: int) -> Block:
        """Take the next rows out of the channel's memory; none is an answer too."""
        infos, values = DataInfos(), CurrentValues()
        self._ask("BL_GetData", channel, self._words, byref(infos), byref(values))
        count = infos.NbRows * infos.NbCols
        if not (infos.NbRows >= 0 and infos.NbCols >= 0 and count <= DATA_WORDS):
            raise LinkError(f"BL_GetData told of {infos.NbRows} rows of {infos.NbCols} columns")
        return Block(
            infos, np.frombuffer(memoryview(self._words).cast("B"), dtype="<u4", count=count).copy(), values
        )

    def messages(self, channel: int) -> list[str]:
        """Return what the channel's firmware had to say since the last time."""
        found: list[str] = []
        while len(found) < MOST_MESSAGES:
            text, size = create_string_buffer(MESSAGE_BYTES), c_uint32(MESSAGE_BYTES)
            self._ask("BL_GetMessage", channel, text, byref(size))
            if not text.value:
                break
            found.append(text.value.decode("latin-1").strip())
        return found

    def single(self, word: int, board: int) -> float:
        """Return a word of data as the library itself reads it for that kind of board."""
        value = c_float()
        self._call("BL_ConvertChannelNumericIntoSingle", word, byref(value), board)
        return value.value

    def _params(self, technique: Technique) -> EccParams:
        array = (EccParam * len(technique.parameters))()
        for place, one in zip(array, technique.parameters, strict=True):
            kind = "Bool" if isinstance(one.value, bool) else "Int" if isinstance(one.value, int) else "Sgl"
            label = one.label.encode("ascii")
            self._call(f"BL_Define{kind}Parameter", label, one.value, one.index, byref(place))
        return EccParams(len(array), array)  # which keeps the array alive

    def _held(self, channel: int, index: int) -> tuple[int, Technique | None]:
        infos = TechniqueInfos()
        self._ask("BL_GetTechniqueInfos", channel, index, byref(infos))
        name = NAMES.get(infos.Id)
        if name is None or not 0 <= infos.nbParams <= MOST_PARAMETERS or not infos.Params:
            return infos.Id, None
        return infos.Id, Technique(name, parameters_from(infos.Params[: infos.nbParams]))

    def _ask(self, function: str, *arguments: object) -> None:
        """Call a function of the connection."""
        if self._id is None:
            raise LinkError(f"{function}: {eclib_errors.meaning(-1)}")
        self._call(function, self._id, *arguments)

    def _call(self, function: str, *arguments: object) -> None:
        self._check(function, self._functions[function](*arguments))

    def _check(self, function: str, code: int) -> None:
        if code in eclib_errors.CONNECTION_LOST:
            self.disconnect()
        if code != 0:
            raise eclib_errors.error(function, code)
