"""A Bio-Logic instrument as EClib finds it: a chassis with channels, each with a cell."""

import asyncio
import struct
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import ClassVar, Literal
from urllib.parse import quote

from simulators.biologic.channel import Channel
from simulators.biologic.errors import Code, RefusalError
from simulators.biologic.library import library
from simulators.biologic.messages import Function, MessageError, Messages, Question, answer
from simulators.biologic.models import SP300, VMP3, Manners
from simulators.clock import Clock
from simulators.cycler import Bay, SimulatedCycler
from simulators.instrument import Stream

DEVICE_INFOS = struct.Struct("<11i")
HARDWARE = struct.Struct("<2i")
LOAD = struct.Struct("<BB64s")
UPDATE = struct.Struct("<i64s")

PLACES = 16


class BioLogic(SimulatedCycler):
    """A VMP3. What its clients load and start goes on without them."""

    name: ClassVar[str] = "biologic"
    wire: ClassVar[Literal["tcp", "pty"]] = "tcp"
    usual_channels: ClassVar[int] = 16
    manners: ClassVar[Manners] = Manners(model=VMP3)

    def __init__(self, bays: Sequence[Bay], clock: Clock) -> None:
        super().__init__(bays, clock)
        self.channels: Mapping[int, Channel] = {
            int(bay.place) - 1: Channel(bay, int(bay.place) - 1, self.manners) for bay in bays
        }
        self._clients = 0

    @classmethod
    def is_place(cls, place: str) -> bool:
        return place in map(str, range(1, cls.manners.model.channels + 1))

    @classmethod
    def address(cls, resource: str) -> str:
        _, host, port, _ = resource.split("::")
        return f"eclib://{host}:{port}?library={quote(library(), safe='/')}"

    def live(self) -> None:
        for channel in self.channels.values():
            channel.live()

    async def converse(self, stream: Stream) -> None:
        """Answer one connection until it is gone; what was started through it is seen to its end."""
        messages = Messages()
        self._clients += 1
        async with asyncio.TaskGroup() as tasks:
            try:
                with suppress(MessageError):  # as the real one, it hangs up on what it cannot read
                    while data := await stream.read():
                        for question in messages.feed(data):
                            if (said := self._answer(question, tasks)) is not None:
                                await stream.write(said)
            finally:
                self._clients -= 1

    def _answer(self, question: Question, tasks: asyncio.TaskGroup) -> bytes | None:
        """Return the answer to a question, None where it is none."""
        try:
            if question.function == Function.TOOK_DATA:
                self._channel(question).taken()
                return None
            return answer(Code.OK, self._results(question, tasks))
        except RefusalError as refusal:
            return answer(refusal.code)
        except struct.error:
            return answer(Code.INVALID_PARAMETERS)

    def _results(self, question: Question, tasks: asyncio.TaskGroup) -> bytes:
        arguments = question.arguments
        match question.function:
            case Function.CONNECT:
                return self._device_infos()
            case Function.DISCONNECT | Function.TEST_CONNECTION:
                return b""
            case Function.CHANNELS_PLUGGED:
                return bytes(number in self.channels for number in range(PLACES))
            case Function.LOAD_FIRMWARE:
                return self._load_firmware(arguments[:PLACES], bool(arguments[PLACES : PLACES + 1][0]))
            case Function.GET_HARD_CONF:
                self._channel(question)
                return HARDWARE.pack(0, 0)
            case Function.OPTION_ERROR | Function.TEST_SPEED:
                self._channel(question)
                return HARDWARE.pack(0, 0)
            case Function.MESSAGE:
                self._channel(question)
                return b""
        return self._of_channel(self._channel(question), question, tasks)

    def _of_channel(self, channel: Channel, question: Question, tasks: asyncio.TaskGroup) -> bytes:
        arguments = question.arguments
        told: Mapping[int, Callable[[], bytes]] = {
            Function.CHANNEL_INFOS: channel.infos,
            Function.CURRENT_VALUES: channel.current_values,
            Function.GET_DATA: channel.data,
            Function.BOARD_TYPE: lambda: struct.pack("<I", self.manners.model.board),
            Function.TECHNIQUE_INFOS: lambda: channel.technique_infos(*struct.unpack("<i", arguments)),
        }
        if question.function in told:
            return told[question.function]()
        match question.function:
            case Function.LOAD_TECHNIQUE:
                first, last, name = LOAD.unpack_from(arguments)
                channel.load(_text(name), arguments[LOAD.size :], bool(first), bool(last))
            case Function.UPDATE_PARAMETERS:
                index, name = UPDATE.unpack_from(arguments)
                channel.update(index, _text(name), arguments[UPDATE.size :])
            case Function.START:
                channel.start(tasks)
            case Function.STOP:
                channel.stop()
            case _:
                raise RefusalError(Code.NO_SUCH_RESPONSE)
        return b""

    def _channel(self, question: Question) -> Channel:
        channel = self.channels.get(question.channel)
        if channel is None:
            raise RefusalError(Code.CHANNEL_NOT_PLUGGED)
        return channel

    def _load_firmware(self, wanted: bytes, force: bool) -> bytes:
        results = [Code.OK] * PLACES
        for number, flag in enumerate(wanted):
            if flag and number not in self.channels:
                results[number] = Code.CHANNEL_NOT_PLUGGED
            elif flag:
                self.channels[number].load_firmware(force)
        return struct.pack(f"<{PLACES}i", *results)

    def _device_infos(self) -> bytes:
        model = self.manners.model
        count = len(self.channels)
        return DEVICE_INFOS.pack(
            model.device_code, 64, 0, count, model.channels, 1140, 2020, 1, 15, 0, self._clients
        )


class BioLogicSP300(BioLogic):
    """An SP-300 with PREMIUM boards: other technique files, other columns."""

    name: ClassVar[str] = "sp300"
    usual_channels: ClassVar[int] = 2
    manners: ClassVar[Manners] = Manners(model=SP300)


def _text(padded: bytes) -> str:
    return padded.split(b"\0", 1)[0].decode("latin-1")
