"""When a step is over: resolved conditions, judged on every reading."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import NamedTuple, Self


class Quantity(StrEnum):
    """What a condition may look at."""

    TIME = "time"
    VOLTAGE = "voltage"
    CURRENT = "current"
    CAPACITY = "capacity"
    ENERGY = "energy"
    TEMPERATURE = "temperature"
    VOLTAGE_SLOPE = "voltage_slope"
    CURRENT_DRIFT = "current_drift"


class Relation(StrEnum):
    """How a quantity is compared."""

    AT_LEAST = ">="
    AT_MOST = "<="
    ABOVE = ">"
    BELOW = "<"

    @property
    def rising(self) -> bool:
        """Whether the condition waits for the quantity to grow."""
        return self in (Relation.AT_LEAST, Relation.ABOVE)


class Progress(NamedTuple):
    """How far a step has come, in SI: everything a condition may look at.

    `current`, `capacity` (coulomb) and `energy` (joule) are magnitudes: a discharge of 1 mAh has
    reached `capacity >= 1 mAh`. `voltage_slope` is |dV/dt| in V/s over the last ten minutes and
    `current_drift` the relative change of the current over each window (seconds) a condition
    names; both are None until there are readings enough.
    """

    time: float
    voltage: float
    current: float
    capacity: float
    energy: float
    temperature: float | None = None
    voltage_slope: float | None = None
    current_drift: Mapping[float, float] = {}


@dataclass(frozen=True, slots=True)
class Comparison:
    """`quantity relation value`, in SI, with the `text` it was written as.

    `window` (seconds) belongs to `current_drift`. With `relative_to`, `value` is a factor of the
    latest capacity of that verb (`capacity >= 150 % of discharge`), to be bound before it is judged.
    """

    quantity: Quantity
    relation: Relation
    value: float
    text: str
    window: float | None = None
    relative_to: str | None = None

    def met(self, progress: Progress) -> bool:
        """Whether the reading meets it; what is not known, or is NaN, never does."""
        if self.relative_to is not None:
            raise ValueError(f"{self.text!r} is not bound to a capacity yet")
        seen: float | None
        if self.quantity is Quantity.CURRENT_DRIFT:
            seen = progress.current_drift.get(self.window or 0.0)
        else:
            seen = getattr(progress, self.quantity.value)
        if seen is None:
            return False
        match self.relation:
            case Relation.AT_LEAST:
                return seen >= self.value
            case Relation.AT_MOST:
                return seen <= self.value
            case Relation.ABOVE:
                return seen > self.value
            case Relation.BELOW:
                return seen < self.value

    def bound(self, capacities: Mapping[str, float]) -> "Comparison":
        """Return it with the capacity (coulomb, a magnitude) of the verb it refers to filled in, if known."""
        if self.relative_to is None or self.relative_to not in capacities:
            return self
        return replace(self, value=self.value * capacities[self.relative_to], relative_to=None)

    def comparisons(self) -> "Iterator[Comparison]":
        """Yield every comparison in the tree, left to right."""
        yield self

    def first_met(self, progress: Progress) -> "Comparison | None":
        """Return the comparison that ended the step, for its reason; None if the step goes on."""
        return self if self.met(progress) else None


@dataclass(frozen=True, slots=True)
class AnyOf:
    """Over as soon as one part is met."""

    parts: "tuple[Condition, ...]"

    def bound(self, capacities: Mapping[str, float]) -> Self:
        """Return it with every share of an earlier capacity filled in."""
        return replace(self, parts=tuple(part.bound(capacities) for part in self.parts))

    def comparisons(self) -> Iterator[Comparison]:
        for part in self.parts:
            yield from part.comparisons()

    def first_met(self, progress: Progress) -> Comparison | None:
        return next((met for part in self.parts if (met := part.first_met(progress))), None)


@dataclass(frozen=True, slots=True)
class AllOf:
    """Over once every part is met in the same reading."""

    parts: "tuple[Condition, ...]"

    def bound(self, capacities: Mapping[str, float]) -> Self:
        return replace(self, parts=tuple(part.bound(capacities) for part in self.parts))

    def comparisons(self) -> Iterator[Comparison]:
        for part in self.parts:
            yield from part.comparisons()

    def first_met(self, progress: Progress) -> Comparison | None:
        met = [part.first_met(progress) for part in self.parts]
        return met[-1] if all(met) else None


Condition = Comparison | AnyOf | AllOf


LAST_DIGIT = 2e-4
"""Share of a value that its rounding, or a noise its instrument saw past, may hide: 0.2 mV of a volt."""


def nearly_met(until: Condition, progress: Progress, hidden: float = LAST_DIGIT) -> Comparison | None:
    """Return the end that is met but for a `hidden` share, where another than us judged that it is."""
    for share in (1.0, 1.0 + hidden, 1.0 - hidden):
        nudged = progress._replace(
            time=progress.time * share,
            voltage=progress.voltage + (share - 1.0) * max(1.0, abs(progress.voltage)),
            current=progress.current * share,
            capacity=progress.capacity * share,
            energy=progress.energy * share,
        )
        met = until.first_met(nudged)
        if met is not None:
            return met
    return None
