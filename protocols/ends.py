"""The ends of a step as they are written: `voltage >= 2.8 V or capacity >= 150 % of discharge`."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from protocols.conditions import AllOf, AnyOf, Comparison, Condition, Quantity, Relation
from protocols.nodes import Scalar, one_of
from protocols.operands import Operand, Values
from protocols.plan import Fade
from protocols.quantities import (
    CAPACITY,
    CURRENT,
    ENERGY,
    FRACTION,
    TEMPERATURE,
    TIME,
    VOLTAGE,
    VOLTAGE_RATE,
    Kind,
)

CHARGE_PASSING_VERBS = ("charge", "discharge", "plate", "strip", "hold", "power", "resistance")
"""Verbs whose latest capacity a condition may refer to."""

KINDS: Mapping[Quantity, Kind] = {
    Quantity.TIME: TIME,
    Quantity.VOLTAGE: VOLTAGE,
    Quantity.CURRENT: CURRENT,
    Quantity.CAPACITY: CAPACITY,
    Quantity.ENERGY: ENERGY,
    Quantity.TEMPERATURE: TEMPERATURE,
    Quantity.VOLTAGE_SLOPE: VOLTAGE_RATE,
    Quantity.CURRENT_DRIFT: FRACTION,
}
"""What each quantity is compared with."""

_RELATIONS = {">=": ">=", "<=": "<=", ">": ">", "<": "<", "≥": ">=", "≤": "<="}
_COMPARISON = re.compile(r"\s*(\w+)\s*(>=|<=|=>|=<|==|=|>|<|≥|≤)\s*(.*)", re.DOTALL)
_OR = re.compile(r"\bor\b")
_AND = re.compile(r"\band\b")
_OF = re.compile(r"\bof\b")
_PER = re.compile(r"\bper\b")
_RETENTION = re.compile(r"retention\s*<(?!=)\s*")
_EXAMPLE = "a comparison such as `voltage >= 4.2 V`"


@dataclass(frozen=True, slots=True)
class WrittenComparison:
    """`quantity relation value`, with `% of <verb>` or `per <time>` where the quantity has such."""

    scalar: Scalar
    quantity: Quantity
    relation: Relation
    value: Operand
    window: Operand | None = None
    relative_to: str | None = None

    def comparisons(self) -> "Iterator[WrittenComparison]":
        yield self

    def resolved(self, values: Values) -> Condition:
        return Comparison(
            quantity=self.quantity,
            relation=self.relation,
            value=values.number(self.value),
            text=self._text(values),
            window=None if self.window is None else values.number(self.window),
            relative_to=self.relative_to,
        )

    def _text(self, values: Values) -> str:
        text = f"{self.quantity} {self.relation} {values.written(self.value).text}"
        if self.relative_to is not None:
            text += f" of {self.relative_to}"
        if self.window is not None:
            text += f" per {values.written(self.window).text}"
        return text


@dataclass(frozen=True, slots=True)
class WrittenAnyOf:
    """Parts joined by `or`."""

    parts: "tuple[WrittenCondition, ...]"

    def comparisons(self) -> Iterator[WrittenComparison]:
        for part in self.parts:
            yield from part.comparisons()

    def resolved(self, values: Values) -> Condition:
        return AnyOf(tuple(part.resolved(values) for part in self.parts))


@dataclass(frozen=True, slots=True)
class WrittenAllOf:
    """Parts joined by `and`, which binds tighter than `or`."""

    parts: "tuple[WrittenCondition, ...]"

    def comparisons(self) -> Iterator[WrittenComparison]:
        for part in self.parts:
            yield from part.comparisons()

    def resolved(self, values: Values) -> Condition:
        return AllOf(tuple(part.resolved(values) for part in self.parts))


WrittenCondition = WrittenComparison | WrittenAnyOf | WrittenAllOf


@dataclass(frozen=True, slots=True)
class WrittenFade:
    """`retention < 80 %` or `retention < 80 % of <mark>`, the end of a repeat."""

    scalar: Scalar
    fraction: Operand
    mark: str | None

    def resolved(self, values: Values) -> Fade:
        fraction = values.number(self.fraction)
        if not 0.0 < fraction <= 1.0:
            raise self.scalar.refused("a retention between 0 % and 100 %")
        mark = None if self.mark is None else values.text(self.mark)
        of = "" if mark is None else f" of {mark}"
        return Fade(fraction, mark, f"retention < {values.written(self.fraction).text}{of}")


def read_condition(scalar: Scalar) -> WrittenCondition:
    """Read what stands after `until:` of a step; `ProtocolError` at the part that is wrong."""
    parts = tuple(_all_of(part) for part in _split(scalar, _OR))
    return parts[0] if len(parts) == 1 else WrittenAnyOf(parts)


def read_fade(scalar: Scalar) -> WrittenFade:
    """Read what stands after `until:` of a repeat."""
    head = _RETENTION.match(scalar.text)
    if head is None:
        raise scalar.refused("`retention < 80 %` or `retention < 80 % of <mark>`")
    of = _OF.search(scalar.text, head.end())
    fraction = scalar.part(head.end(), None if of is None else of.start())
    mark = None if of is None else scalar.part(of.end()).text
    if mark == "":
        raise scalar.refused("the name of a mark after `of`")
    return WrittenFade(scalar, Operand.read(fraction, FRACTION), mark)


def _all_of(scalar: Scalar) -> WrittenCondition:
    parts = tuple(_comparison(part) for part in _split(scalar, _AND))
    return parts[0] if len(parts) == 1 else WrittenAllOf(parts)


def _split(scalar: Scalar, word: re.Pattern[str]) -> Iterator[Scalar]:
    start = 0
    for found in word.finditer(scalar.text):
        yield scalar.part(start, found.start())
        start = found.end()
    yield scalar.part(start)


def _comparison(scalar: Scalar) -> WrittenComparison:
    found = _COMPARISON.fullmatch(scalar.text)
    if found is None:
        raise scalar.refused(_EXAMPLE)
    known = [quantity.value for quantity in Quantity]
    quantity = Quantity(one_of(scalar.part(0, found.end(1)), known, "a quantity"))
    if found[2] not in _RELATIONS:
        raise scalar.part(found.start(2), found.end(2)).refused("one of >=, <=, > and <")
    relation = Relation(_RELATIONS[found[2]])
    return _with_value(scalar, quantity, relation, scalar.part(found.start(3)))


def _with_value(scalar: Scalar, quantity: Quantity, relation: Relation, value: Scalar) -> WrittenComparison:
    of, per = _OF.search(value.text), _PER.search(value.text)
    if quantity is Quantity.CURRENT_DRIFT:
        if per is None:
            raise value.refused("a percentage per time, e.g. 1 % per 10 min")
        drift, window = value.part(0, per.start()), value.part(per.end())
        return WrittenComparison(
            scalar, quantity, relation, Operand.read(drift, FRACTION), Operand.read(window, TIME)
        )
    if quantity is Quantity.CAPACITY and of is not None:
        verb = one_of(value.part(of.end()), CHARGE_PASSING_VERBS, "a verb")
        share = Operand.read(value.part(0, of.start()), FRACTION)
        return WrittenComparison(scalar, quantity, relation, share, relative_to=verb)
    if of is not None:
        wanted = f"{KINDS[quantity].wanted}: only a capacity compares with the latest step of a verb"
        raise value.refused(wanted)
    return WrittenComparison(scalar, quantity, relation, Operand.read(value, KINDS[quantity]))
