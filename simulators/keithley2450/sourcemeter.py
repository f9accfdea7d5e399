"""The instrument behind its commands: a source, two meters, buffers, and the cell they act on.

The cell is advanced lazily: whatever is set acts from the moment it was set, and is worked out
exactly when someone next looks.
"""

from datetime import UTC, datetime, timedelta

from simulators.cells.base import Cell
from simulators.faults.terminals import Output, Terminals
from simulators.keithley2450.buffers import BufferedReading, Buffers
from simulators.keithley2450.meter import OVERFLOW, Meter
from simulators.keithley2450.models import Model
from simulators.keithley2450.output import regimes_off, regimes_on
from simulators.keithley2450.ranges import Range
from simulators.keithley2450.settings import Settings
from simulators.leads import Leads, Load
from simulators.regimes import Regimes, Source
from simulators.scpi import EventQueue, Kind, ScpiError
from simulators.scpi.errors import Event

SWITCHED_ON = datetime(2026, 1, 1, tzinfo=UTC)
"""What the instrument's calendar says at 0 s."""

MOST_SHOWN = 1.06
"""Of a range: a little more than can be sourced, so that full scale with its noise still reads [M]."""

OVERHEAD = 1e-3
"""Seconds a reading takes beside its conversions [M]."""

AUTODELAY = 1e-3
"""Seconds between a change of the source and the next reading while the delay is automatic [M]."""

FRONT_TERMINALS, START_GROUP = 8, 256
"""Bits of STAT."""

PROTECTED, READ_BACK, LIMITED, FOUR_WIRE, OUTPUT_ON = 4, 8, 32, 64, 128
"""Bits of SOURSTAT (2461 reference manual, bufferVar.sourcestatuses)."""

UNITS = {"CURR": 0, "VOLT": 1, "RES": 2}


class SourceMeter:
    """Everything but the talking. Times in seconds since switch-on; `lived` is how far the cell has come."""

    def __init__(
        self, cell: Cell, model: Model, seed: int, lead_resistance: float, line_frequency: float
    ) -> None:
        self.model = model
        self.line_frequency = line_frequency
        self.settings = Settings(model, self._function_changed)
        self.buffers = Buffers()
        self.events = EventQueue()
        self.event_status = 128  # power on
        self.lived = 0.0
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

    def limited(self) -> bool:
        """Whether the limit holds the output back now."""
        return self.settings.output.value and self._source.regime.limited

    def protected(self) -> bool:
        """Whether the overvoltage protection does."""
        clamp = self.settings.protection_volts
        return self.limited() and abs(self._terminals()[0]) >= clamp * (1 - 1e-6)

    def measurement_seconds(self) -> float:
        """Return how long the next reading will take.

        A conversion for the reading and one for the source read-back, each doubled by autozero:
        80 ms at 1 NPLC and 50 Hz, as seen in practice (facts from a vendor's cycling script).
        """
        sense, source = self.settings.sense, self.settings.source
        conversions = (2 if source.read_back.value else 1) * (2 if sense.autozero.value else 1)
        seconds = conversions * sense.readings_averaged * sense.cycles.value / self.line_frequency + OVERHEAD
        if self._unsettled:
            seconds += AUTODELAY if source.autodelay.value else source.delay.value
        return seconds

    def take(self, moment: float, start_group: bool = False) -> BufferedReading:
        """Return the reading whose aperture ends at `moment`, having lived up to it."""
        self.live(moment)
        self._unsettled = False
        volts, amperes = self._terminals()
        return BufferedReading(
            time=self.lived,
            reading=self._reading(volts, amperes),
            source=self._source_value(volts, amperes),
            status=self._status(start_group),
            source_status=self._source_status(),
            unit=UNITS[self.settings.sense_function.value],
            source_unit=UNITS[self.settings.source_function.value],
        )

    def refuse(self, error: ScpiError) -> None:
        """Put an error into the queue and the event status register."""
        self.note(error.code, error.text, Kind.ERROR)
        self.event_status |= error.event_status_bit

    def note(self, code: int, text: str, kind: Kind) -> None:
        """Put an event into the queue."""
        self.events.add(Event(code, text, kind, self.timestamp(self.lived)))

    def timestamp(self, moment: float) -> str:
        """Return the calendar's time at `moment`, as the event log writes it."""
        return (SWITCHED_ON + timedelta(seconds=moment)).strftime("%Y/%m/%d %H:%M:%S.%f")[:-3]

    def reset(self) -> None:
        """Do what *RST does: every setting back to its default, the output off (and off is NORMal)."""
        self.settings.reset()
        self.buffers.reset()

    def _function_changed(self, function: str) -> None:
        self.settings.output.value = False

    def _at_work(self) -> tuple[Load, Regimes]:
        """Return what is driven, and how. Four wires only while the output is on (manual, :SENSe:RSENse)."""
        if not self.settings.output.value:
            return self._leads, regimes_off(self.settings)
        return self._cell if self.settings.sense.remote.value else self._leads, regimes_on(self.settings)

    def _terminals(self) -> tuple[float, float]:
        """Return the true volts and amperes now; an open relay leaves nothing to see."""
        if not self.settings.output.value and self.settings.source.off_mode.value == "HIMP":
            return 0.0, 0.0
        return self._source.look()

    def _reading(self, volts: float, amperes: float) -> float:
        match self.settings.sense_function.value:
            case "VOLT":
                return self._volts(volts, self.settings.senses["VOLT"].range)
            case "CURR":
                return self._amperes(amperes, self.settings.senses["CURR"].range)
            case _:
                return self._ohms(volts, amperes)

    def _ohms(self, volts: float, amperes: float) -> float:
        reading = OVERFLOW
        if amperes:
            seen = self._volts(volts, self.settings.senses["VOLT"].range)
            reading = seen / self._amperes(amperes, self.settings.senses["CURR"].range)
        wanted = self.settings.senses["RES"].range
        wanted.follow(reading)
        return reading if wanted.holds(reading) else OVERFLOW

    def _source_value(self, volts: float, amperes: float) -> float:
        """Return the SOURce element: measured with read-back on, else what was programmed."""
        source = self.settings.source
        if not source.read_back.value:
            return source.level.value
        if self.settings.source_function.value == "CURR":
            return self._amperes(amperes, source.range)
        return self._volts(volts, source.range)

    def _volts(self, true: float, at: Range) -> float:
        return self._voltmeter.read(true, *self._full_scale(true, at), self.settings.sense.cycles.value)

    def _amperes(self, true: float, at: Range) -> float:
        return self._ammeter.read(true, *self._full_scale(true, at), self.settings.sense.cycles.value)

    def _full_scale(self, true: float, at: Range) -> tuple[float, float]:
        """Return the range, after autoranging to what is there, and the most it can show."""
        at.follow(true)
        return at.value, at.value * MOST_SHOWN

    def _status(self, start_group: bool) -> int:
        front = FRONT_TERMINALS if self.settings.terminals.value == "FRON" else 0
        return front + (START_GROUP if start_group else 0)

    def _source_status(self) -> int:
        flags = (
            (PROTECTED, self.protected()),
            (READ_BACK, self.settings.source.read_back.value),
            (LIMITED, self.limited()),
            (FOUR_WIRE, self.settings.sense.remote.value and self.settings.output.value),
            (OUTPUT_ON, self.settings.output.value),
        )
        return sum(bit for bit, present in flags if present)
