"""Points at a fixed interval under one setting: OCP, CA and CP."""

from math import inf

from simulators.methodscript.errors import Code, ScriptError
from simulators.methodscript.machine import Machine, Measurement
from simulators.methodscript.order import Order
from simulators.methodscript.vartypes import APPLIED_POTENTIAL, CURRENT, POTENTIAL


class Steady(Measurement):
    """One point at the end of every interval; a rest shorter than an interval is not measured."""

    def __init__(self, machine: Machine, interval: float, duration: float) -> None:
        self._left = int(duration / interval + 1e-6)
        if self._left < 1:
            raise ScriptError(Code.NO_STEP)
        self._start = machine.potentiostat.time
        self._interval = interval
        self._index = 0
        self._next()

    def _next(self) -> None:
        self._index += 1
        self.due = self._start + self._index * self._interval if self._index <= self._left else inf


class OpenCircuit(Steady):
    """`meas_loop_ocp`: the potential of the resting cell."""

    technique = "M000B"

    def __init__(self, machine: Machine, order: Order) -> None:
        potentiostat = machine.potentiostat
        if potentiostat.on:
            raise ScriptError(Code.OPEN_CIRCUIT_WITH_CELL_ON)
        if potentiostat.mode == 0:
            raise ScriptError(Code.WRONG_MODE)
        interval, duration = order.arguments
        super().__init__(machine, interval, duration)
        self._potential = order.outputs[0]
        self._extras = order.extras
        order.mark(machine, POTENTIAL)

    def take(self, machine: Machine) -> None:
        machine.potentiostat.live_until(self.due)
        slot = self._potential
        machine.values[slot], machine.metadata[slot] = machine.potentiostat.read_voltage()
        for extra in self._extras:
            extra.take(machine)
        self._next()


class Chronoamperometry(Steady):
    """`meas_loop_ca`: the current at a potential, which is given back as applied."""

    technique = "M0007"

    def __init__(self, machine: Machine, order: Order) -> None:
        volts, interval, duration = order.arguments
        machine.potentiostat.hold(volts)
        connected(machine)
        super().__init__(machine, interval, duration)
        self._potential, self._current = order.outputs
        self._extras = order.extras
        order.mark(machine, APPLIED_POTENTIAL, CURRENT)

    def take(self, machine: Machine) -> None:
        potentiostat = machine.potentiostat
        potentiostat.live_until(self.due)
        slot = self._current
        machine.values[self._potential] = potentiostat.set_volts
        machine.values[slot], machine.metadata[slot] = potentiostat.read_current()
        for extra in self._extras:
            extra.take(machine)
        self._next()


class Chronopotentiometry(Steady):
    """`meas_loop_cp`: the potential under a current; the current is measured too."""

    technique = "M0008"

    def __init__(self, machine: Machine, order: Order) -> None:
        amperes, interval, duration = order.arguments
        machine.potentiostat.drive(amperes)
        connected(machine)
        super().__init__(machine, interval, duration)
        self._potential, self._current = order.outputs
        self._extras = order.extras
        order.mark(machine, POTENTIAL, CURRENT)

    def take(self, machine: Machine) -> None:
        potentiostat = machine.potentiostat
        potentiostat.live_until(self.due)
        values, metadata = machine.values, machine.metadata
        values[self._potential], metadata[self._potential] = potentiostat.read_voltage()
        values[self._current], metadata[self._current] = potentiostat.read_current()
        for extra in self._extras:
            extra.take(machine)
        self._next()


def connected(machine: Machine) -> None:
    """Refuse to measure under load with the cell off."""
    if not machine.potentiostat.on:
        raise ScriptError(Code.NEEDS_CELL_ON)
