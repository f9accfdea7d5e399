"""What a step does, as it is written: one class per way to treat a cell."""

import math
import re
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Self

from protocols.conditions import Comparison, Quantity, Relation
from protocols.nodes import MappingNode, Node, Scalar, as_list, as_scalar
from protocols.operands import Operand, Values
from protocols.quantities import (
    COUNT,
    CURRENT,
    FREQUENCY,
    POWER,
    RESISTANCE,
    TEMPERATURE,
    TIME,
    VOLTAGE,
    VOLTAGE_RATE,
    either,
)
from protocols.techniques import (
    ChamberTemperature,
    ConstantCurrent,
    ConstantPower,
    ConstantResistance,
    ConstantVoltage,
    Impedance,
    Level,
    Rest,
    Sweep,
    Technique,
)
from protocols.units import Dimension

LONGEST_TIME = 400 * 86400.0  # the longest run of the reference experiment is 162 days

_CURRENT_OR_POWER = either("a current or a power", CURRENT, POWER)
_VOLTAGE_OR_CURRENT = either("an amplitude", VOLTAGE, CURRENT)
_RMS = re.compile(r"\s*\brms$")
_OPEN_CIRCUIT = "open circuit"
_COARSEST, _FINEST = 1, 100  # impedance points per decade
_SLOWEST_FREQUENCY, _FASTEST_FREQUENCY = 1e-6, 1e8


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
        seconds = _positive(self.duration, values)
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
        return ConstantResistance(_positive(self.value, values))


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
        if self.cycles is not None and not 1 <= cycles <= 100_000:
            raise values.written(self.cycles).refused("1 to 100000 cycles")
        return Sweep(start, tuple(vertices), _positive(self.rate, values), cycles)


@dataclass(frozen=True, slots=True)
class ImpedanceVerb(WrittenTechnique):
    """`impedance: 5 mV` (or a current) with `from`, `to`, `points_per_decade` and `versus`."""

    scalar: Scalar
    amplitude: Operand
    rms: bool
    highest: Operand
    lowest: Operand
    points_per_decade: Operand
    versus: Scalar | None

    @classmethod
    def read(cls, value: Node, step: MappingNode) -> Self:
        scalar = as_scalar(value, _VOLTAGE_OR_CURRENT.wanted)
        rms = _RMS.search(scalar.text)
        amplitude = scalar.part(0, rms.start() if rms else None)
        highest = as_scalar(step.need("from", "100 kHz"), FREQUENCY.wanted)
        lowest = as_scalar(step.need("to", "10 mHz"), FREQUENCY.wanted)
        density = as_scalar(step.need("points_per_decade", "10"), COUNT.wanted)
        versus = step.take("versus")
        return cls(
            scalar,
            Operand.read(amplitude, _VOLTAGE_OR_CURRENT),
            rms is not None,
            Operand.read(highest, FREQUENCY),
            Operand.read(lowest, FREQUENCY),
            Operand.read(density, COUNT),
            None if versus is None else as_scalar(versus, "`open circuit`, a voltage or a current"),
        )

    def resolved(self, values: Values) -> Technique:
        amount = values.measured(self.amplitude)
        if not amount.value > 0.0:
            raise values.written(self.amplitude).refused("an amplitude above zero")
        galvanostatic = amount.dimension is not Dimension.VOLTAGE
        highest, lowest = self._span(values)
        return Impedance(
            amplitude=amount.value * (math.sqrt(2.0) if self.rms else 1.0),
            galvanostatic=galvanostatic,
            bias=self._bias(values, galvanostatic),
            highest=highest,
            lowest=lowest,
            points_per_decade=self._density(values),
        )

    def _span(self, values: Values) -> tuple[float, float]:
        highest, lowest = _positive(self.highest, values), _positive(self.lowest, values)
        if not _SLOWEST_FREQUENCY <= lowest < highest <= _FASTEST_FREQUENCY:
            wanted = "`from` the highest frequency `to` a lower one, within 1 uHz and 100 MHz"
            raise values.written(self.lowest).refused(wanted, f"{highest:g} Hz to {lowest:g} Hz")
        return highest, lowest

    def _density(self, values: Values) -> int:
        density = values.whole(self.points_per_decade)
        if not _COARSEST <= density <= _FINEST:
            raise values.written(self.points_per_decade).refused(
                f"{_COARSEST} to {_FINEST} points per decade"
            )
        return density

    def _bias(self, values: Values, galvanostatic: bool) -> Level:
        """Return the bias; without one, no direct current flows: the spectrum is at open circuit."""
        if self.versus is None:
            return Level(0.0, versus_open_circuit=not galvanostatic)
        if galvanostatic:
            return Level(values.number(Operand.read(self.versus, CURRENT)))
        return WrittenLevel.read(self.versus).resolved(values)


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


def _positive(operand: Operand, values: Values) -> float:
    number = values.number(operand)
    if not number > 0.0:
        raise values.written(operand).refused(f"{operand.kind.name} above zero")
    return number
