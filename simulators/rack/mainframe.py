"""A rack of source-measure channels, as mainframes with channel lists are: plain SCPI on a raw socket.

It is nobody's product: the smallest instrument of its kind, so that load can be put on everything
behind it. One question reads every channel: `MEAS? (@1:64)` is answered by the time in seconds at
which the first was measured, the volts, the amperes, and a letter for each channel (see `Slot`),
with semicolons between the four.

`SAMP:TIM 0.01` has the rack measure every channel by itself, each so many seconds, and remember a
thousand samples; `SAMP:DATA? 7,(@1:64)` tells those numbered above 7, a hundred at most: the number
of the first (0 where there is none), the moments, then volts, amperes and letters, sample after
sample. Setting the timer anew forgets them, and counts from 1. Asking for them is looking after the cells.
"""

import asyncio
import math
import random
from collections.abc import Callable, Iterator, Sequence
from typing import ClassVar, Literal

from simulators.clock import Clock
from simulators.cycler import Bay, SimulatedCycler
from simulators.instrument import Stream
from simulators.lines import Lines, LineTooLongError
from simulators.rack.channel_list import channel_list
from simulators.rack.samples import Sample, Samples
from simulators.rack.slot import AMPERES, VOLTS, Setting, Slot, Window
from simulators.scpi import Boolean, Choice, Command, EventQueue, Front, Kind, Number, ScpiError, Tree
from simulators.scpi.errors import Event

FUNCTION = Choice("RESt", "CURRent", "VOLTage")
LEVEL = Number(-VOLTS, VOLTS, 0.0)
CLAMP = Number(1e-6, VOLTS, VOLTS)
EDGE = Number(-VOLTS, VOLTS, VOLTS)
MOST = Number(1e-6, AMPERES, AMPERES)
WATCHDOG = Number(0.0, 3600.0, 0.0)
RELAY = Boolean()
TIMER = Number(0.0, 10.0, 0.0)
FASTEST = 1e-3
"""Seconds between two samples at least."""

Parameters = tuple[str, ...]


