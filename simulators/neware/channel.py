"""One channel of the cycler: the test it runs or ran last, and how much of it is shown."""

import math
import sys
from enum import StrEnum
from pathlib import Path
from typing import NamedTuple

from simulators.cells.base import Cell
from simulators.clock import Clock
from simulators.neware.drive import Seen
from simulators.neware.execution import Ending, Execution
from simulators.neware.meter import RANGES, VOLTS, Meter
from simulators.neware.step_file import Step, StepFile, StepFileError

STALE = 5.0
"""Seconds: what is shown is refreshed as often, and never better."""

SLICE = 0.2
"""Seconds of everybody's time a held clock is let go on for, for one download."""

PAGE = 1000
"""Records of one download."""

STARTED, ENDED = 100000, 100001
"""Log codes whose meaning is known."""


class Status(StrEnum):
    """`workstatus`."""

    WORKING = "working"
    STOP = "stop"
    FINISH = "finish"
    PROTECT = "protect"


class Entry(NamedTuple):
    """One line of a test's log."""

    seqid: int
    code: int
    moment: float


class Test:
    """A step file being run, or that was run, under a number and a barcode."""

    def __init__(self, number: int, barcode: str, execution: Execution, moment: float) -> None:
        self.number = number
        self.barcode = barcode
        self.execution = execution
        self.began = moment
        self.stopped: float | None = None
        self.log = [Entry(1, STARTED, moment)]


class Channel:
    """Lives when it is asked: up to now by its clock or, where the clock stands, as far as is asked for."""

    def __init__(self, place: str, cell: Cell, clock: Clock, seed: int) -> None:
        self.place = place
        self.cell = cell
        self.clock = clock
        self.lit = False
        self.tests: list[Test] = []
        self._meter = Meter(cell, seed)
        self._rested = clock.now()  # the moment up to which the cell has lived with its circuit open

    @property
    def test(self) -> Test | None:
        """The test under way, or the last one."""
        return self.tests[-1] if self.tests else None

    @property
    def working(self) -> bool:
        """Whether the circuit may be closed."""
        test = self.test
        return test is not None and test.stopped is None and test.execution.ending is None

    def live(self) -> None:
        """Let everything happen that should have by now."""
        now = self.clock.now()
        if self.working and self.test is not None:
            self.test.execution.advance(now, sys.maxsize)
        self._settle(now)

    async def go_on(self) -> None:
        """Live up to now; as fast as it can, a page at every question, where nobody holds the clock."""
        if math.isinf(self.clock.speed) and not self.clock.held and self.test is not None:
            await self.take(len(self.test.execution.records) + PAGE)
        elif not self.clock.standing:
            self.live()

    async def take(self, records: int) -> None:
        """Live until there are so many records, where the clock goes only as far as it is taken."""
        test = self.test
        if test is None or not self.working or not self.clock.standing:
            self.live()
            return
        until = self.clock.now() + SLICE * self.clock.speed
        test.execution.advance(until, records)
        self._settle(test.execution.time)
        await self.clock.reach(test.execution.time)

    def start(self, number: int, barcode: str, path: str) -> bool:
        """Begin a test with the step file at a path; whether that was possible."""
        self.live()
        if self.working:
            return False
        try:
            program = StepFile.parse(Path(path).read_bytes())
            for step in program.steps.values():
                if isinstance(step, Step):
                    _check(step)
        except (OSError, ValueError, StepFileError):
            return False
        now = self.clock.now()
        execution = Execution(program, self.cell, self._meter, now, RANGES[-1])
        self.tests.append(Test(number, barcode, execution, now))
        return True

    def stop(self) -> bool:
        """Open the circuit; whether there was anything to stop."""
        self.live()
        test = self.test
        if test is None or not self.working:
            return False
        test.stopped = self._rested = max(self.clock.now(), test.execution.time)
        test.log.append(Entry(len(test.execution.records), ENDED, test.stopped))
        return True

    def proceed(self) -> bool:
        """Go on with a test that was stopped."""
        self.live()
        test = self.test
        if test is None or test.stopped is None:
            return False
        test.execution.wait(self.clock.now() - test.execution.time)
        test.stopped = None
        return True

    def go_to(self, step: int) -> bool:
        """Leave the step under way for another."""
        self.live()
        test = self.test
        if test is None or not self.working:
            return False
        return test.execution.go_to(step)

    @property
    def shown(self) -> float:
        """The moment as of which things are shown."""
        now = self.clock.now()
        return now if self.clock.standing else math.floor(now / STALE) * STALE

    @property
    def status(self) -> Status:
        """What the channel is shown to be doing."""
        test = self.test
        if test is None:
            return Status.FINISH
        if test.stopped is not None:
            return Status.STOP
        ending = test.execution.ending
        if ending is None or self.shown < test.execution.time:
            return Status.WORKING
        return Status.PROTECT if ending is Ending.PROTECTED else Status.FINISH

    def count(self, test: Test) -> int:
        """Return how many records of a test are shown."""
        records, shown = test.execution.records, self.shown
        high = len(records)
        if test.stopped is not None or not high or records.moment(high) <= shown:
            return high
        low = 0
        while high - low > 1:
            middle = (low + high) // 2
            low, high = (middle, high) if records.moment(middle) <= shown else (low, middle)
        return low

    def measured(self) -> Seen:
        """Return voltage and current as they are now, the circuit open."""
        return self._meter.measured(Seen(self.cell.drive_current(0.0, 0.0), 0.0))

    def _settle(self, now: float) -> None:
        """Note the end of a test that is over; rest."""
        test = self.test
        if self.working:
            return
        if test is not None and test.stopped is None and test.log[-1].code != ENDED:
            test.log.append(Entry(len(test.execution.records), ENDED, test.execution.time))
            self._rested = test.execution.time
        if now > self._rested:
            self.cell.drive_current(0.0, now - self._rested)
            self._rested = now


def _check(step: Step) -> None:
    """Refuse what the channel cannot do. Raises `StepFileError`."""
    if step.amperes != math.inf and not step.amperes <= RANGES[-1]:
        raise StepFileError(f"step {step.number}: {step.amperes:g} A is beyond {RANGES[-1]:g} A")
    if not abs(step.volts) <= VOLTS or not abs(step.stop_volts or 0.0) <= VOLTS:
        raise StepFileError(f"step {step.number}: beyond {VOLTS:g} V")
