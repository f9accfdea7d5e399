"""What a source-measure unit is told to be: a current source or a voltage source, and its clamp."""

from dataclasses import dataclass
from typing import Literal

from drivers.keithley2450_models import Model
from protocols.setpoint import AtRest, Current, Setpoint, Voltage

REST_RANGE = 1e-6
"""Amperes. The offset of this range, some hundred picoamperes, is no discharge."""


@dataclass(frozen=True, slots=True)
class Source:
    """A set point in the instrument's words: amperes clamped in volts, or volts clamped in amperes."""

    function: Literal["CURR", "VOLT"]
    level: float
    clamp: float

    @classmethod
    def of(cls, setpoint: Setpoint) -> "Source":
        match setpoint:
            case AtRest(voltage_clamp):
                return cls("CURR", 0.0, voltage_clamp)
            case Current(amperes, voltage_clamp):
                return cls("CURR", amperes, voltage_clamp)
            case Voltage(volts, current_clamp):
                return cls("VOLT", volts, current_clamp)

    @property
    def measures(self) -> str:
        """The function that is measured beside the source's own read-back."""
        return "VOLT" if self.function == "CURR" else "CURR"

    @property
    def clamps(self) -> str:
        """The last word of the clamp's command."""
        return "VLIM" if self.function == "CURR" else "ILIM"

    def range(self, model: Model) -> float:
        """Return the source range for this level, in amperes or volts."""
        if self.function == "VOLT":
            return model.voltage_range(self.level)
        return model.current_range(self.level) if self.level else REST_RANGE

    def refusal(self, model: Model) -> str | None:
        """Return why the model cannot do this, or None."""
        if self.function == "CURR":
            level, smallest, clamp = model.amperes, model.smallest_voltage_clamp, model.widest_voltage_clamp
        else:
            level, smallest, clamp = model.volts, model.smallest_current_clamp, model.amperes
        if not abs(self.level) <= level:  # written so that NaN is refused
            return f"level {self.level:g} is beyond the rating, ±{level:g}"
        if not smallest <= self.clamp <= clamp:
            return f"clamp {self.clamp:g} is outside {smallest:g} to {clamp:g}"
        return None
