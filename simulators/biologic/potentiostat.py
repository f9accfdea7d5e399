"""The potentiostat and galvanostat of one channel, with its cell; time passes only in `live_until`."""

from dataclasses import dataclass
from typing import Any, NamedTuple

from simulators.biologic.models import AUTO_RANGE, E_RANGES, FULL_SCALES, Model
from simulators.cells.base import Cell
from simulators.faults.terminals import Output, Terminals
from simulators.front_end import FrontEnd
from simulators.regimes import DISCONNECTED, Regimes, Source, current_source, voltage_source


class Look(NamedTuple):
    """Voltage and current as they are, at a moment of the channel's time."""

    time: float
    voltage: float
    current: float


class Sample(NamedTuple):
    """What the converters make of a look, and the range the current was measured in."""

    time: float
    voltage: float
    current: float
    voltage_overflow: bool = False
    current_overflow: bool = False
    current_range: int = 0


class Moment(NamedTuple):
    """Everything that must be put back to live a stretch of time once more."""

    time: float
    cell: Any
    look: Look


@dataclass(slots=True)
class Ranges:
    """`full_scale` in amperes; `automatic` follows the current. `volts` is the range of the voltage."""

    automatic: bool
    full_scale: float
    volts: float


class Potentiostat:
    """Holds what it was told until it is told otherwise; disconnected, the cell rests."""

    def __init__(self, model: Model, cell: Cell, seed: int, now: float) -> None:
        self.model = model
        self.cell = cell
        self.time = now
        self.connected = False
        self.latest = Sample(now, 0.0, 0.0)
        """The last sample that was taken."""
        self._terminals = Terminals(cell)
        self._output: Output[Regimes] = Output(self._terminals)
        self._wanted: Regimes = DISCONNECTED
        self._source = Source(cell)
        self._ranges = Ranges(True, model.amperes, model.volts)
        self._front_ends = {volts: model.front_end(seed, volts) for volts in E_RANGES}
        self._look: Look | None = None

    def select(self, current_range: int, volts: float) -> None:
        """Choose the ranges of the technique that begins."""
        automatic = current_range == AUTO_RANGE
        full_scale = self.model.amperes if automatic else FULL_SCALES[current_range]
        self._ranges = Ranges(automatic, min(full_scale, self.model.amperes), volts)

    def hold(self, volts: float) -> None:
        """Hold a voltage, with no more current than the range has."""
        self._act(voltage_source(volts, self._most), connected=True)

    def drive(self, amperes: float) -> None:
        """Drive a current, within the compliance."""
        self._act(current_source(amperes, self.model.volts, self.model.amperes), connected=True)

    def disconnect(self) -> None:
        """Open the circuit."""
        self._act(DISCONNECTED, connected=False)

    def live_until(self, moment: float) -> None:
        """Let the cell live under what is set; a moment past changes nothing."""
        seconds = moment - self.time
        if seconds > 0.0:
            self._obey()
            self._source.live(seconds)
            self.time, self._look = moment, None

    def remember(self) -> Moment:
        """Return what `go_back` needs."""
        return Moment(self.time, self.cell.state(), self.look())

    def go_back(self, moment: Moment) -> None:
        """Be where it was; what was set since stays set."""
        self.cell.restore(moment.cell)
        self.time, self._look = moment.time, moment.look

    def look(self) -> Look:
        """Return what is at the terminals now."""
        if self._look is None:
            self._obey()
            self._look = Look(self.time, *self._source.look())
        return self._look

    def sample(self) -> Sample:
        """Convert what is at the terminals now."""
        _, volts, amperes = self.look()
        ranges, terminals = self._ranges, self._terminals
        if ranges.automatic:
            ranges.full_scale = self.front_end.range_for(amperes)
        voltage = self.front_end.measured_voltage(terminals.voltage.sensed(volts))
        current = self.front_end.current(terminals.current.sensed(amperes), ranges.full_scale)
        self.latest = Sample(
            self.time,
            terminals.voltage.shown(voltage.value),
            terminals.current.shown(current.value) if self.connected else 0.0,
            voltage.overload,
            self.connected and (current.overload or self._source.regime.limited),
            self._range_number(),
        )
        return self.latest

    @property
    def front_end(self) -> FrontEnd:
        """The converters in the voltage range chosen."""
        return self._front_ends[self._ranges.volts]

    @property
    def _most(self) -> float:
        """The largest current a potentiostat spends."""
        return self.model.amperes if self._ranges.automatic else self._ranges.full_scale

    def _act(self, regimes: Regimes, connected: bool) -> None:
        self._wanted, self.connected, self._look = regimes, connected, None

    def _obey(self) -> None:
        self._source.apply(self.cell, self._output.obey(self._wanted, opens=not self.connected))

    def _range_number(self) -> int:
        held = (
            number
            for number, full in enumerate(FULL_SCALES)
            if full >= self._ranges.full_scale * (1.0 - 1e-6)
        )
        return next(held, self.model.largest_range)
