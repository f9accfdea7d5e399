"""The verb of voltammetry: `sweep`."""

from dataclasses import dataclass
from typing import Self

from protocols.nodes import MappingNode, Node, Scalar, as_list, as_scalar
from protocols.operands import Operand, Values
from protocols.quantities import COUNT, VOLTAGE_RATE
from protocols.techniques import Sweep, Technique
from protocols.written import WrittenLevel, WrittenTechnique, positive

_MOST_CYCLES = 100_000


@dataclass(frozen=True, slots=True)
class SweepVerb(WrittenTechnique):
    """`sweep: [start, vertex, …]` with `rate` and, for cyclic voltammetry, `cycles`."""

    scalar: Scalar
    levels: tuple[WrittenLevel, ...]
    rate: Operand
    cycles: Operand | None

    @classmethod
    def read(cls, value: Node, step: MappingNode) -> Self:
        levels = as_list(value, "[start, vertex, …]")
        if len(levels.items) < 2:
            only = as_scalar(levels.items[0], "a voltage")
            raise only.refused("a start and at least one vertex", f"only {only.text}")
        read = tuple(WrittenLevel.read(item) for item in levels.items)
        rate = as_scalar(step.need("rate", "0.1 mV/s"), VOLTAGE_RATE.wanted)
        cycles = step.take("cycles")
        return cls(
            as_scalar(levels.items[0], "a voltage"),
            read,
            Operand.read(rate, VOLTAGE_RATE),
            None if cycles is None else Operand.read(as_scalar(cycles, COUNT.wanted), COUNT),
        )

    def resolved(self, values: Values) -> Technique:
        start, *vertices = (level.resolved(values) for level in self.levels)
        cycles = 1 if self.cycles is None else values.whole(self.cycles)
        if self.cycles is not None and not 1 <= cycles <= _MOST_CYCLES:
            raise values.written(self.cycles).refused(f"1 to {_MOST_CYCLES} cycles")
        return Sweep(start, tuple(vertices), positive(self.rate, values), cycles)
