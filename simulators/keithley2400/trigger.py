"""The arm and trigger layers, and the memory their readings may go to."""

import math
import statistics
from collections.abc import Callable

from simulators.clock import Clock
from simulators.keithley2400.sourcemeter import Reading, SourceMeter
from simulators.scpi import Choice, Integer, Number, ScpiError, Setting

MOST_READINGS = 2500
"""Of one INITiate, and of the memory."""

LONGEST_WAIT = 100e3
"""Seconds a query waits for readings: longer, and it never ends."""

FUNCTIONS_OF: dict[str, Callable[[list[float]], float]] = {
    "MEAN": statistics.fmean,
    "SDEV": lambda values: statistics.stdev(values) if len(values) > 1 else 0.0,
    "MAX": max,
    "MIN": min,
    "PKPK": lambda values: max(values) - min(values),
}


class Memory:
    """Up to `points` readings; it takes them while its feed is NEXT, until it is full."""

    def __init__(self) -> None:
        self.points = Setting(Integer(1, MOST_READINGS, 100), 100, changed=lambda _: self.clear())
        self.control = Setting(Choice("NEXT", "NEVer"), "NEV")
        self.readings: list[Reading] = []

    @property
    def full(self) -> bool:
        return len(self.readings) >= self.points.value

    def clear(self) -> None:
        self.readings = []

    def take(self, reading: Reading) -> None:
        """Keep a reading, if it is to keep any."""
        if self.control.value == "NEXT" and not self.full:
            self.readings.append(reading)
            if self.full:
                self.control.value = "NEV"

    def figure(self, word: str) -> list[float]:
        """Return one figure each of volts, amperes and ohms. Raises `ScpiError` -230 of an empty memory."""
        if not self.readings:
            raise ScpiError(-230)
        columns = zip(*((r.volts, r.amperes, r.ohms) for r in self.readings), strict=True)
        return [FUNCTIONS_OF[word](list(column)) for column in columns]

    def reset(self) -> None:
        self.points.reset()
        self.control.reset()
        self.clear()


class Triggering:
    """ARM:COUNt times TRIGger:COUNt readings for each INITiate, taken in the instrument's own time."""

    def __init__(self, smu: SourceMeter, clock: Clock, memory: Memory) -> None:
        self._smu = smu
        self._clock = clock
        self._memory = memory
        self.arm_count = Setting(Integer(1, MOST_READINGS, 1), 1, self._check(lambda: self.count.value))
        self.count = Setting(Integer(1, MOST_READINGS, 1), 1, self._check(lambda: self.arm_count.value))
        self.delay = Setting(Number(0.0, 999.9999, 0.0), 0.0)
        self.arm_timer = Setting(Number(1e-3, 99999.99, 0.1), 0.1)
        self.arm_source = Setting(
            Choice("IMMediate", "TIMer", "MANual", "BUS", "TLINk", "NSTest", "PSTest", "BSTest"), "IMM"
        )
        self.source = Setting(Choice("IMMediate", "TLINk"), "IMM")
        self.last: list[Reading] = []
        self._left = 0
        self._next = math.inf  # when the next reading is there
        self._armed = False

    @property
    def running(self) -> bool:
        return self._armed or self._left > 0

    def start(self, moment: float) -> None:
        """INITiate. Raises `ScpiError` -213 while running, 803 with the output off."""
        if self.running:
            raise ScpiError(-213)
        if not self._smu.settings.output.value:
            raise ScpiError(803, "Not permitted with OUTPUT off")
        self.last = []
        if self.arm_source.value in ("IMM", "TIM") and self.source.value == "IMM":
            self._go(moment)
        else:
            self._armed = True

    def trigger(self, moment: float) -> None:
        """*TRG: what waits for the bus goes on."""
        if self._armed and self.arm_source.value == "BUS":
            self._armed = False
            self._go(moment)
        else:
            raise ScpiError(-211, "Trigger ignored")

    async def finish(self) -> None:
        """Return once every reading is taken. Raises `ScpiError` -214 where none will ever be."""
        while self.running:
            moment = self._next
            if moment > self._smu.lived + LONGEST_WAIT:
                self.abort()
                raise ScpiError(-214, "Trigger deadlock")
            await self._clock.reach(moment)
            self.live(moment)

    def abort(self) -> None:
        self._armed, self._left, self._next = False, 0, math.inf

    def live(self, moment: float) -> None:
        """Take every reading that is due by `moment`."""
        while self._left and self._next <= moment:
            reading = self._smu.take(self._next)
            self.last.append(reading)
            self._memory.take(reading)
            self._left -= 1
            self._schedule(self._next)

    def reset(self) -> None:
        self.abort()
        self.last = []
        for one in (self.arm_count, self.count):
            one.reset()
        for number in (self.delay, self.arm_timer):
            number.reset()
        for choice in (self.arm_source, self.source):
            choice.reset()

    def _go(self, moment: float) -> None:
        self._left = self.arm_count.value * self.count.value
        self._schedule(moment)

    def _schedule(self, moment: float) -> None:
        """Say when the next reading ends; with the timer, at its interval at the earliest."""
        if not self._left:
            self._next = math.inf
            return
        self._next = moment + self.delay.value + self._smu.measurement_seconds()
        if self.arm_source.value == "TIM" and self.last:
            self._next = max(self._next, moment + self.arm_timer.value)

    def _check(self, other: Callable[[], int]) -> Callable[[int], None]:
        def check(value: int) -> None:
            if value * other() > MOST_READINGS:
                raise ScpiError(-222)

        return check
