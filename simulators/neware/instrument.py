"""A rack of Neware channels behind the BTS Client of one PC, in API mode on TCP."""

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from typing import ClassVar, Literal
from xml.etree.ElementTree import Element

from simulators.clock import Clock
from simulators.cycler import Bay, SimulatedCycler
from simulators.instrument import Stream
from simulators.neware.answers import DEVICE_TYPE, Answers
from simulators.neware.channel import Channel, Test
from simulators.neware.wire import Requests, answer

DEVICE = 27
PER_SUBDEVICE = 8

PASSWORD = ("admin", "neware")


class Neware(SimulatedCycler):
    """Answers one request after the other. Commands it does not know, and what is no XML, get no answer.

    Places are called as the client shows them: device, sub-device, channel.
    """

    name: ClassVar[str] = "neware"
    wire: ClassVar[Literal["tcp", "socket", "pty"]] = "socket"

    def __init__(self, bays: Sequence[Bay], clock: Clock) -> None:
        super().__init__(bays, clock)
        self.channels = [Channel(bay.place, bay.cell, bay.clock, bay.seed) for bay in bays]
        self._answers = Answers(datetime.now())  # noqa: DTZ005  (the PC's own clock, as it shows it)
        self._tests = 0
        self._commands: dict[str, Callable[[Element], bytes]] = {
            "connect": self._connect,
            "getdevinfo": lambda request: self._answers.device_info(self.channels),
            "getchlstatus": lambda request: self._answers.status(self._asked(request, "status")),
            "inquire": lambda request: self._answers.inquire(self._asked(request, "inquire")),
            "inquiredf": lambda request: self._answers.inquire_data(self._asked(request, "chl")),
            "start": self._start,
            "stop": lambda request: self._each(request, "stop", Channel.stop),
            "broadcaststop": self._stop_all,
            "continue": lambda request: self._each(request, "continue", Channel.proceed),
            "goto": self._go_to,
            "light": self._light,
            "clearflag": lambda request: self._each(request, "clearflag", lambda channel: False),
            "resetalarm": lambda request: self._each(request, "resetalarm", lambda channel: False),
            "downloadStepLayer": self._step_layer,
            "downloadlog": self._log,
        }

    @classmethod
    def place(cls, position: int) -> str:
        return f"{DEVICE}-{position // PER_SUBDEVICE + 1}-{position % PER_SUBDEVICE + 1}"

    @classmethod
    def is_place(cls, place: str) -> bool:
        parts = place.split("-")
        return len(parts) == 3 and all(part.isdigit() and part.isascii() for part in parts)

    def live(self) -> None:
        for channel in self.channels:
            channel.live()

    async def converse(self, stream: Stream) -> None:
        requests = Requests()
        while data := await stream.read():
            for request in requests.feed(data):
                said = await self._answer(request)
                if said:
                    await stream.write(said)

    async def _answer(self, request: Element) -> bytes:
        command = request.findtext("cmd", "")
        if command == "download":
            return await self._download(request)
        for channel in self.channels:
            await channel.go_on()
        known = self._commands.get(command)
        return b"" if known is None else known(request)

    def _connect(self, request: Element) -> bytes:
        given = (request.findtext("username"), request.findtext("password"))
        return answer("connect_resp", f"<result>{'ok' if given == PASSWORD else 'false'}</result>")

    def _asked(self, request: Element, name: str) -> list[Channel]:
        return [channel for _, channel in self._named(request, name)]

    def _named(self, request: Element, name: str) -> Iterator[tuple[Element, Channel]]:
        """Yield each channel a request names, and the element that names it."""
        for element in request.iter(name):
            channel = self._channel(element)
            if channel is not None:
                yield element, channel

    def _channel(self, element: Element | None) -> Channel | None:
        if element is None or element.get("devtype") != str(DEVICE_TYPE):
            return None
        place = "-".join(element.get(part, "") for part in ("devid", "subdevid", "chlid"))
        return next((channel for channel in self.channels if channel.place == place), None)

    def _each(self, request: Element, command: str, act: Callable[[Channel], bool]) -> bytes:
        return self._answers.done(command, [(one, act(one)) for one in self._asked(request, command)])

    def _start(self, request: Element) -> bytes:
        outcomes = []
        for element, channel in self._named(request, "start"):
            good = channel.start(self._tests + 1, element.get("barcode", ""), (element.text or "").strip())
            self._tests += good
            outcomes.append((channel, good))
        return self._answers.done("start", outcomes)

    def _stop_all(self, request: Element) -> bytes:
        named = request.find(".//stop")
        device = "" if named is None else named.get("devid", "")
        mine = [channel for channel in self.channels if channel.place.split("-")[0] == device]
        return self._answers.done("broadcaststop", [(channel, channel.stop()) for channel in mine])

    def _go_to(self, request: Element) -> bytes:
        outcomes = [
            (channel, channel.go_to(int(element.get("step", "0"))))
            for element, channel in self._named(request, "goto")
            if element.get("step", "").isdigit()
        ]
        return self._answers.done("goto", outcomes)

    def _light(self, request: Element) -> bytes:
        outcomes = []
        for element, channel in self._named(request, "light"):
            channel.lit = element.text == "true"
            outcomes.append((channel, True))
        return self._answers.done("light", outcomes)

    async def _download(self, request: Element) -> bytes:
        element = request.find("download")
        channel = self._channel(element)
        if element is None or channel is None:
            return b""
        try:
            start, count = int(element.get("startpos", "1")), int(element.get("count", "0"))
        except ValueError:
            return b""
        test = _test(channel, element)
        if test is channel.test:
            await channel.take(start + count - 1)
        return self._answers.download(channel, test, start, count)

    def _step_layer(self, request: Element) -> bytes:
        element = request.find("downloadStepLayer")
        channel = self._channel(element)
        if element is None or channel is None:
            return b""
        return self._answers.step_layer(channel, _test(channel, element))

    def _log(self, request: Element) -> bytes:
        element = request.find("download")
        channel = self._channel(element)
        if element is None or channel is None:
            return b""
        return self._answers.log(channel, _test(channel, element))


def _test(channel: Channel, element: Element) -> Test | None:
    """Return the test a request means; 0 is the present one."""
    wanted = element.get("testid", "0")
    if wanted == "0":
        return channel.test
    return next((test for test in channel.tests if str(test.number) == wanted), None)
