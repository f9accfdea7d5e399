"""READ?, MEASure? and FETCh?, and the TRACe subsystem: readings and where they are kept."""

from collections.abc import Callable, Iterator

from simulators.clock import Clock
from simulators.keithley2450.buffers import MOST_READINGS, Buffer, Statistics
from simulators.keithley2450.elements import answer, wanted_elements
from simulators.keithley2450.sourcemeter import SourceMeter
from simulators.keithley2450.trigger import TriggerModel
from simulators.scpi import Choice, Command, Integer, Name, ScpiError, setting
from simulators.scpi.setting import exactly, only
from simulators.scpi.tree import Act

DEFAULT_BUFFER = '"defbuffer1"'

FILL_MODE = Choice("CONTinuous", "ONCE")

FIGURES: dict[str, Callable[[Statistics], float]] = {
    "AVERage": Statistics.average,
    "STDDev": Statistics.deviation,
    "MAXimum": Statistics.maximum,
    "MINimum": Statistics.minimum,
    "PK2Pk": Statistics.span,
    "SPAN": Statistics.span,
}


class Readings:
    """Takes readings in the instrument's own time and answers from buffers."""

    def __init__(self, smu: SourceMeter, clock: Clock, trigger: TriggerModel) -> None:
        self._smu = smu
        self._clock = clock
        self._trigger = trigger
        self._names = Name(lambda name: name in smu.buffers)
        self._capacity = Integer(10, MOST_READINGS, 100_000)

    def commands(self) -> Iterator[Command]:
        smu = self._smu
        yield Command(":READ", query=self._read)
        yield Command(":MEASure", query=self._read)
        for word, function in (("CURRent[:DC]", "CURR"), ("VOLTage[:DC]", "VOLT"), ("RESistance", "RES")):
            yield Command(f":MEASure:{word}", query=self._measuring(function))
        yield Command(":FETCh", query=self._fetch)
        yield setting(":FORMat[:DATA]", smu.settings.format)
        yield setting(":FORMat:ASCii:PRECision", smu.settings.precision)
        yield Command(":TRACe:MAKE", write=self._make)
        yield Command(":TRACe:DELete", write=self._delete)
        yield Command(":TRACe:CLEar", write=lambda p: self._buffer(p).clear())
        yield Command(":TRACe:ACTual", query=lambda p: str(len(self._buffer(p))))
        yield Command(":TRACe:ACTual:STARt", query=lambda p: str(self._buffer(p).first))
        yield Command(":TRACe:ACTual:END", query=lambda p: str(self._buffer(p).last))
        yield Command(":TRACe:DATA", query=self._data)
        yield Command(":TRACe:POINts", self._set_points, lambda p: str(self._buffer(p).capacity))
        yield Command(":TRACe:FILL:MODE", self._set_fill, self._fill)
        yield Command(":TRACe:TRIGger", write=self._trigger_readings)
        yield from self._statistics()

    def _statistics(self) -> Iterator[Command]:
        for word, figure in FIGURES.items():
            yield Command(f":TRACe:STATistics:{word}", query=self._answering(figure))

    def _answering(self, figure: Callable[[Statistics], float]) -> Act:
        return lambda p: f"{figure(Statistics(self._buffer(p))):.6E}"

    async def _read(self, parameters: tuple[str, ...]) -> str:
        """Take COUNt readings and answer the last."""
        buffer, elements = self._buffer(parameters[:1]), wanted_elements(parameters[1:])
        await self._take(buffer)
        return self._last(buffer, elements)

    def _measuring(self, function: str) -> Act:
        """Return a READ? that first changes to `function`, for good."""

        async def measure(parameters: tuple[str, ...]) -> str:
            self._smu.settings.sense_function.value = function
            return await self._read(parameters)

        return measure

    async def _take(self, buffer: Buffer) -> None:
        if self._trigger.running:
            raise ScpiError(-213)
        for number in range(self._smu.settings.count.value):
            end = self._smu.lived + self._smu.measurement_seconds()
            await self._clock.reach(end)
            buffer.append(self._smu.take(end, start_group=number == 0))

    async def _trigger_readings(self, parameters: tuple[str, ...]) -> None:
        await self._take(self._buffer(parameters))

    def _fetch(self, parameters: tuple[str, ...]) -> str:
        return self._last(self._buffer(parameters[:1]), wanted_elements(parameters[1:]))

    def _data(self, parameters: tuple[str, ...]) -> str:
        """Answer readings from one number to another."""
        if len(parameters) < 2:
            raise ScpiError(-109)
        first, last = (self._number(text) for text in parameters[:2])
        buffer, elements = self._buffer(parameters[2:3]), wanted_elements(parameters[3:])
        if last < first:
            raise ScpiError(-222)
        readings = [buffer.get(number) for number in range(first, last + 1)]
        return ",".join(answer(one, buffer, elements, self._precision) for one in readings)

    def _number(self, text: str) -> int:
        return Integer(1, 2**31 - 1, 1).parse(text)

    def _last(self, buffer: Buffer, elements: tuple[str, ...]) -> str:
        if not buffer.last:
            raise ScpiError(-230)
        return answer(buffer.get(buffer.last), buffer, elements, self._precision)

    @property
    def _precision(self) -> int:
        return self._smu.settings.precision.value

    def _buffer(self, parameters: tuple[str, ...]) -> Buffer:
        """Return the buffer named, defbuffer1 if none is. Raises `ScpiError` -108 or -224."""
        if len(parameters) > 1:
            raise ScpiError(-108)
        return self._smu.buffers[self._names.parse(parameters[0] if parameters else DEFAULT_BUFFER)]

    def _make(self, parameters: tuple[str, ...]) -> None:
        name, capacity = exactly(2, parameters)
        self._smu.buffers.make(Name().parse(name), self._capacity.parse(capacity))

    def _delete(self, parameters: tuple[str, ...]) -> None:
        self._smu.buffers.delete(self._names.parse(only(parameters)))

    def _set_points(self, parameters: tuple[str, ...]) -> None:
        """Resize a buffer, which empties it."""
        if not parameters:
            raise ScpiError(-109)
        capacity = self._capacity.parse(parameters[0])
        buffer = self._buffer(parameters[1:])
        buffer.capacity = capacity
        buffer.clear()

    def _set_fill(self, parameters: tuple[str, ...]) -> None:
        if not parameters:
            raise ScpiError(-109)
        continuous = FILL_MODE.parse(parameters[0]) == "CONT"
        buffer = self._buffer(parameters[1:])
        buffer.continuous = continuous
        buffer.clear()

    def _fill(self, parameters: tuple[str, ...]) -> str:
        return "CONT" if self._buffer(parameters).continuous else "ONCE"
