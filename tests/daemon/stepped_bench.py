"""A stepped channel whose cell one can predict by hand, and a clock that jumps."""

import asyncio
from collections.abc import Callable

from drivers.base import SteppedChannel
from drivers.clock import Clock
from drivers.errors import LinkError
from protocols.limits import Bound, Limits, Range
from protocols.reading import Reading
from protocols.setpoint import AtRest, Current, Setpoint, Voltage


class JumpClock(Clock):
    """Sleeping takes no time at all and moves the hands instead."""

    def __init__(self) -> None:
        self.time = 100.0

    async def now(self) -> float:
        return self.time

    async def sleep_until(self, moment: float) -> float:
        await asyncio.sleep(0)  # a stop or a pause gets its turn here, as it would in a lab
        self.time = max(self.time, moment)
        return self.time


class LinearCell(SteppedChannel):
    """3.0 V + 1.2 V per 3600 C behind 0.05 ohm; every reading takes 2 ms."""

    def __init__(self, clock: JumpClock, charge: float = 1800.0) -> None:
        self.clock = clock
        self.charge = charge
        self.setpoint: Setpoint | None = None
        self.applied: list[Setpoint] = []
        self.offs = 0
        self.before_reading: Callable[[int], None] = lambda number: None
        self.readings = 0
        self._seen = clock.time

    @property
    def open_circuit(self) -> float:
        return 3.0 + 1.2 * self.charge / 3600.0

    async def prepare(self, limits: Limits) -> None:
        self._live()

    async def apply(self, setpoint: Setpoint) -> None:
        self._live()
        self.setpoint = setpoint
        self.applied.append(setpoint)

    async def measure(self, within: float) -> Reading:
        self.readings += 1
        self.before_reading(self.readings)
        self.clock.time += 0.002
        self._live()
        if self.setpoint is None:
            raise LinkError("the output is off")
        current = self._current()
        return Reading(self.clock.time - 90.0, self.open_circuit + 0.05 * current, current)

    async def off(self) -> None:
        self._live()
        self.setpoint = None
        self.offs += 1

    def _live(self) -> None:
        """Let the cell live up to now, in steps short enough for a held voltage."""
        left = self.clock.time - self._seen
        self._seen = self.clock.time
        while left > 0:
            step = min(left, 0.5)
            self.charge += self._current() * step
            left -= step

    def _current(self) -> float:
        match self.setpoint:
            case Current(amperes):
                return amperes
            case Voltage(volts, clamp):
                return max(-clamp, min(clamp, (volts - self.open_circuit) / 0.05))
            case AtRest() | None:
                return 0.0


def window(voltage: tuple[float, float], current: float) -> Limits:
    """Return limits as a cell file might set them."""
    return Limits(
        voltage=Range(Bound(voltage[0], "cell"), Bound(voltage[1], "cell")),
        current=Range(Bound(-current, "cell"), Bound(current, "cell")),
    )
