"""The SYSTem, STATus, ROUTe and DISPlay subsystems and the commands common to all instruments."""

from collections.abc import Iterator

from simulators.keithley2400.sourcemeter import SourceMeter
from simulators.keithley2400.trigger import Memory, Triggering
from simulators.scpi import Boolean, Command, Integer, Number, Setting, setting
from simulators.scpi.setting import exactly

BUFFER_FULL = 512
"""Bit of the measurement event register."""


class System:
    """Identity, errors, status and the commands common to all instruments."""

    def __init__(self, smu: SourceMeter, triggering: Triggering, memory: Memory, serial: str) -> None:
        self._smu = smu
        self._triggering = triggering
        self._memory = memory
        self._serial = serial
        self._event_enable = Setting(Integer(0, 255, 0), 0)
        self._request_enable = Setting(Integer(0, 255, 0), 0)
        self._measurement_enable = Setting(Integer(0, 65535, 0), 0)

    def commands(self) -> Iterator[Command]:
        settings = self._smu.settings
        yield from self._common()
        yield Command(":SYSTem:ERRor[:NEXT]", query=lambda _: self._next_error())
        yield Command(":SYSTem:ERRor:COUNt", query=lambda _: str(len(self._smu.errors)))
        yield Command(":SYSTem:CLEar", write=lambda _: self._smu.errors.clear())
        yield setting(":SYSTem:RSENse", settings.remote)
        yield setting(":SYSTem:AZERo[:STATe]", settings.autozero)
        yield setting(":SYSTem:LFRequency", Setting(Integer(50, 60, 50), round(self._smu.line_frequency)))
        yield setting(":SYSTem:LFRequency:AUTO", Setting(Boolean(), True))
        yield Command(":SYSTem:TIME:RESet", write=lambda _: self._reset_clock())
        yield Command(":SYSTem:BEEPer[:IMMediate]", write=_beep)
        yield setting(":SYSTem:BEEPer:STATe", Setting(Boolean(), True))
        for word in (":SYSTem:LOCal", ":SYSTem:REMote", ":STATus:PRESet"):
            yield Command(word, write=lambda p: _nothing(p))
        yield Command(":STATus:MEASurement[:EVENt]", query=lambda _: str(self._measurement_events()))
        yield setting(":STATus:MEASurement:ENABle", self._measurement_enable)
        yield Command(":STATus:QUEue[:NEXT]", query=lambda _: self._next_error())
        yield setting(":ROUTe:TERMinals", settings.terminals)
        yield setting(":DISPlay:ENABle", Setting(Boolean(), True))
        yield setting(":DISPlay:DIGits", Setting(Integer(4, 7, 6), 6))

    def _common(self) -> Iterator[Command]:
        firmware = "C33   Mar 31 2015 09:32:39/A02  /H/J"
        identity = f"KEITHLEY INSTRUMENTS INC.,MODEL 2400,{self._serial},{firmware}"
        yield Command("*IDN", query=lambda _: identity)
        yield Command("*RST", write=lambda _: self._reset())
        yield Command("*CLS", write=lambda _: self._clear_status())
        yield Command("*ESR", query=lambda _: self._take_event_status())
        yield setting("*ESE", self._event_enable)
        yield setting("*SRE", self._request_enable)
        yield Command("*STB", query=lambda _: str(self._status_byte()))
        yield Command("*OPC", write=self._operation_complete, query=self._when_complete)
        yield Command("*WAI", write=self._wait)
        yield Command("*TST", query=lambda _: "0")

    def _next_error(self) -> str:
        if not self._smu.errors:
            return '0,"No error"'
        error = self._smu.errors.popleft()
        return f'{error.code:+d},"{error.text}"'

    def _reset(self) -> None:
        self._triggering.reset()
        self._memory.reset()
        self._smu.settings.reset()

    def _reset_clock(self) -> None:
        self._smu.clock_zero = self._smu.lived

    def _clear_status(self) -> None:
        self._smu.errors.clear()
        self._smu.event_status = 0

    def _take_event_status(self) -> str:
        status, self._smu.event_status = self._smu.event_status, 0
        return str(status)

    def _measurement_events(self) -> int:
        return BUFFER_FULL if self._memory.full else 0

    def _status_byte(self) -> int:
        """Measurement summary 1, error available 4, event summary 32, master summary 64."""
        byte = 1 if self._measurement_events() & self._measurement_enable.value else 0
        byte |= 4 if self._smu.errors else 0
        byte |= 32 if self._smu.event_status & self._event_enable.value else 0
        return byte | (64 if byte & self._request_enable.value else 0)

    async def _operation_complete(self, parameters: tuple[str, ...]) -> None:
        await self._wait(parameters)
        self._smu.event_status |= 1

    async def _when_complete(self, parameters: tuple[str, ...]) -> str:
        await self._wait(parameters)
        return "1"

    async def _wait(self, parameters: tuple[str, ...]) -> None:
        exactly(0, parameters)
        await self._triggering.finish()


def _beep(parameters: tuple[str, ...]) -> None:
    frequency, duration = exactly(2, parameters)
    Number(65.0, 2e6, 1e3).parse(frequency)
    Number(0.0, 7.9, 1.0).parse(duration)


def _nothing(parameters: tuple[str, ...]) -> None:
    """Nothing of it can be seen from outside."""
    exactly(0, parameters)
