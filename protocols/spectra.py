"""The verb of impedance spectroscopy: `impedance`."""

import math
import re
from dataclasses import dataclass
from typing import Self

from protocols.nodes import MappingNode, Node, Scalar, as_scalar
from protocols.operands import Operand, Values
from protocols.quantities import COUNT, CURRENT, FREQUENCY, VOLTAGE, either
from protocols.techniques import Impedance, Level, Technique
from protocols.units import Dimension
from protocols.written import WrittenLevel, WrittenTechnique, positive

_VOLTAGE_OR_CURRENT = either("an amplitude", VOLTAGE, CURRENT)
_RMS = re.compile(r"\s*\brms$")
_COARSEST, _FINEST = 1, 100  # impedance points per decade
_SLOWEST_FREQUENCY, _FASTEST_FREQUENCY = 1e-6, 1e8


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
        highest, lowest = positive(self.highest, values), positive(self.lowest, values)
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
