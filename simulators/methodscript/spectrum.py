"""Points along a spectrum: EIS and galvanostatic EIS."""

from abc import abstractmethod
from math import inf, sqrt

from simulators.methodscript.errors import Code, ScriptError
from simulators.methodscript.machine import Machine, Measurement
from simulators.methodscript.order import Order
from simulators.methodscript.potentiostat import Potentiostat
from simulators.methodscript.steady import connected
from simulators.methodscript.vartypes import FREQUENCY, IMAGINARY_IMPEDANCE, REAL_IMPEDANCE

PERIODS = 3
SHORTEST_POINT = 0.1
"""A point takes three periods, and 0.1 s at least."""


def frequencies(first: float, last: float, points: int) -> list[float]:
    """Return frequencies spaced evenly in their logarithm, both ends included."""
    if points == 1:
        return [first]
    return [first * (last / first) ** (index / (points - 1)) for index in range(points - 1)] + [last]


class Spectrum(Measurement):
    """The impedance of the cell as it is when each point ends; it lives on between them."""

    def __init__(self, machine: Machine, order: Order) -> None:
        amplitude, first, last, points, level = order.arguments
        self._start(machine.potentiostat, amplitude, level)
        connected(machine)
        low, high = machine.potentiostat.ratings.frequencies
        if not (low <= first <= high and low <= last <= high):
            raise ScriptError(Code.FREQUENCY)
        self._peak = amplitude * (sqrt(2.0) if machine.potentiostat.amplitude_is_rms else 1.0)
        self._order = order
        self._left = frequencies(first, last, int(points))[::-1]
        order.mark(machine, FREQUENCY, REAL_IMPEDANCE, IMAGINARY_IMPEDANCE)
        self._schedule(machine.potentiostat.time)

    def _schedule(self, now: float) -> None:
        self.due = now + max(SHORTEST_POINT, PERIODS / self._left[-1]) if self._left else inf

    def take(self, machine: Machine) -> None:
        potentiostat = machine.potentiostat
        potentiostat.live_until(self.due)
        frequency = self._left.pop()
        true = potentiostat.cell.impedance(frequency)
        seen = potentiostat.front_end.impedance(true)
        slots = self._order.outputs
        for slot, value in zip(slots, (frequency, seen.real, seen.imag), strict=True):
            machine.values[slot] = value
        amperes, volts = self._peaks(abs(true))
        machine.metadata[slots[1]] = potentiostat.judge_current(amperes)
        machine.metadata[slots[2]] = potentiostat.judge_voltage(volts)
        for extra in self._order.extras:
            extra.take(machine)
        self._schedule(potentiostat.time)

    @abstractmethod
    def _start(self, potentiostat: Potentiostat, amplitude: float, level: float) -> None:
        """Set the level the excitation rides on, and refuse an amplitude out of reach."""

    @abstractmethod
    def _peaks(self, impedance: float) -> tuple[float, float]:
        """Return the largest alternating current and voltage at |Z|."""


class PotentiostaticSpectrum(Spectrum):
    """`meas_loop_eis`: a sine of voltage on top of a potential."""

    technique = "M000D"

    def _start(self, potentiostat: Potentiostat, amplitude: float, level: float) -> None:
        potentiostat.hold(level)
        if amplitude > potentiostat.ratings.largest_amplitude:
            raise ScriptError(Code.AMPLITUDE)

    def _peaks(self, impedance: float) -> tuple[float, float]:
        return self._peak / impedance if impedance else inf, self._peak


class GalvanostaticSpectrum(Spectrum):
    """`meas_loop_geis`: a sine of current on top of a current."""

    technique = "M000E"

    def _start(self, potentiostat: Potentiostat, amplitude: float, level: float) -> None:
        potentiostat.drive(level)
        if amplitude > potentiostat.applied_currents.clip:
            raise ScriptError(Code.AMPLITUDE)

    def _peaks(self, impedance: float) -> tuple[float, float]:
        return self._peak, self._peak * impedance
