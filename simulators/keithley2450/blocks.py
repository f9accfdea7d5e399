"""The blocks a trigger model is built of (2461 reference manual, :TRIGger:BLOCk)."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from simulators.keithley2450.buffers import BufferedReading
from simulators.keithley2450.sourcemeter import SourceMeter
from simulators.scpi import Kind

AT_ONCE = 10e-6
"""Seconds a block takes that only decides or sets something [M]."""


@dataclass(slots=True)
class Run:
    """Where a running model is: its own time in seconds since switch-on, and its last reading."""

    smu: SourceMeter
    time: float
    last: BufferedReading | None = None


@dataclass(slots=True)
class Block:
    """One block. It takes `seconds`; then `act` returns which block to go to, None for the next."""

    @property
    def is_at_once(self) -> bool:
        """Whether it takes no time worth mentioning."""
        return True

    def seconds(self, run: Run) -> float:
        return AT_ONCE

    def act(self, run: Run) -> int | None:
        return None

    def rewind(self) -> None:
        """Forget what was counted; called at each start."""


@dataclass(slots=True)
class Nothing(Block):
    """Does nothing (NOP)."""


@dataclass(slots=True)
class ClearBuffer(Block):
    buffer: str

    def act(self, run: Run) -> int | None:
        run.smu.buffers[self.buffer].clear()
        return None


@dataclass(slots=True)
class SetOutput(Block):
    on: bool

    def act(self, run: Run) -> int | None:
        run.smu.settings.output.value = self.on
        return None


@dataclass(slots=True)
class Wait(Block):
    """A constant delay."""

    delay: float

    @property
    def is_at_once(self) -> bool:
        return self.delay <= AT_ONCE

    def seconds(self, run: Run) -> float:
        return max(self.delay, AT_ONCE)


@dataclass(slots=True)
class Measure(Block):
    """One reading after another into a buffer, `count` of them."""

    buffer: str
    count: int = 1
    taken: int = 0

    @property
    def is_at_once(self) -> bool:
        return False

    def seconds(self, run: Run) -> float:
        return run.smu.measurement_seconds()

    def act(self, run: Run) -> int | None:
        run.last = run.smu.take(run.time, start_group=not self.taken)
        run.smu.buffers[self.buffer].append(run.last)
        self.taken += 1
        if self.taken < self.count:
            return SAME
        self.taken = 0
        return None

    def rewind(self) -> None:
        self.taken = 0


SAME = -1
"""In place of a number: the same block again."""


@dataclass(slots=True)
class BranchCounter(Block):
    """Go to `target` until passed `count` times."""

    count: int
    target: int
    passed: int = 0

    def act(self, run: Run) -> int | None:
        self.passed += 1
        if self.passed < self.count:
            return self.target
        self.passed = 0
        return None

    def rewind(self) -> None:
        self.passed = 0


@dataclass(slots=True)
class BranchAlways(Block):
    target: int

    def act(self, run: Run) -> int | None:
        return self.target


@dataclass(slots=True)
class BranchElapsed(Block):
    """Go to `target` for `duration` seconds from the start: the end of the DurationLoop."""

    duration: float
    target: int
    began: float | None = None

    def act(self, run: Run) -> int | None:
        if self.began is None:
            self.began = run.time
        return self.target if run.time - self.began < self.duration else None

    def rewind(self) -> None:
        self.began = None


class Side(StrEnum):
    """Which side of the limits a reading must be on to branch. ABOVE looks at B only, BELOW at A only."""

    ABOVE = "ABOV"
    BELOW = "BEL"
    INSIDE = "IN"
    OUTSIDE = "OUT"


BEYOND: dict[Side, Callable[[float, float, float], bool]] = {
    Side.ABOVE: lambda value, a, b: value > b,
    Side.BELOW: lambda value, a, b: value < a,
    Side.INSIDE: lambda value, a, b: a <= value <= b,
    Side.OUTSIDE: lambda value, a, b: not a <= value <= b,
}


@dataclass(slots=True)
class BranchLimit(Block):
    """Go to `target` if the last reading is on `side` of the limits."""

    side: Side
    a: float
    b: float
    target: int

    def act(self, run: Run) -> int | None:
        if run.last is None:
            return None
        return self.target if BEYOND[self.side](run.last.reading, self.a, self.b) else None


LOGGED = {Kind.ERROR: 2731, Kind.WARNING: 2730, Kind.INFORMATION: 2729}
"""Event numbers of what a trigger model logs [M]."""


@dataclass(slots=True)
class LogEvent(Block):
    text: str
    kind: Kind

    def act(self, run: Run) -> int | None:
        run.smu.note(LOGGED[self.kind], self.text, self.kind)
        return None
