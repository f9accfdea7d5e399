"""The classic 2400 behind its commands: a source, its meters, a memory, and the cell they act on.

The cell is advanced lazily, as in the 2450 here: what is set acts from the moment it was set.
"""

from collections import deque
from typing import NamedTuple

from simulators.cells.base import Cell
from simulators.faults.terminals import Output, Terminals
from simulators.keithley2400.settings import MOST_AMPERES_ABOVE, Settings
from simulators.keithley2450.meter import OVERFLOW, Meter
from simulators.keithley2450.models import OVERRANGE
from simulators.keithley2450.sourcemeter import MOST_SHOWN
from simulators.leads import Leads, Load
from simulators.regimes import DISCONNECTED, Regimes, Source, current_source, voltage_source
from simulators.scpi import ScpiError

NOT_A_NUMBER = 9.91e37
"""What stands for a quantity that is neither measured nor sourced."""

OVERHEAD = 3e-3
"""Seconds a reading takes beside its conversions [M]."""

AUTODELAY = 3e-3
"""Seconds between a change of the source and the next reading [M]."""

QUEUE_LENGTH = 10

CLOCK_WRAPS = 100_000.0
"""Seconds after which its time begins at nought again [M]."""

OFF_LIMIT = 0.005
"""Of full scale: the limit of the 0 V source that NORMal is, and of GUARd's [M]."""

OVERFLOWED, REAR, COMPLIANCE, PROTECTED = 1, 4, 8, 16
MEASURES = {"VOLT": 1 << 11, "CURR": 1 << 12, "RES": 1 << 13}
SOURCES = {"VOLT": 1 << 14, "CURR": 1 << 15}
"""Bits of the status element [M]."""


class Reading(NamedTuple):
    """One reading; `time` in seconds by the instrument's own clock."""

    volts: float
    amperes: float
    ohms: float
    time: float
    status: int

    def element(self, name: str) -> str:
        """Return one element as it is answered."""
        match name:
            case "VOLT":
                return f"{self.volts:+.6E}"
            case "CURR":
                return f"{self.amperes:+.6E}"
            case "RES":
                return f"{self.ohms:+.6E}"
            case "TIME":
                return f"{self.time:+.6E}"
            case _:
                return f"{float(self.status):+.6E}"


