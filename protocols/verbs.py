"""The verbs of a step that hold one thing still: a current, a voltage, a power, a temperature."""

from dataclasses import dataclass
from typing import Self

from protocols.conditions import Comparison, Quantity, Relation
from protocols.nodes import MappingNode, Node, Scalar, as_scalar
from protocols.operands import Operand, Values
from protocols.quantities import CURRENT, POWER, RESISTANCE, TEMPERATURE, TIME, VOLTAGE, either
from protocols.techniques import (
    ChamberTemperature,
    ConstantCurrent,
    ConstantPower,
    ConstantResistance,
    ConstantVoltage,
    Rest,
    Technique,
)
from protocols.units import Dimension
from protocols.written import WrittenLevel, WrittenTechnique, positive

LONGEST_TIME = 400 * 86400.0  # the longest run of the reference experiment is 162 days

_CURRENT_OR_POWER = either("a current or a power", CURRENT, POWER)


@dataclass(frozen=True, slots=True)
class RestVerb(WrittenTechnique):
    """`rest: 10 min`."""

    scalar: Scalar
    duration: Operand

    @classmethod
    def read(cls, value: Node, step: MappingNode) -> Self:
        scalar = as_scalar(value, TIME.wanted)
        return cls(scalar, Operand.read(scalar, TIME))

    def resolved(self, values: Values) -> Technique:
        return Rest()

    def own_end(self, values: Values) -> Comparison | None:
        seconds = positive(self.duration, values)
        text = f"time >= {values.written(self.duration).text}"
        return Comparison(Quantity.TIME, Relation.AT_LEAST, seconds, text)


@dataclass(frozen=True, slots=True)
class CurrentVerb(WrittenTechnique):
    """`charge`, `strip` (sign +1), `discharge` and `plate` (-1): a current, or a power, without a sign."""

    scalar: Scalar
    value: Operand
    sign: int

    @classmethod
    def read_charging(cls, value: Node, step: MappingNode) -> Self:
        return cls._read(value, +1)

    @classmethod
    def read_discharging(cls, value: Node, step: MappingNode) -> Self:
        return cls._read(value, -1)

    @classmethod
    def _read(cls, value: Node, sign: int) -> Self:
        scalar = as_scalar(value, CURRENT.wanted)
        return cls(scalar, Operand.read(scalar, _CURRENT_OR_POWER), sign)

    def resolved(self, values: Values) -> Technique:
        amount = values.measured(self.value)
        if not amount.value > 0.0:
            raise values.written(self.value).refused(
                "a value above zero: the verb already gives the direction"
            )
        if amount.dimension is Dimension.POWER:
            return ConstantPower(self.sign * amount.value)
        return ConstantCurrent(self.sign * amount.value)


@dataclass(frozen=True, slots=True)
class PowerVerb(WrittenTechnique):
    """`power: -2 mW`: positive into the cell."""

    scalar: Scalar
    value: Operand

    @classmethod
    def read(cls, value: Node, step: MappingNode) -> Self:
        scalar = as_scalar(value, POWER.wanted)
        return cls(scalar, Operand.read(scalar, POWER))

    def resolved(self, values: Values) -> Technique:
        watts = values.number(self.value)
        if watts == 0.0:
            raise values.written(self.value).refused("a power other than zero; without power, use `rest`")
        return ConstantPower(watts)


@dataclass(frozen=True, slots=True)
class ResistanceVerb(WrittenTechnique):
    """`resistance: 100 ohm`: the cell discharges into it."""

    scalar: Scalar
    value: Operand

    @classmethod
    def read(cls, value: Node, step: MappingNode) -> Self:
        scalar = as_scalar(value, RESISTANCE.wanted)
        return cls(scalar, Operand.read(scalar, RESISTANCE))

    def resolved(self, values: Values) -> Technique:
        return ConstantResistance(positive(self.value, values))


@dataclass(frozen=True, slots=True)
class HoldVerb(WrittenTechnique):
    """`hold: 4.2 V` or `hold: open circuit`."""

    scalar: Scalar
    level: WrittenLevel

    @classmethod
    def read(cls, value: Node, step: MappingNode) -> Self:
        return cls(as_scalar(value, "a voltage or `open circuit`"), WrittenLevel.read(value))

    def resolved(self, values: Values) -> Technique:
        return ConstantVoltage(self.level.resolved(values))


@dataclass(frozen=True, slots=True)
class PolariseVerb(WrittenTechnique):
    """`polarise: 10 mV` with `versus: open circuit`, or a voltage it is added to."""

    scalar: Scalar
    value: Operand
    versus: WrittenLevel

    @classmethod
    def read(cls, value: Node, step: MappingNode) -> Self:
        scalar = as_scalar(value, VOLTAGE.wanted)
        versus = step.need("versus", "open circuit` or `versus: 0 V")
        return cls(scalar, Operand.read(scalar, VOLTAGE), WrittenLevel.read(versus))

    def resolved(self, values: Values) -> Technique:
        base = self.versus.resolved(values)
        return ConstantVoltage(base._replace(volts=base.volts + values.number(self.value)))


@dataclass(frozen=True, slots=True)
class ChamberVerb(WrittenTechnique):
    """`chamber: 25 degC`."""

    scalar: Scalar
    value: Operand

    @classmethod
    def read(cls, value: Node, step: MappingNode) -> Self:
        scalar = as_scalar(value, TEMPERATURE.wanted)
        return cls(scalar, Operand.read(scalar, TEMPERATURE))

    def resolved(self, values: Values) -> Technique:
        return ChamberTemperature(values.number(self.value))