class Rack(SimulatedCycler):
    """Each slot has its own cell; what is asked of several is done slot by slot, in the order asked."""

    name: ClassVar[str] = "rack"
    wire: ClassVar[Literal["tcp", "pty"]] = "tcp"
    usual_channels: ClassVar[int] = 64

    def __init__(self, bays: Sequence[Bay], clock: Clock) -> None:
        super().__init__(bays, clock)
        self._slots = [Slot(bay.cell, bay.clock.now, bay.seed) for bay in bays]
        self._index = {int(bay.place): index for index, bay in enumerate(bays)}
        self._serial = str(random.Random(bays[0].seed).randrange(1_000_000, 10_000_000))
        self._events = EventQueue()
        self._samples = Samples()
        self._front = Front(Tree(self._commands()), self._sample, self._refuse)
        self._one_line = asyncio.Lock()

    @classmethod
    def is_place(cls, place: str) -> bool:
        return place.isascii() and place.isdigit() and 0 < int(place) <= 9999

    def live(self) -> None:
        for slot in self._slots:
            slot.live()

    async def converse(self, stream: Stream) -> None:
        lines = Lines(stream)
        while True:
            try:
                line = await lines.read()
            except LineTooLongError:
                self._refuse(ScpiError(-363))
                continue
            if line is None:
                return
            async with self._one_line:
                answer = await self._front.answer(line.decode("latin-1"))
            if answer is not None:
                await stream.write(answer.encode("latin-1") + b"\n")

    def _commands(self) -> Iterator[Command]:
        identity = f"GALVANOD,SIMULATED RACK,{self._serial},1.0"
        yield Command("*IDN", query=lambda _: identity)
        yield Command("*CLS", write=lambda _: self._events.clear())
        yield Command(":SYSTem:ERRor[:NEXT]", query=lambda _: self._next_error())
        yield Command(":SYSTem:ERRor:COUNt", query=lambda _: str(self._events.count()))
        yield Command(":SYSTem:CHANnel", query=lambda _: ",".join(map(str, self._index)))
        yield Command(":APPLy", write=self._apply, query=self._each(_shown_setting))
        yield Command(":OUTPut[:STATe]", write=self._switch, query=self._each(lambda slot: slot.letter))
        yield Command(":OUTPut:WINDow", write=self._bound, query=self._each(_shown_window))
        yield Command(":OUTPut:WATChdog", write=self._watch, query=self._each(_shown_watchdog))
        yield Command(":MEASure", query=self._measure)
        yield Command(":SAMPle:TIMer", write=self._set_timer, query=lambda _: f"{self._samples.seconds:.6f}")
        yield Command(":SAMPle:DATA", query=self._sampled)

    def _apply(self, parameters: Parameters) -> None:
        function, level, clamp, *rest = _at_least(4, parameters)
        setting = Setting(FUNCTION.parse(function), LEVEL.parse(level), CLAMP.parse(clamp))
        if setting.function == "CURR" and abs(setting.level) > AMPERES:
            raise ScpiError(-222)
        for slot in self._listed(rest):
            slot.set(setting)

    def _switch(self, parameters: Parameters) -> None:
        state, *rest = _at_least(2, parameters)
        closing = RELAY.parse(state)
        for slot in self._listed(rest):
            if closing:
                slot.close()
            else:
                slot.open()

    def _bound(self, parameters: Parameters) -> None:
        low, high, amperes, *rest = _at_least(4, parameters)
        window = Window(EDGE.parse(low), EDGE.parse(high), MOST.parse(amperes))
        for slot in self._listed(rest):
            slot.live()
            slot.window = window

    def _watch(self, parameters: Parameters) -> None:
        text, *rest = _at_least(2, parameters)
        seconds = WATCHDOG.parse(text)
        for slot in self._listed(rest):
            slot.live()
            slot.watchdog = seconds or math.inf

    def _measure(self, parameters: Parameters) -> str:
        slots = self._listed(parameters)
        volts, amperes = zip(*[slot.measure() for slot in slots], strict=True)
        letters = "".join([slot.letter for slot in slots])
        return f"{slots[0].lived:.6f};{_numbers(volts)};{_numbers(amperes)};{letters}"

    def _set_timer(self, parameters: Parameters) -> None:
        seconds = TIMER.parse(_at_least(1, parameters)[0])
        if 0.0 < seconds < FASTEST:
            raise ScpiError(-222)
        self._samples.set(seconds, self.clock.now())

    def _sample(self) -> None:
        """Take the samples that were due by now, before anything else is done to a cell."""
        now = self.clock.now()
        for moment in self._samples.due(now):
            pairs = [slot.measured(now - moment) for slot in self._slots]
            volts, amperes = zip(*pairs, strict=True)
            letters = "".join([slot.letter for slot in self._slots])
            self._samples.take(Sample(self._slots[0].lived, volts, amperes, letters))

    def _sampled(self, parameters: Parameters) -> str:
        after, *rest = _at_least(2, parameters)
        if not after.isascii() or not after.isdigit():
            raise ScpiError(-104)
        slots = self._listed(rest)
        for slot in slots:
            slot.heard()
        first, samples = self._samples.after(int(after))
        moments = ",".join([f"{sample.moment:.6f}" for sample in samples])
        if len(slots) < len(self._slots):
            samples = [_of(sample, self._positions(rest)) for sample in samples]
        volts = ",".join([_numbers(sample.volts) for sample in samples])
        amperes = ",".join([_numbers(sample.amperes) for sample in samples])
        return f"{first};{moments};{volts};{amperes};{''.join([sample.letters for sample in samples])}"

    def _each(self, shown: Callable[[Slot], str]) -> Callable[[Parameters], str]:
        def answer(parameters: Parameters) -> str:
            slots = self._listed(parameters)
            for slot in slots:
                slot.live()
            return ",".join([shown(slot) for slot in slots])

        return answer

    def _listed(self, parameters: Sequence[str]) -> list[Slot]:
        """Return the slots of a channel list. Raises `ScpiError`."""
        return [self._slots[position] for position in self._positions(parameters)]

    def _positions(self, parameters: Sequence[str]) -> list[int]:
        try:
            return [self._index[number] for number in channel_list(tuple(parameters))]
        except KeyError as error:
            raise ScpiError(-222) from error

    def _refuse(self, error: ScpiError) -> None:
        self._events.add(Event(error.code, error.text, Kind.ERROR, f"{self.clock.now():.3f}"))

    def _next_error(self) -> str:
        event = self._events.next()
        return '0,"No error"' if event is None else f'{event.code},"{event.text}"'


def _numbers(values: Sequence[float]) -> str:
    return ",".join([f"{value:.7g}" for value in values])


def _of(sample: Sample, positions: Sequence[int]) -> Sample:
    volts = [sample.volts[position] for position in positions]
    amperes = [sample.amperes[position] for position in positions]
    return Sample(
        sample.moment, volts, amperes, "".join([sample.letters[position] for position in positions])
    )


def _at_least(count: int, parameters: Parameters) -> Parameters:
    if len(parameters) < count:
        raise ScpiError(-109)
    return parameters


def _shown_setting(slot: Slot) -> str:
    function, level, clamp = slot.setting
    return f"{function},{level:.6E},{clamp:.6E}"


def _shown_window(slot: Slot) -> str:
    return ",".join(f"{value:.6E}" for value in slot.window)


def _shown_watchdog(slot: Slot) -> str:
    return f"{0.0 if math.isinf(slot.watchdog) else slot.watchdog:.3f}"