class SourceMeter:
    """Everything but the talking. Times in seconds since switch-on; `lived` is how far the cell has come."""

    def __init__(self, cell: Cell, seed: int, lead_resistance: float, line_frequency: float) -> None:
        self.line_frequency = line_frequency
        self.settings = Settings(self._function_changed)
        self.errors: deque[ScpiError] = deque()
        self.event_status = 128  # power on
        self.lived = 0.0
        self.clock_zero = 0.0
        self._cell: Load = cell
        self._leads = Leads(cell, lead_resistance)
        self._source = Source(self._leads)
        terminals = Terminals(cell)
        self._output: Output[tuple[Load, Regimes]] = Output(terminals)
        self._voltmeter = Meter(f"{seed} volt", terminals.voltage)
        self._ammeter = Meter(f"{seed} ampere", terminals.current)
        self._unsettled = False

    def live(self, moment: float) -> None:
        """Let what is set act on the cell up to `moment`; a moment already lived is no moment."""
        load, regimes = self._output.obey(self._at_work(), opens=not self.settings.output.value)
        self._unsettled |= self._source.apply(load, regimes)
        self._source.live(max(moment - self.lived, 0.0))
        self.lived = max(moment, self.lived)

    def in_compliance(self) -> bool:
        """Whether the compliance holds the output back now."""
        return self.settings.output.value and self._source.regime.limited

    def measurement_seconds(self) -> float:
        """Return how long the next reading will take: each function converted, doubled by autozero."""
        settings = self.settings
        conversions = max(1, len(settings.measured - {"RES"})) * (2 if settings.autozero.value else 1)
        seconds = conversions * settings.readings_averaged * settings.cycles.value / self.line_frequency
        if self._unsettled:
            seconds += AUTODELAY if settings.autodelay.value else settings.delay.value
        return seconds + OVERHEAD

    def take(self, moment: float) -> Reading:
        """Return the reading whose aperture ends at `moment`, having lived up to it."""
        self.live(moment)
        self._unsettled = False
        true_volts, true_amperes = self._terminals()
        volts = self._volts(true_volts)
        amperes = self._amperes(true_amperes)
        ohms = volts / amperes if "RES" in self.settings.measured and amperes else NOT_A_NUMBER
        time = (self.lived - self.clock_zero) % CLOCK_WRAPS
        return Reading(volts, amperes, ohms, time, self._status(volts, amperes))

    def refuse(self, error: ScpiError) -> None:
        """Put an error into the queue and the event status register."""
        self.event_status |= error.event_status_bit
        if len(self.errors) == QUEUE_LENGTH:
            self.errors[-1] = ScpiError(-350)
        else:
            self.errors.append(error)

    def _function_changed(self, function: str) -> None:
        self.settings.output.value = False

    def _at_work(self) -> tuple[Load, Regimes]:
        """Return what is driven, and how."""
        if not self.settings.output.value:
            return self._leads, self._regimes_off()
        return self._cell if self.settings.remote.value else self._leads, self._regimes_on()

    def _regimes_on(self) -> Regimes:
        settings = self.settings
        level = settings.source.level.value
        if settings.function.value == "CURR":
            clamp = min(settings.compliance, settings.protection.value)
            return current_source(level, clamp, settings.range("CURR") * OVERRANGE)
        volts, amperes = MOST_AMPERES_ABOVE
        most = amperes if abs(level) > volts else settings.compliance
        return voltage_source(level, min(settings.compliance, most))

    def _regimes_off(self) -> Regimes:
        """Only HIMPedance leaves the cell alone."""
        match self.settings.off_mode.value:
            case "HIMP":
                return DISCONNECTED
            case "GUAR":
                ceiling = self.settings.range("CURR") * OVERRANGE
                return current_source(0.0, OFF_LIMIT * self.settings.range("VOLT"), ceiling)
            case "ZERO":
                return voltage_source(0.0, self.settings.compliance)
            case _:
                return voltage_source(0.0, OFF_LIMIT * self.settings.range("CURR"))

    def _terminals(self) -> tuple[float, float]:
        """Return the true volts and amperes now; an open relay leaves nothing to see."""
        if not self.settings.output.value and self.settings.off_mode.value == "HIMP":
            return 0.0, 0.0
        return self._source.look()

    def _volts(self, true: float) -> float:
        return self._element("VOLT", true, self._voltmeter)

    def _amperes(self, true: float) -> float:
        return self._element("CURR", true, self._ammeter)

    def _element(self, quantity: str, true: float, meter: Meter) -> float:
        """Return what is measured; what is not is the level where that is sourced, else no number."""
        settings = self.settings
        if quantity not in settings.measured:
            return settings.source.level.value if settings.function.value == quantity else NOT_A_NUMBER
        if settings.function.value != quantity:
            settings.senses[quantity].range.follow(true)
        full = settings.range(quantity)
        return meter.read(true, full, full * MOST_SHOWN, settings.cycles.value)

    def _status(self, volts: float, amperes: float) -> int:
        settings = self.settings
        held = self.in_compliance()
        flags = (
            (OVERFLOWED, OVERFLOW in (volts, amperes)),
            (REAR, settings.terminals.value == "REAR"),
            (COMPLIANCE, held),
            (PROTECTED, held and abs(volts) >= settings.protection.value * (1 - 1e-6)),
            *((bit, name in settings.measured) for name, bit in MEASURES.items()),
            *((bit, name == settings.function.value) for name, bit in SOURCES.items()),
        )
        return sum(bit for bit, present in flags if present)
