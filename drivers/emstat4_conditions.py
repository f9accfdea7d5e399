"""Ends of a step as an instrument can judge them: alternatives of plain comparisons of its variables."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Self

from drivers.base import Program
from drivers.errors import RefusedError
from drivers.methodscript import literal
from protocols.conditions import AllOf, AnyOf, Comparison, Condition, Quantity, Relation

VARIABLES = {
    Quantity.TIME: "t",
    Quantity.VOLTAGE: "e",
    Quantity.CURRENT: "i",
    Quantity.CAPACITY: "q",
    Quantity.ENERGY: "w",
}
"""What a script counts and measures; temperature, slope and drift are for the host to judge."""

_SIGNED = (Quantity.CURRENT, Quantity.CAPACITY, Quantity.ENERGY)
"""Variables with a sign, of which conditions mean the magnitude."""


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


@dataclass(frozen=True, slots=True)
class Alternative:
    """Every test (`e >= 4200m`) must hold at once; `index` is the comparison it is reported as."""

    index: int
    tests: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Conjunction:
    """Comparisons, by their index, that must all hold; the last one is the reason that is told."""

    indices: tuple[int, ...]


def held(comparison: Comparison) -> bool:
    """Whether a script can judge it."""
    return comparison.quantity in VARIABLES


def alternatives(condition: Condition | None, done: Done) -> list[Alternative]:
    """Return the ends a script can judge, the one reported first coming first.

    Alternatives that need the host are left out. Raises `RefusedError` if a comparison still
    refers to another step's capacity.
    """
    if condition is None:
        return []
    comparisons = list(condition.comparisons())
    found = []
    for indices in _normal_form(condition, iter(range(len(comparisons)))):
        parts = [comparisons[index] for index in indices]
        if all(held(part) for part in parts):
            tests = [_tests(part, done) for part in parts]
            found += [Alternative(indices[-1], sum(choice, ())) for choice in product(*tests)]
    return found


def has_time_end(condition: Condition) -> bool:
    """Whether time alone ends the step, whatever the host does."""
    comparisons = list(condition.comparisons())
    return any(
        all(
            comparisons[index].quantity is Quantity.TIME and comparisons[index].relation.rising
            for index in each
        )
        for each in _normal_form(condition, iter(range(len(comparisons))))
    )


def _normal_form(condition: Condition, index: Iterator[int]) -> list[tuple[int, ...]]:
    """Return the condition as an `or` of `and`s, in the order in which `first_met` would report them."""
    match condition:
        case Comparison():
            return [(next(index),)]
        case AnyOf(parts):
            return [indices for part in parts for indices in _normal_form(part, index)]
        case AllOf(parts):
            each = [_normal_form(part, index) for part in parts]
            return [sum(choice, ()) for choice in product(*each)]


def _tests(comparison: Comparison, done: Done) -> Sequence[tuple[str, ...]]:
    """Return the alternatives (each an `and` of tests) one comparison stands for."""
    if comparison.relative_to is not None:
        raise RefusedError(f"{comparison.text!r} is only known once {comparison.relative_to!r} has run")
    name, relation = VARIABLES[comparison.quantity], comparison.relation
    value = comparison.value - done.of(comparison.quantity)
    if comparison.quantity not in _SIGNED:
        return [(f"{name} {relation} {literal(value)}",)]
    mirrored = {
        Relation.AT_LEAST: Relation.AT_MOST,
        Relation.ABOVE: Relation.BELOW,
        Relation.AT_MOST: Relation.AT_LEAST,
        Relation.BELOW: Relation.ABOVE,
    }[relation]
    positive = f"{name} {relation} {literal(value)}"
    negative = f"{name} {mirrored} {literal(-value)}"
    return [(positive,), (negative,)] if relation.rising else [(positive, negative)]
