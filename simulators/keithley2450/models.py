"""What sets the members of the family apart: ranges, ratings, defaults.

Sources: 2461 reference manual 2461-901-01 Rev. A; 2450 reference manual 2450-901-01 Rev. B.
The 2460's figures and the lower edges marked [M] were not checked against a manual.
"""

from dataclasses import dataclass

OVERRANGE = 1.05
"""Of a range, how much can be sourced and measured."""


@dataclass(frozen=True, slots=True)
class Scale:
    """The ranges of one quantity and the most it can be set to (ampere or volt)."""

    ranges: tuple[float, ...]
    most: float

    def range_for(self, value: float) -> float:
        """Return the smallest range that holds `value`, the largest if none does."""
        fitting = (r for r in self.ranges if abs(value) <= r * OVERRANGE * (1 + 1e-9))
        return next(fitting, self.ranges[-1])


@dataclass(frozen=True, slots=True)
class Model:
    """One member."""

    number: str
    current: Scale
    voltage: Scale
    least_current_limit: float
    least_voltage_limit: float
    voltage_limit: float  # default
    protections: tuple[int, ...]  # volt

    current_limit: float = 105e-6  # default
    firmware: str = "1.7.12b"


MODEL_2450 = Model(
    number="2450",
    current=Scale((10e-9, 100e-9, 1e-6, 10e-6, 100e-6, 1e-3, 10e-3, 100e-3, 1.0), 1.05),
    voltage=Scale((20e-3, 0.2, 2.0, 20.0, 200.0), 210.0),
    least_current_limit=1e-9,  # [M]
    least_voltage_limit=0.02,  # [M]
    voltage_limit=21.0,
    protections=(2, 5, 10, 20, 40, 60, 80, 100, 120, 140, 160, 180),
)

MODEL_2460 = Model(
    number="2460",
    current=Scale((1e-6, 10e-6, 100e-6, 1e-3, 10e-3, 100e-3, 1.0, 4.0, 5.0, 7.0), 7.35),
    voltage=Scale((0.2, 2.0, 7.0, 10.0, 20.0, 100.0), 105.0),
    least_current_limit=1e-6,
    least_voltage_limit=0.2,
    voltage_limit=7.35,
    protections=(2, 5, 10, 20, 40, 60, 80),
)

MODEL_2461 = Model(
    number="2461",
    current=Scale((1e-6, 10e-6, 100e-6, 1e-3, 10e-3, 100e-3, 1.0, 4.0, 5.0, 7.0, 10.0), 7.35),
    voltage=MODEL_2460.voltage,
    least_current_limit=1e-6,
    least_voltage_limit=0.2,
    voltage_limit=7.35,
    protections=MODEL_2460.protections,
)
