"""A window as it is written: `{voltage: 1.5 V .. 3.0 V, current: 5 mA, temperature: 45 degC}`."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from protocols.limits import Bound, Limits, Range
from protocols.nodes import Node, Scalar, as_mapping, as_scalar
from protocols.operands import Operand, Values
from protocols.problems import Problems
from protocols.quantities import CURRENT, TEMPERATURE, VOLTAGE, Kind

_KINDS: Mapping[str, Kind] = {"voltage": VOLTAGE, "current": CURRENT, "temperature": TEMPERATURE}
_TO = re.compile(r"\.\.")


@dataclass(frozen=True, slots=True)
class WrittenRange:
    """`low .. high`, or one value: for a current either sign's most, for a temperature the most."""

    scalar: Scalar
    low: Operand | None
    high: Operand

    def resolved(self, values: Values, origin: str) -> Range:
        high = values.number(self.high)
        if self.low is not None:
            return self._range(values.number(self.low), high, origin)
        if self.high.kind is CURRENT:
            return self._range(-high, high, origin)
        return Range(high=Bound(high, origin))

    def _range(self, low: float, high: float, origin: str) -> Range:
        if not low < high:
            raise self.scalar.refused("the lower value first, then a higher one")
        return Range(Bound(low, origin), Bound(high, origin))


@dataclass(frozen=True, slots=True)
class WrittenWindow:
    """The ranges a file names, not yet in SI."""

    ranges: Mapping[str, WrittenRange]

    def limits(self, values: Values, origin: str) -> Limits:
        """Return the window in SI, every edge marked with `origin`: "protocol", "cell" or "channel"."""
        problems = Problems()
        found: dict[str, Range] = {}
        for name, written in self.ranges.items():
            with problems.gathered():
                found[name] = written.resolved(values, origin)
        problems.settle()
        return Limits(**found)


def read_window(node: Node, what: str) -> WrittenWindow:
    """Read the mapping under `limits:` or `window:`; `ProtocolError` for anything else."""
    mapping = as_mapping(node, "{voltage: low .. high, current: most, temperature: most}")
    problems = Problems()
    with problems.gathered():
        mapping.only(tuple(_KINDS), f"a quantity of `{what}`")
    ranges: dict[str, WrittenRange] = {}
    for name, kind in _KINDS.items():
        with problems.gathered():
            if (value := mapping.take(name)) is not None:
                ranges[name] = _read_range(as_scalar(value, f"{kind.name}, low .. high"), kind)
    problems.settle()
    return WrittenWindow(ranges)


def _read_range(scalar: Scalar, kind: Kind) -> WrittenRange:
    dots = _TO.search(scalar.text)
    if dots is not None:
        low, high = scalar.part(0, dots.start()), scalar.part(dots.end())
        return WrittenRange(scalar, Operand.read(low, kind), Operand.read(high, kind))
    if kind is VOLTAGE:
        raise scalar.refused("both edges, e.g. 1.5 V .. 3.0 V")
    return WrittenRange(scalar, None, Operand.read(scalar, kind))
