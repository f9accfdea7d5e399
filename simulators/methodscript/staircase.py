"""Points along a staircase of potentials or currents: LSV, LSP and CV."""

from abc import abstractmethod
from collections.abc import Iterator
from math import ceil, inf

from simulators.methodscript.errors import Code, ScriptError
from simulators.methodscript.machine import Machine, Measurement
from simulators.methodscript.order import Order
from simulators.methodscript.steady import connected
from simulators.methodscript.vartypes import APPLIED_POTENTIAL, CURRENT, POTENTIAL


def stairs(begin: float, end: float, step: float) -> Iterator[float]:
    """Yield the levels after `begin` up to exactly `end`; the last step may be a smaller one."""
    steps = ceil(abs(end - begin) / step - 1e-6)
    for index in range(1, steps):
        yield begin + (end - begin) / abs(end - begin) * index * step
    if steps:
        yield end


class Staircase(Measurement):
    """Each level is held for `step / scan rate` seconds and measured at its end."""

    def __init__(self, machine: Machine, order: Order) -> None:
        connected(machine)
        *self.corners, step, rate = order.arguments
        self._potential, self._current = order.outputs
        self._extras = order.extras
        self._step = step
        self._start = machine.potentiostat.time
        self._seconds = step / rate
        self._index = 0
        self._levels = self.levels(machine)
        self._advance(machine)

    @abstractmethod
    def levels(self, machine: Machine) -> Iterator[float]:
        """Yield every level in turn."""

    @abstractmethod
    def apply(self, machine: Machine, level: float) -> None:
        """Set the level that comes next."""

    def _advance(self, machine: Machine) -> None:
        level = next(self._levels, None)
        self._index += 1
        self.due = inf if level is None else self._start + self._index * self._seconds
        if level is not None:
            self.apply(machine, level)

    def take(self, machine: Machine) -> None:
        machine.potentiostat.live_until(self.due)
        self.measure(machine)
        for extra in self._extras:
            extra.take(machine)
        self._advance(machine)

    @abstractmethod
    def measure(self, machine: Machine) -> None:
        """Store potential and current."""


class Voltammetry(Staircase):
    """A staircase of potentials."""

    def __init__(self, machine: Machine, order: Order) -> None:
        *corners, step, _ = order.arguments
        potentiostat = machine.potentiostat
        potentiostat.need(galvanostat=False)
        for corner in corners:
            potentiostat.check_potential(corner)
        if step < potentiostat.ratings.smallest_step:
            raise ScriptError(Code.STEP_TOO_SMALL)
        order.mark(machine, APPLIED_POTENTIAL, CURRENT)
        super().__init__(machine, order)

    def apply(self, machine: Machine, level: float) -> None:
        machine.potentiostat.hold(level)

    def measure(self, machine: Machine) -> None:
        machine.values[self._potential] = machine.potentiostat.set_volts
        slot = self._current
        machine.values[slot], machine.metadata[slot] = machine.potentiostat.read_current()


class LinearSweep(Voltammetry):
    """`meas_loop_lsv`: from begin to end, both measured."""

    technique = "M0000"

    def levels(self, machine: Machine) -> Iterator[float]:
        begin, end = self.corners
        yield begin
        yield from stairs(begin, end, self._step)


class CyclicVoltammetry(Voltammetry):
    """`meas_loop_cv`: begin, first vertex, second vertex, begin; `nscans` times without a pause.

    With more than one scan each is framed by `C` + its number from 0 and `-`.
    """

    technique = "M0005"

    def __init__(self, machine: Machine, order: Order) -> None:
        self._scans = order.scans
        self._announced: str | None = None
        self._reversed = False
        super().__init__(machine, order)

    def levels(self, machine: Machine) -> Iterator[float]:
        begin, first, second = self.corners
        level = begin
        for scan in range(self._scans):
            if self._scans > 1:
                self._announced = ("-\n" if scan else "") + f"C{scan:04X}\n"
            if not scan:
                yield begin
            for corner in (first, second, begin):
                for stair in stairs(level, corner, self._step):
                    level = stair
                    yield level
                    if self._reversed:
                        self._reversed = False
                        break

    def take(self, machine: Machine) -> None:
        if self._announced is not None:
            machine.say(self._announced)
            self._announced = None
        super().take(machine)

    def close(self, machine: Machine) -> None:
        if self._scans > 1:
            machine.say("-\n")

    def reverse(self) -> bool:
        """Go on towards the next corner from where the sweep is."""
        self._reversed = True
        return True


class LinearCurrentSweep(Staircase):
    """`meas_loop_lsp`: from begin to end in steps of current, both measured."""

    technique = "M0009"

    def __init__(self, machine: Machine, order: Order) -> None:
        *corners, _step, _rate = order.arguments
        potentiostat = machine.potentiostat
        potentiostat.need(galvanostat=True)
        for corner in corners:
            potentiostat.check_current(corner)
        order.mark(machine, POTENTIAL, CURRENT)
        super().__init__(machine, order)

    def levels(self, machine: Machine) -> Iterator[float]:
        begin, end = self.corners
        yield begin
        yield from stairs(begin, end, self._step)

    def apply(self, machine: Machine, level: float) -> None:
        machine.potentiostat.drive(level)

    def measure(self, machine: Machine) -> None:
        slot = self._potential
        machine.values[slot], machine.metadata[slot] = machine.potentiostat.read_voltage()
        slot = self._current
        machine.values[slot], machine.metadata[slot] = machine.potentiostat.read_current()
