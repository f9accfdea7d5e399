"""The potentiostat and galvanostat inside the instrument, with a cell at its leads."""

from collections.abc import Callable
from dataclasses import dataclass
from math import copysign
from typing import NamedTuple

from simulators.cells.base import Cell
from simulators.faults.terminals import Output, Terminals
from simulators.front_end import FrontEnd
from simulators.methodscript.errors import Code, ScriptError
from simulators.methodscript.ranges import LATE, OVERLOAD, Range, Ranges

OFF_MODE = 0
LOW_SPEED_MODE = 2
POTENTIOSTAT_MODES = (LOW_SPEED_MODE, 3, 4)
GALVANOSTAT_MODE = 6

Reading = tuple[float, str]
"""A measured value and its metadata."""


@dataclass(frozen=True, slots=True)
class Ratings:
    """What one model can do, in volt, ampere and hertz.

    `device` is how a `t` is answered. `slow_ranges` are those of the low speed mode, where it has others.
    """

    name: str
    device: str
    voltage_limit: float
    current_limit: float
    current_ranges: tuple[Range, ...]
    potential_ranges: tuple[Range, ...]
    smallest_step: float
    frequencies: tuple[float, float]
    largest_amplitude: float
    galvanostat: bool = True
    slow_ranges: tuple[Range, ...] = ()

    def front_end(self, seed: int, exact: bool = False) -> FrontEnd:
        """Return a front end with these ranges; `exact` leaves neither error nor noise nor rounding."""
        ranges = {one.full_scale for one in (*self.current_ranges[:-1], *self.slow_ranges)}
        scales = [scale for scale in sorted(ranges) if scale < self.current_limit]
        return FrontEnd(
            seed,
            voltage_range=self.voltage_limit,
            current_ranges=[*scales, self.current_limit],
            bits=48 if exact else 18,
            exact=exact,
        )


class Setting(NamedTuple):
    """What the output is told to do."""

    on: bool
    mode: int
    volts: float
    amperes: float


