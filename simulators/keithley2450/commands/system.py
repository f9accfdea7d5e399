"""The SYSTem, STATus and ROUTe subsystems and the commands common to all instruments (IEEE 488.2)."""

from collections.abc import Iterator

from simulators.clock import Clock
from simulators.keithley2450.sourcemeter import SourceMeter
from simulators.keithley2450.trigger import TriggerModel
from simulators.scpi import Choice, Command, Integer, Kind, Number, ScpiError, Setting, setting
from simulators.scpi.errors import NO_EVENT, Event
from simulators.scpi.setting import exactly

LONGEST_WAIT = 100e3
"""Seconds *OPC? and *WAI wait for a trigger model: the longest a DurationLoop can be."""

EVENT_KINDS = {"ERR": Kind.ERROR, "WARN": Kind.WARNING, "INF": Kind.INFORMATION}

EVENT_COUNT = Choice("ERRor", "WARNing", "INFormation", "ALL")


class System:
    """Identity, events, status and waiting."""

    def __init__(self, smu: SourceMeter, clock: Clock, trigger: TriggerModel, serial: str) -> None:
        self._smu = smu
        self._clock = clock
        self._trigger = trigger
        self._serial = serial
        self._event_enable = Setting(Integer(0, 255, 0), 0)
        self._request_enable = Setting(Integer(0, 255, 0), 0)
        self._language = Setting(Choice("SCPI", "TSP", "SCPI2400"), "SCPI")

    def commands(self) -> Iterator[Command]:
        yield from self._common()
        yield from self._events()
        yield Command(":SYSTem:LFRequency", query=lambda _: f"{self._smu.line_frequency:.0f}")
        yield Command(":SYSTem:BEEPer[:IMMediate]", write=_beep)
        yield Command(":SYSTem:TIME", query=lambda _: self._smu.timestamp(self._smu.lived))
        yield Command(":STATus:PRESet", write=lambda p: _nothing(p))
        yield Command(":STATus:CLEar", write=lambda _: self._clear_status())
        yield setting(":ROUTe:TERMinals", self._smu.settings.terminals)

    def _common(self) -> Iterator[Command]:
        yield Command("*IDN", query=lambda _: self._identity())
        yield Command("*RST", write=lambda _: self._reset())
        yield Command("*CLS", write=lambda _: self._clear_status())
        yield Command("*ESR", query=lambda _: self._take_event_status())
        yield setting("*ESE", self._event_enable)
        yield setting("*SRE", self._request_enable)
        yield Command("*STB", query=lambda _: str(self._status_byte()))
        yield Command("*OPC", write=self._operation_complete, query=self._when_complete)
        yield Command("*WAI", write=self._wait)
        yield Command("*TRG", write=lambda p: _nothing(p))
        yield Command("*TST", query=lambda _: "0")
        yield Command("*LANG", self._language.write, lambda _: "SCPI")  # another needs a power cycle

    def _events(self) -> Iterator[Command]:
        events = self._smu.events
        yield Command(":SYSTem:ERRor[:NEXT]", query=lambda _: _shown(events.next(Kind.ERROR)))
        yield Command(":SYSTem:ERRor:COUNt", query=lambda _: str(events.count(Kind.ERROR)))
        yield Command(":SYSTem:ERRor:CODE[:NEXT]", query=lambda _: _code(events.next(Kind.ERROR)))
        yield Command(":SYSTem:EVENtlog:NEXT", query=lambda _: _shown(events.next()))
        yield Command(":SYSTem:EVENtlog:COUNt", query=self._count)
        yield Command(":SYSTem:CLEar", write=lambda _: events.clear())

    def _identity(self) -> str:
        model = self._smu.model
        return f"KEITHLEY INSTRUMENTS,MODEL {model.number},{self._serial},{model.firmware}"

    def _reset(self) -> None:
        self._trigger.abort()
        self._trigger.load(())
        self._smu.reset()

    def _clear_status(self) -> None:
        self._smu.events.clear()
        self._smu.event_status = 0

    def _take_event_status(self) -> str:
        status, self._smu.event_status = self._smu.event_status, 0
        return str(status)

    def _status_byte(self) -> int:
        """Error available 4, event summary 32, master summary 64 (2450 manual, appendix C)."""
        byte = 4 if self._smu.events.count(Kind.ERROR) else 0
        byte |= 32 if self._smu.event_status & self._event_enable.value else 0
        return byte | (64 if byte & self._request_enable.value else 0)

    def _count(self, parameters: tuple[str, ...]) -> str:
        kind = EVENT_COUNT.parse(parameters[0]) if parameters else "ALL"
        return str(self._smu.events.count(EVENT_KINDS.get(kind)))

    async def _operation_complete(self, parameters: tuple[str, ...]) -> None:
        await self._wait(parameters)
        self._smu.event_status |= 1

    async def _when_complete(self, parameters: tuple[str, ...]) -> str:
        await self._wait(parameters)
        return "1"

    async def _wait(self, parameters: tuple[str, ...]) -> None:
        """Return once the trigger model is done. Raises `ScpiError` -365 if it goes on and on."""
        exactly(0, parameters)
        patience = self._smu.lived + LONGEST_WAIT
        while self._trigger.running:
            if self._trigger.next_moment > patience or self._trigger.spinning:
                raise ScpiError(-365, "Time out error")
            moment = self._trigger.next_moment
            await self._clock.reach(moment)
            self._trigger.live(moment)


def _shown(event: Event | None) -> str:
    return NO_EVENT if event is None else str(event)


def _code(event: Event | None) -> str:
    return "0" if event is None else str(event.code)


def _beep(parameters: tuple[str, ...]) -> None:
    frequency, duration = exactly(2, parameters)
    Number(20.0, 20e3, 1e3).parse(frequency)
    Number(1e-3, 100.0, 1.0).parse(duration)


def _nothing(parameters: tuple[str, ...]) -> None:
    """Nothing of it can be seen from outside."""
    exactly(0, parameters)
