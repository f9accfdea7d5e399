"""A record rule as it is written: `every 30 s or 2 mV`, `1 %`, `log 20 per decade from 1 ms`."""

import re
from dataclasses import dataclass, replace

from protocols.nodes import Scalar
from protocols.operands import Operand, Values
from protocols.quantities import COUNT, FRACTION, TIME, VOLTAGE, either
from protocols.recording import Recording
from protocols.units import Dimension

DEFAULT = Recording(every=10.0, voltage_step=0.005)
"""What is kept where neither protocol nor step says: every 10 s or 5 mV."""

SHORTEST_INTERVAL = 1e-3

_OR = re.compile(r"\s+or\s+")
_EVERY = re.compile(r"every\s+(?=\S)")
_LOG = re.compile(r"log\s+(\S+)\s+per\s+decade(?:\s+from\s+(.+))?")
_OF_CURRENT = re.compile(r"\s*of\s+current$")
_EXAMPLE = "e.g. `every 10 s`, `2 mV`, `1 %` or `log 20 per decade from 1 ms`, joined by `or`"
_STEP = either("a step", VOLTAGE, FRACTION)


@dataclass(frozen=True, slots=True)
class WrittenRule:
    """The parts of a rule: `steps` in volts or percent, `every` and `start` in time, `per_decade` a count."""

    every: Operand | None = None
    steps: tuple[Operand, ...] = ()
    per_decade: Operand | None = None
    start: Operand | None = None

    def resolved(self, values: Values) -> Recording:
        rule = Recording(
            every=_positive(self.every, values, SHORTEST_INTERVAL, "1 ms"),
            per_decade=_positive(self.per_decade, values, 1.0, "1"),
            from_time=_positive(self.start, values, 1e-6, "1 us"),
        )
        for step in self.steps:
            amount = values.measured(step)
            if not amount.value > 0.0:
                raise values.written(step).refused("a step above zero")
            if amount.dimension is Dimension.VOLTAGE:
                rule = replace(rule, voltage_step=amount.value)
            else:
                rule = replace(rule, current_step=amount.value)
        return rule


def read_rule(scalar: Scalar) -> WrittenRule:
    """Read what stands after `record:`; `ProtocolError` at the part that is wrong."""
    rule = WrittenRule()
    start = 0
    for found in _OR.finditer(scalar.text):
        rule = _with_part(rule, scalar.part(start, found.start()))
        start = found.end()
    return _with_part(rule, scalar.part(start))


def _with_part(rule: WrittenRule, part: Scalar) -> WrittenRule:
    every, log = _EVERY.match(part.text), _LOG.fullmatch(part.text)
    if every is not None and rule.every is None:
        return replace(rule, every=Operand.read(part.part(every.end()), TIME))
    if log is not None and rule.per_decade is None:
        per_decade = Operand.read(part.part(log.start(1), log.end(1)), COUNT)
        start = None if log[2] is None else Operand.read(part.part(log.start(2)), TIME)
        return replace(rule, per_decade=per_decade, start=start)
    if every is not None or log is not None:
        raise part.refused("each kind of rule once")
    if not part.text or part.text.startswith(("every", "log")):
        raise part.refused(_EXAMPLE)
    of_current = _OF_CURRENT.search(part.text)
    step = Operand.read(part.part(0, of_current.start() if of_current else None), _STEP)
    return replace(rule, steps=(*rule.steps, step))


def _positive(operand: Operand | None, values: Values, least: float, written: str) -> float | None:
    if operand is None:
        return None
    number = values.number(operand)
    if not number >= least:
        raise values.written(operand).refused(f"at least {written}")
    return number
