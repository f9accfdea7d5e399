"""The ends of a step as alternatives, for an instrument that judges them by itself."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product
from typing import Self

from drivers.base import Program
from protocols.conditions import AllOf, AnyOf, Comparison, Condition, Quantity


@dataclass(frozen=True, slots=True)
class Done:
    """What an interrupted step had behind it: seconds, and magnitudes in coulombs and joules."""

    seconds: float = 0.0
    coulombs: float = 0.0
    joules: float = 0.0

    @classmethod
    def before(cls, program: Program) -> Self:
        """Return what the program's step had behind it."""
        return cls(program.seconds_done, abs(program.coulombs_done), abs(program.joules_done))

    def of(self, quantity: Quantity) -> float:
        """Return how far `quantity` had come."""
        match quantity:
            case Quantity.TIME:
                return self.seconds
            case Quantity.CAPACITY:
                return self.coulombs
            case Quantity.ENERGY:
                return self.joules
        return 0.0


def conjunctions(condition: Condition) -> list[tuple[int, ...]]:
    """Return the condition as an `or` of `and`s of its comparisons, which are told by their index.

    They are in the order in which `first_met` would report them; of each the last one is the reason.
    """
    return _normal_form(condition, iter(range(len(list(condition.comparisons())))))


def ends_by_time(condition: Condition) -> bool:
    """Whether time alone ends the step, whatever the host does."""
    comparisons = list(condition.comparisons())
    return any(
        all(
            comparisons[index].quantity is Quantity.TIME and comparisons[index].relation.rising
            for index in each
        )
        for each in conjunctions(condition)
    )


def _normal_form(condition: Condition, index: Iterator[int]) -> list[tuple[int, ...]]:
    match condition:
        case Comparison():
            return [(next(index),)]
        case AnyOf(parts):
            return [indices for part in parts for indices in _normal_form(part, index)]
        case AllOf(parts):
            each = [_normal_form(part, index) for part in parts]
            return [sum(choice, ()) for choice in product(*each)]
