"""What the maker states of an instrument's readings: how far off they may be for good.

Noise shows in the readings themselves; a wrong gain or an offset does not, and no averaging takes it out.
"""

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Self

OVERRANGE = 1.05
"""A range holds a little more than its name."""

WITHIN_LIMITS = 1 / math.sqrt(3)
"""Standard uncertainty of an error anywhere within its limits (GUM 4.3.7)."""


@dataclass(frozen=True, slots=True)
class Accuracy:
    """The largest errors: a share of the reading, and a fixed part.

    The fixed part of a voltage is in volt; that of a current a share of the range: of `full_scale`, in
    ampere, where there is that one only, else of the power of ten that holds the current.
    """

    voltage_gain: float
    voltage_offset: float
    current_gain: float
    current_of_range: float
    full_scale: float | None = None

    @classmethod
    def of(cls, plain: Mapping[str, float]) -> Self | None:
        """Return what `plain` gave, or None for what was recorded without."""
        return cls(**plain) if plain else None

    def plain(self) -> dict[str, float]:
        """Return it as plain data, to be kept with a run."""
        return {name: value for name, value in asdict(self).items() if value is not None}

    @property
    def of_voltage(self) -> float:
        """Standard uncertainty of the gain of a voltage, a fraction."""
        return self.voltage_gain * WITHIN_LIMITS

    @property
    def volts(self) -> float:
        """Standard uncertainty of the offset of a voltage, V."""
        return self.voltage_offset * WITHIN_LIMITS

    @property
    def of_current(self) -> float:
        """Standard uncertainty of the gain of a current, a fraction."""
        return self.current_gain * WITHIN_LIMITS

    def amperes(self, current: float) -> float:
        """Standard uncertainty of the offset of a current of this size, A."""
        if current == 0.0:
            return 0.0
        full_scale = self.full_scale or 10.0 ** math.ceil(math.log10(abs(current) / OVERRANGE))
        return float(full_scale * self.current_of_range * WITHIN_LIMITS)