class Potentiostat:
    """Drives the cell and measures it; time passes only in `live_until`.

    Whatever is set holds from one call to the next, so that a cell left connected goes on being
    driven. Disconnected, it rests.
    """

    def __init__(
        self, ratings: Ratings, cell: Cell, front_end: FrontEnd, amplitude_is_rms: bool = True
    ) -> None:
        self.ratings = ratings
        self.amplitude_is_rms = amplitude_is_rms
        self.cell = cell
        self.time = 0.0
        self.mode = OFF_MODE
        self.on = False
        self.voltage = 0.0
        self.current = 0.0
        self.currents = Ranges(ratings.current_ranges, ratings.current_limit)
        self.applied_currents = Ranges(ratings.current_ranges, ratings.current_limit)
        self.potentials = Ranges(ratings.potential_ranges, ratings.voltage_limit)
        self.front_end = front_end
        self._terminals = Terminals(cell)
        self._output: Output[Setting] = Output(self._terminals)
        self.set_volts = 0.0
        self.set_amperes = 0.0
        self._limited = False
        self._fresh = True
        self._late = 0

    def reset_ranges(self) -> None:
        """Forget what earlier scripts set. An alternating potential takes the range that suits it."""
        for ranges in (self.currents, self.applied_currents, self.potentials):
            ranges.reset()
        self.potentials.free()

    def set_mode(self, mode: int) -> None:
        """Become a potentiostat or a galvanostat; a change disconnects the cell."""
        if mode not in (OFF_MODE, *POTENTIOSTAT_MODES, GALVANOSTAT_MODE):
            raise ScriptError(Code.NOT_SUPPORTED if mode == 5 else Code.UNKNOWN_MODE)
        if mode == GALVANOSTAT_MODE and not self.ratings.galvanostat:
            raise ScriptError(Code.UNKNOWN_MODE)
        if mode != self.mode:
            self.disconnect()
            if self.ratings.slow_ranges:
                slow = mode == LOW_SPEED_MODE
                ranges = self.ratings.slow_ranges if slow else self.ratings.current_ranges
                self.currents = Ranges(ranges, self.ratings.current_limit)
        self.mode = mode

    def need(self, galvanostat: bool) -> None:
        """Refuse what belongs to the other mode."""
        if self.mode not in ((GALVANOSTAT_MODE,) if galvanostat else POTENTIOSTAT_MODES):
            raise ScriptError(Code.WRONG_MODE)

    def hold(self, volts: float) -> None:
        """Set the potential; with the cell connected it acts at once."""
        self.need(galvanostat=False)
        self.check_potential(volts)
        self.set_volts = volts
        self._act()

    def check_potential(self, volts: float) -> None:
        if not abs(volts) <= self.ratings.voltage_limit:
            raise ScriptError(Code.POTENTIAL)

    def drive(self, amperes: float) -> None:
        """Set the current; with the cell connected it acts at once."""
        self.need(galvanostat=True)
        self.check_current(amperes)
        self.set_amperes = amperes
        self._act()

    def check_current(self, amperes: float) -> None:
        if not abs(amperes) <= self.applied_currents.clip:
            raise ScriptError(Code.OUT_OF_BOUNDS)

    def connect(self) -> None:
        if self.mode == OFF_MODE:
            raise ScriptError(Code.WRONG_MODE)
        self.on = True
        self._act()

    def connect_at_rest(self) -> float:
        """Connect at the open-circuit potential, so that nothing flows; return that potential."""
        potential = self.cell.drive_current(0.0, 0.0)
        if self.mode == GALVANOSTAT_MODE:
            self.drive(0.0)
        else:
            self.hold(max(-self.ratings.voltage_limit, min(self.ratings.voltage_limit, potential)))
        self.connect()
        return potential

    def disconnect(self) -> None:
        """Open the circuit. Safe at any time."""
        self.on = False

    def _act(self) -> None:
        self._fresh = True
        if self.on:
            self._live(0.0)

    def live_until(self, moment: float) -> None:
        """Let the cell live under what is set until `moment`.

        A moment past changes nothing, except that what is read next was not measured in time.
        """
        seconds = moment - self.time
        self._late = LATE if seconds < 0.0 else 0
        if seconds > 0.0:
            self._live(seconds)
            self.time = moment

    def _live(self, seconds: float) -> None:
        self._limited = False
        wanted = Setting(self.on, self.mode, self.set_volts, self.set_amperes)
        setting = self._output.obey(wanted, opens=not self.on)
        if not setting.on:
            self.voltage, self.current = self.cell.drive_current(0.0, seconds), 0.0
        elif setting.mode == GALVANOSTAT_MODE:
            self._live_at_current(setting.amperes, seconds)
        else:
            self._live_at_voltage(setting.volts, seconds)

    def _live_at_current(self, amperes: float, seconds: float) -> None:
        limit = self.ratings.voltage_limit
        before = self.cell.state()
        voltage = self.cell.drive_current(amperes, seconds)
        if -limit <= voltage <= limit:
            self.voltage, self.current = voltage, amperes
            return
        self.cell.restore(before)
        self._limited = True
        reached = self._as_long_as(lambda time: abs(self.cell.drive_current(amperes, time)) <= limit, seconds)
        self.voltage = copysign(limit, voltage)
        self.current = self.cell.drive_voltage(self.voltage, seconds - reached)

    def _live_at_voltage(self, volts: float, seconds: float) -> None:
        limit = self.ratings.current_limit
        before = self.cell.state()
        first = self.cell.drive_voltage(volts, 0.0) if self._fresh else 0.0
        current = self.cell.drive_voltage(volts, seconds) if seconds else first
        worst = max(first, current, key=abs)
        if -limit <= worst <= limit:
            self.voltage, self.current = volts, current
            self._fresh = False
            return
        self.cell.restore(before)
        self._limited = True
        self._approach(volts, copysign(limit, worst), seconds)

    def _approach(self, volts: float, amperes: float, seconds: float) -> None:
        """Drive the largest current towards a potential, and hold it once it is there."""

        def short_of_it(time: float) -> bool:
            return (self.cell.drive_current(amperes, time) - volts) * amperes <= 0

        reached = self._as_long_as(short_of_it, seconds)
        if reached < seconds:
            self.voltage, self.current = volts, self.cell.drive_voltage(volts, seconds - reached)
        else:
            self.voltage, self.current = self.cell.drive_current(amperes, 0.0), amperes

    def _as_long_as(self, within: Callable[[float], bool], seconds: float) -> float:
        """Return how long (up to `seconds`) the cell stays `within`, and leave it at that moment."""
        before = self.cell.state()
        if within(seconds):
            return seconds
        low, high = 0.0, seconds
        for _ in range(40):
            self.cell.restore(before)
            middle = (low + high) / 2
            low, high = (middle, high) if within(middle) else (low, middle)
        self.cell.restore(before)
        within(low)
        return low

    def read_voltage(self) -> Reading:
        """Return the measured potential in volt."""
        limit = self.ratings.voltage_limit
        probe = self._terminals.voltage
        value = probe.shown(self.front_end.voltage(probe.sensed(self.voltage)))
        overload = self._limited or not -limit <= value <= limit
        status = OVERLOAD if overload else 0
        return max(-limit, min(limit, value)), self.potentials.coarsest_token(status | self._late)

    def read_current(self) -> Reading:
        """Return the measured current in ampere, in the range in use."""
        ranges = self.applied_currents if self.mode == GALVANOSTAT_MODE else self.currents
        ranges.follow(self.current)
        probe = self._terminals.current
        converted = self.front_end.current(probe.sensed(self.current), ranges.convertible)
        overload = self._limited or converted.overload
        status = OVERLOAD if overload else ranges.judge(converted.value)
        return probe.shown(converted.value), ranges.token(status | self._late)

    def judge_current(self, peak: float) -> str:
        """Return the metadata of an alternating current of this peak on top of the present one."""
        ranges = self.applied_currents if self.mode == GALVANOSTAT_MODE else self.currents
        largest = abs(self.current) + peak
        ranges.follow(largest)
        return ranges.token(ranges.judge(largest))

    def judge_voltage(self, peak: float) -> str:
        """Return the metadata of an alternating voltage of this peak."""
        self.potentials.follow(peak)
        return self.potentials.token(self.potentials.judge(peak))

    def read(self, vartype: str) -> Reading:
        """Return what a vartype names. Raises `ScriptError` for what is not measured here."""
        match vartype:
            case "ab":
                return self.read_voltage()
            case "ba":
                return self.read_current()
            case "da":
                return self.set_volts, ""
            case "db":
                return self.set_amperes, ""
            case "ed":
                return self.cell.temperature, ""
        raise ScriptError(Code.VARTYPE_UNSUPPORTED)
