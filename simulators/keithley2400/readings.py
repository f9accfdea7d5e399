"""READ?, FETCh?, MEASure?, INITiate, and the ARM, TRIGger, TRACe, CALCulate3 and FORMat subsystems."""

from collections.abc import Iterator

from simulators.keithley2400.settings import ELEMENTS
from simulators.keithley2400.sourcemeter import Reading, SourceMeter
from simulators.keithley2400.trigger import Memory, Triggering
from simulators.scpi import Choice, Command, Integer, ScpiError, Setting, setting
from simulators.scpi.setting import exactly, only
from simulators.scpi.tree import Act

ELEMENT = Choice("VOLTage", "CURRent", "RESistance", "TIME", "STATus")

STATISTIC = Choice("MEAN", "SDEViation", "MAXimum", "MINimum", "PKPK")


class Readings:
    """READ?, FETCh?, MEASure?, INITiate, ARM and TRIGger, TRACe, CALCulate3, FORMat."""

    def __init__(self, smu: SourceMeter, triggering: Triggering, memory: Memory) -> None:
        self._smu = smu
        self._triggering = triggering
        self._memory = memory
        self._statistic = Setting(STATISTIC, "MEAN")

    def commands(self) -> Iterator[Command]:
        triggering, smu = self._triggering, self._smu
        yield Command(":READ", query=self._read)
        yield Command(":FETCh", query=lambda _: self._shown(triggering.last))
        yield Command(":MEASure", query=self._read)
        for word, function in (("CURRent[:DC]", "CURR"), ("VOLTage[:DC]", "VOLT"), ("RESistance", "RES")):
            yield Command(f":MEASure:{word}", query=self._measuring(function))
            yield Command(f":CONFigure:{word}", write=self._configuring(function))
        yield Command(":INITiate[:IMMediate]", write=lambda _: triggering.start(smu.lived))
        yield Command(":ABORt", write=lambda _: triggering.abort())
        yield Command("*TRG", write=lambda _: triggering.trigger(smu.lived))
        yield from self._layers()
        yield from self._trace()
        yield setting(":FORMat[:DATA]", smu.settings.format)
        yield Command(":FORMat:ELEMents[:SENSe[1]]", self._set_elements, self._elements)

    def _layers(self) -> Iterator[Command]:
        triggering = self._triggering
        yield Command(":TRIGger:CLEar", write=lambda _: None)
        yield setting(":TRIGger[:SEQuence[1]]:COUNt", triggering.count)
        yield setting(":TRIGger[:SEQuence[1]]:DELay", triggering.delay)
        yield setting(":TRIGger[:SEQuence[1]]:SOURce", triggering.source)
        yield setting(":ARM[:SEQuence[1]][:LAYer[1]]:COUNt", triggering.arm_count)
        yield setting(":ARM[:SEQuence[1]][:LAYer[1]]:SOURce", triggering.arm_source)
        yield setting(":ARM[:SEQuence[1]][:LAYer[1]]:TIMer", triggering.arm_timer)
        events = {"TRIGger": ("SOURce", "DELay", "SENSe", "NONE"), "ARM": ("TENTer", "TEXit", "NONE")}
        for layer, words in events.items():  # lines nobody is wired to
            yield setting(f":{layer}:OUTPut", Setting(Choice(*words), "NONE"))
            yield setting(f":{layer}:ILINe", Setting(Integer(1, 4, 1), 1))
            yield setting(f":{layer}:OLINe", Setting(Integer(1, 4, 2), 2))

    def _trace(self) -> Iterator[Command]:
        memory = self._memory
        yield setting(":TRACe:POINts", memory.points)
        yield Command(":TRACe:POINts:ACTual", query=lambda _: str(len(memory.readings)))
        yield Command(":TRACe:CLEar", write=lambda _: memory.clear())
        yield Command(":TRACe:FEED", write=_check_feed, query=lambda _: "SENS1")
        yield setting(":TRACe:FEED:CONTrol", memory.control)
        yield Command(":TRACe:DATA", query=lambda _: self._shown(memory.readings))
        yield setting(":CALCulate3:FORMat", self._statistic)
        yield Command(":CALCulate3:DATA", query=self._figure)

    def _figure(self, parameters: tuple[str, ...]) -> str:
        return ",".join(f"{value:+.6E}" for value in self._memory.figure(self._statistic.value))

    async def _read(self, parameters: tuple[str, ...]) -> str:
        """Initiate, wait for the readings, answer them; with CLEar:AUTO the output is on for that long."""
        exactly(0, parameters)
        settings, triggering = self._smu.settings, self._triggering
        if settings.clear_auto.value:
            settings.output.value = True
            self._smu.live(self._smu.lived)
        triggering.start(self._smu.lived)
        await triggering.finish()
        if settings.clear_auto.value:
            settings.output.value = False
        return self._shown(triggering.last)

    def _measuring(self, function: str) -> Act:
        async def measure(parameters: tuple[str, ...]) -> str:
            self._smu.settings.measure([function])
            return await self._read(())

        return measure

    def _configuring(self, function: str) -> Act:
        return lambda _: self._smu.settings.measure([function])

    def _shown(self, readings: list[Reading]) -> str:
        if not readings:
            raise ScpiError(-230)
        elements = self._smu.settings.elements
        return ",".join(reading.element(name) for reading in readings for name in elements)

    def _set_elements(self, parameters: tuple[str, ...]) -> None:
        if not parameters:
            raise ScpiError(-109)
        wanted = {ELEMENT.parse(text) for text in parameters}
        self._smu.settings.elements = tuple(name for name in ELEMENTS if name in wanted)

    def _elements(self, parameters: tuple[str, ...]) -> str:
        return ",".join(self._smu.settings.elements)


def _check_feed(parameters: tuple[str, ...]) -> None:
    """Take what is measured; other feeds are calculations this one has none of."""
    if only(parameters).upper() not in ("SENS", "SENSE", "SENS1", "SENSE1"):
        raise ScpiError(-224)
