"""Ends of a step as an instrument can judge them: alternatives of plain comparisons of its variables."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product

from drivers.ends import Done, conjunctions
from drivers.errors import RefusedError
from drivers.methodscript import literal
from protocols.conditions import Comparison, Condition, Quantity, Relation

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
class Alternative:
    """Every test (`e >= 4200m`) must hold at once; `index` is the comparison it is reported as."""

    index: int
    tests: tuple[str, ...]


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
    for indices in conjunctions(condition):
        parts = [comparisons[index] for index in indices]
        if all(held(part) for part in parts):
            tests = [_tests(part, done) for part in parts]
            found += [Alternative(indices[-1], sum(choice, ())) for choice in product(*tests)]
    return found


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
