"""A technique as it is written: what every verb of the language is, not yet in SI."""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Self

from protocols.conditions import Comparison
from protocols.nodes import Node, Scalar, as_scalar
from protocols.operands import Operand, Values
from protocols.quantities import VOLTAGE
from protocols.techniques import Level, Technique

_OPEN_CIRCUIT = "open circuit"


class WrittenTechnique(ABC):
    """A verb and its value, not yet in SI; `scalar` is the value's text, for messages."""

    scalar: Scalar

    @abstractmethod
    def resolved(self, values: Values) -> Technique:
        """Return the technique in SI; `ProtocolError` for a value it cannot have."""

    def own_end(self, values: Values) -> Comparison | None:
        """Return the end the verb itself brings, if it does."""
        return None


@dataclass(frozen=True, slots=True)
class WrittenLevel:
    """A voltage, or `open circuit` where `operand` is None."""

    operand: Operand | None

    @classmethod
    def read(cls, node: Node) -> Self:
        scalar = as_scalar(node, "a voltage or `open circuit`")
        if " ".join(scalar.text.split()) == _OPEN_CIRCUIT:
            return cls(None)
        return cls(Operand.read(scalar, VOLTAGE))

    def resolved(self, values: Values) -> Level:
        if self.operand is None:
            return Level(0.0, versus_open_circuit=True)
        return Level(values.number(self.operand))


def positive(operand: Operand, values: Values) -> float:
    """Return the value in SI; `ProtocolError` unless it is above zero."""
    number = values.number(operand)
    if not number > 0.0:
        raise values.written(operand).refused(f"{operand.kind.name} above zero")
    return number
