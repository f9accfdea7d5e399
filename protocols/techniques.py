"""What a step does to a cell, resolved to SI: the end of the language, the start of the engines."""

import math
from dataclasses import dataclass
from typing import NamedTuple


class Level(NamedTuple):
    """A voltage, absolute or counted from the open-circuit voltage found when the step starts."""

    volts: float
    versus_open_circuit: bool = False

    def at(self, open_circuit: float) -> float:
        """Return the absolute voltage for that open-circuit voltage."""
        return self.volts + open_circuit if self.versus_open_circuit else self.volts


@dataclass(frozen=True, slots=True)
class Rest:
    """No current; the voltage is watched."""


@dataclass(frozen=True, slots=True)
class ConstantCurrent:
    """Amperes, positive when they charge the cell (`charge`, `strip`), negative otherwise."""

    amperes: float


@dataclass(frozen=True, slots=True)
class ConstantVoltage:
    """`hold` and `polarise`: a voltage is held and the current is watched."""

    level: Level


@dataclass(frozen=True, slots=True)
class ConstantPower:
    """Watts, positive into the cell."""

    watts: float


@dataclass(frozen=True, slots=True)
class ConstantResistance:
    """The cell discharges into so many ohms."""

    ohms: float


@dataclass(frozen=True, slots=True)
class Sweep:
    """Linear or cyclic voltammetry.

    The voltage goes from `start` through `vertices` at `rate` (V/s); `cycles` rounds over the
    vertices, the first beginning at `start`. [1.0, 2.0] once is linear sweep voltammetry.
    """

    start: Level
    vertices: tuple[Level, ...]
    rate: float
    cycles: int


@dataclass(frozen=True, slots=True)
class Impedance:
    """A spectrum, `highest` to `lowest` frequency (Hz), logarithmically spaced.

    `amplitude` is a peak, in volts (potentiostatic) or amperes (galvanostatic);
    `bias` is the direct voltage or, galvanostatic, the direct current.
    """

    amplitude: float
    galvanostatic: bool
    bias: Level
    highest: float
    lowest: float
    points_per_decade: int

    def frequencies(self) -> tuple[float, ...]:
        """Return every frequency in the order measured, both ends included, evenly spaced in their logarithm.

        The spacing is the nearest to `points_per_decade` with which both ends are met exactly.
        """
        decades = math.log10(self.highest / self.lowest)
        intervals = max(1, round(decades * self.points_per_decade))
        inner = (self.highest * 10.0 ** (-decades * k / intervals) for k in range(1, intervals))
        return (self.highest, *inner, self.lowest)


@dataclass(frozen=True, slots=True)
class ChamberTemperature:
    """Set the chamber and wait until it is there, degrees Celsius."""

    celsius: float


Technique = (
    Rest
    | ConstantCurrent
    | ConstantVoltage
    | ConstantPower
    | ConstantResistance
    | Sweep
    | Impedance
    | ChamberTemperature
)


def direction(technique: Technique) -> int:
    """Return +1 where the technique charges the cell, -1 where it discharges it, 0 where neither is known."""
    match technique:
        case ConstantCurrent(value) | ConstantPower(value):
            return 1 if value > 0.0 else -1
        case ConstantResistance():
            return -1
    return 0
