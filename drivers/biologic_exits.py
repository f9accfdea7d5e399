"""What ends a step on a Bio-Logic: a length of time, and an edge on either side of what is not held.

It can compare a voltage where it holds a current, and a current where it holds a voltage; of a constant
current it knows by the time what charge has passed. Whatever else a step may end by is left to the host.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import inf

from drivers.ends import Done, conjunctions
from protocols.conditions import Comparison, Quantity
from protocols.limits import Limits, Range
from protocols.plan import PlannedStep
from protocols.reading import Reading
from protocols.techniques import ConstantCurrent, ConstantVoltage

INSIDE = 1e-3
"""By how much (volts) an end that lies on the window's edge is met before it, so that it is no trip."""

TIME_SLACK = (2e-3, 1e-5)
"""Seconds, and a share of the time, by which the last row may be short of the end of a step."""

NEAR_VOLTS = 0.02
NEAR_SHARE = 0.2
"""How far from an edge the last row may be for the step to have ended by it: volts; a share of a current."""

SHORTEST = 1e-3
"""Seconds of a step of which nothing is left."""


@dataclass(frozen=True, slots=True)
class Edge:
    """A value that is not crossed, and what it means: an end of the step, or a limit of the window."""

    value: float
    text: str
    limit: bool = False


@dataclass(frozen=True, slots=True)
class Exits:
    """`seconds` is how long the step lasts at most; `low` and `high` are edges of `observed`.

    `observed` is voltage or current, None where the instrument compares nothing. `host` holds the ends
    that only the host can judge.
    """

    seconds: Edge
    observed: Quantity | None = None
    low: Edge | None = None
    high: Edge | None = None
    host: tuple[str, ...] = ()

    def met(self, seconds: float, last: Reading | None) -> Edge | None:
        """Return what ended a step after so many seconds with that last row, as far as one can tell."""
        slack, share = TIME_SLACK
        if seconds >= self.seconds.value * (1.0 - share) - slack:
            return self.seconds
        if last is None or self.observed is None:
            return None
        return self._crossed(last.voltage if self.observed is Quantity.VOLTAGE else last.current)

    def _crossed(self, value: float) -> Edge | None:
        """Return the edge the value is at or beyond, the one it is farther beyond of two."""
        beyond: list[tuple[float, Edge]] = []
        if self.high is not None:
            beyond.append((value - self.high.value, self.high))
        if self.low is not None:
            beyond.append((self.low.value - value, self.low))
        excess, edge = max(beyond, key=lambda pair: pair[0], default=(-inf, None))
        if edge is None:
            return None
        near = NEAR_VOLTS if self.observed is Quantity.VOLTAGE else NEAR_SHARE * abs(edge.value)
        return edge if excess >= -near else None


def exits_of(step: PlannedStep, limits: Limits, done: Done, charging: bool = True) -> Exits:
    """Return what ends the step inside `limits`; a held voltage draws a current that is `charging` or not."""
    collected = _Collected(step, limits, done, charging)
    if step.until is not None:
        comparisons = list(step.until.comparisons())
        for indices in conjunctions(step.until):
            collected.take([comparisons[index] for index in indices])
    return collected.exits


def limit_text(edge: Edge, last: Reading | None, limits: Limits) -> str:
    """Return what to say where an edge that is a limit was met."""
    if last is not None and edge.text == "voltage":
        return f"voltage {last.voltage:g} V is outside {limits.voltage} V"
    if last is not None and edge.text == "current":
        return f"current {last.current:g} A is outside {limits.current} A"
    return f"{edge.text} is outside its limit"


class _Collected:
    """Collects the ends of one step; of several on one side the nearest counts."""

    def __init__(self, step: PlannedStep, limits: Limits, done: Done, charging: bool) -> None:
        self._amperes = step.technique.amperes if isinstance(step.technique, ConstantCurrent) else None
        self._done, self._charging, self._window = done, charging, limits.voltage
        self.exits = Exits(Edge(max(step.ceiling.seconds - done.seconds, SHORTEST), "step time", limit=True))
        if self._amperes is not None:
            charge = max(step.ceiling.coulombs - done.coulombs, 0.0)
            self._last(charge / abs(self._amperes), "step capacity", limit=True)
            self._observe(Quantity.VOLTAGE, limits.voltage)
        elif isinstance(step.technique, ConstantVoltage):
            self._observe(Quantity.CURRENT, limits.current)

    def take(self, parts: Sequence[Comparison]) -> None:
        """Take one alternative: the step is over once every part of it holds."""
        lengths = [self._seconds(part) for part in parts]
        if all(seconds is not None for seconds in lengths):
            self._last(max(seconds for seconds in lengths if seconds is not None), parts[-1].text)
        elif len(parts) > 1 or not self._compared(parts[0]):
            self.exits = replace(self.exits, host=(*self.exits.host, " and ".join(p.text for p in parts)))

    def _seconds(self, part: Comparison) -> float | None:
        """Return the length of step after which it holds, None where no length tells."""
        if part.relative_to is not None or not part.relation.rising:
            return None
        if part.quantity is Quantity.TIME:
            return part.value - self._done.seconds
        if part.quantity is Quantity.CAPACITY and self._amperes is not None:
            return (part.value - self._done.coulombs) / abs(self._amperes)
        return None

    def _compared(self, part: Comparison) -> bool:
        """Make it an edge of what the instrument compares; return whether it could be."""
        if part.quantity is not self.exits.observed:
            return False
        if part.quantity is Quantity.VOLTAGE:
            self._edge(part.relation.rising, self._inside(part), part.text)
        elif part.relation.rising:  # a magnitude
            self._edge(True, part.value, part.text)
            self._edge(False, -part.value, part.text)
        else:
            self._edge(not self._charging, part.value if self._charging else -part.value, part.text)
        return True

    def _inside(self, part: Comparison) -> float:
        """Return the voltage of an end, a little inside the window where it lies on its edge."""
        window = self._window.low if not part.relation.rising else self._window.high
        if window is None or abs(part.value - window.value) >= INSIDE:
            return part.value
        return window.value - INSIDE if part.relation.rising else window.value + INSIDE

    def _observe(self, quantity: Quantity, window: Range) -> None:
        self.exits = replace(self.exits, observed=quantity)
        for bound, high in ((window.low, False), (window.high, True)):
            if bound is not None:
                self._edge(high, bound.value, str(quantity), limit=True)

    def _edge(self, high: bool, value: float, text: str, limit: bool = False) -> None:
        edge = Edge(value, text, limit)
        if high and (self.exits.high is None or value <= self.exits.high.value):
            self.exits = replace(self.exits, high=edge)
        elif not high and (self.exits.low is None or value >= self.exits.low.value):
            self.exits = replace(self.exits, low=edge)

    def _last(self, seconds: float, text: str, limit: bool = False) -> None:
        if seconds <= self.exits.seconds.value:
            self.exits = replace(self.exits, seconds=Edge(max(seconds, SHORTEST), text, limit))
