"""How often a script samples: fast at first, finer close to an end."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Self

from drivers.base import Program
from drivers.emstat4_conditions import held
from drivers.ends import Done
from drivers.methodscript import Script, literal
from protocols.conditions import Comparison, Quantity
from protocols.limits import Range
from protocols.techniques import ConstantCurrent

SHORTEST_INTERVAL = 1e-3
"""Seconds between samples of a script that also judges them."""

FIRST_INTERVAL = 0.1
"""Seconds between the first samples of a step, which is looked at closely before it is trusted."""

FINER = 10
"""By how much the interval shrinks close to an end, so that the end is overshot that much less."""

NEAR_VOLTS = 0.01
"""How close to a cut-off the voltage, seen two samples ahead, makes sampling finer."""

NEAR_SAMPLES = 1.5
"""How many samples before an end by time or charge sampling becomes finer."""

SAMPLES_BEFORE_GROWING = 100
"""How many samples of a fast beginning are taken before the interval grows tenfold."""

BANDWIDTH_TIMES_INTERVAL = 5.850535
"""Bandwidth in hertz times interval in seconds, as the maker's own scripts choose it."""


@dataclass(frozen=True, slots=True)
class Pacing:
    """Intervals in seconds: the usual one, the one at the start, the one close to an end.

    `near` are tests of which any says that an end is close; in them `x` is the voltage two samples ahead.
    `run_time` is how long a measurement loop is told to last: longer than the step may, whose
    samples end it and say why.
    """

    interval: float
    first: float
    fine: float
    near: tuple[str, ...]
    run_time: float

    @classmethod
    def of(cls, program: Program, seconds: float, voltage: Range) -> Self:
        """Choose the pace of a step that may last `seconds` inside the window `voltage`."""
        record = program.step.record
        interval = program.sample if record.every is None else min(program.sample, record.every)
        interval = max(interval, SHORTEST_INTERVAL)
        first = FIRST_INTERVAL if record.per_decade is None else record.from_time or SHORTEST_INTERVAL
        first = min(interval, max(first, SHORTEST_INTERVAL))
        fine = max(interval / FINER, SHORTEST_INTERVAL)
        near = tuple(_near_tests(program, interval, voltage)) if fine < interval else ()
        return cls(interval, first, fine, near, seconds + 10.0 * interval)

    @property
    def bandwidth(self) -> float:
        """Hertz that the shortest interval needs; it is not touched while the cell is connected."""
        return BANDWIDTH_TIMES_INTERVAL / min(self.first, self.fine if self.near else self.interval)

    def loop(self, script: Script, head: str, sample: Callable[[], None]) -> None:
        """Write the measurement loop `head` (which names the interval `d`), begun anew for each interval."""
        script.set("d", self.first, "eb")
        script.set("h", self.first * SAMPLES_BEFORE_GROWING, "eb")
        script.set("m", 1.0, "jd")
        script.add("timer_start")
        with script.loop("loop m > 0"):
            script.set("m", 0.0, "jd")
            with script.loop(f"{head} d {literal(self.run_time)}"):
                sample()
                self._change_pace(script)
                script.add("copy_var e p")
                for reason in ("k > 0", "m > 0"):
                    with script.when(reason):
                        script.add("breakloop")
            with script.when("k > 0"):
                script.set("m", 0.0, "jd")

    def _change_pace(self, script: Script) -> None:
        if self.first < self.interval:
            with script.when(f"d < {literal(self.interval)}", "t >= h"):
                script.set("m", 1.0, "jd")
                script.add("mul_var d 10")
                with script.when(f"d > {literal(self.interval)}"):
                    script.set("d", self.interval, "eb")
                script.add("copy_var d h", f"mul_var h {SAMPLES_BEFORE_GROWING}")
        if self.near:
            script.add("copy_var e x", "sub_var x p", "mul_var x 2", "add_var x e")
            with script.when(f"d > {literal((self.interval + self.fine) / 2)}"):
                for test in self.near:
                    with script.when(test):
                        script.set("m", 1.0, "jd")
                with script.when("m > 0"):
                    script.set("d", self.fine, "eb")
                    script.set("h", 2.0 * self.run_time, "eb")  # and never coarser again


def _near_tests(program: Program, interval: float, voltage: Range) -> Iterator[str]:
    step = program.step
    comparisons = [] if step.until is None else [each for each in step.until.comparisons() if held(each)]
    done = Done.before(program)
    amperes = step.technique.amperes if isinstance(step.technique, ConstantCurrent) else 0.0
    for comparison in comparisons:
        yield from _near_test(comparison, done, interval, amperes)
    if amperes > 0.0 and voltage.high is not None:
        yield f"x >= {literal(voltage.high.value - NEAR_VOLTS)}"
    if amperes < 0.0 and voltage.low is not None:
        yield f"x <= {literal(voltage.low.value + NEAR_VOLTS)}"


def _near_test(comparison: Comparison, done: Done, interval: float, amperes: float) -> Iterator[str]:
    value = comparison.value - done.of(comparison.quantity)
    match comparison.quantity:
        case Quantity.TIME:
            yield f"t >= {literal(value - NEAR_SAMPLES * interval)}"
        case Quantity.CAPACITY if amperes:
            ahead = value - NEAR_SAMPLES * interval * abs(amperes)
            yield f"q >= {literal(ahead)}" if amperes > 0 else f"q <= {literal(-ahead)}"
        case Quantity.VOLTAGE if comparison.relation.rising and amperes >= 0.0:
            yield f"x >= {literal(comparison.value - NEAR_VOLTS)}"
        case Quantity.VOLTAGE if not comparison.relation.rising and amperes <= 0.0:
            yield f"x <= {literal(comparison.value + NEAR_VOLTS)}"
