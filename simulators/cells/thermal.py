"""The one temperature of a small cell."""

from dataclasses import dataclass
from math import exp

from simulators.cells.units import GAS, ROOM

CELSIUS = 273.15


@dataclass(frozen=True, slots=True)
class ThermalNode:
    """A heat capacity (J/K) behind a thermal resistance (K/W) to the surroundings."""

    capacity: float = 5.0
    resistance: float = 20.0

    def warmed(self, excess: float, watts: float, seconds: float) -> float:
        """Return the kelvins above the surroundings after a constant heat of `watts`."""
        decay = exp(-seconds / (self.capacity * self.resistance))
        return excess * decay + watts * self.resistance * (1.0 - decay)


def arrhenius(celsius: float, activation: float) -> float:
    """Return by what factor a resistance of `activation` (J/mol) differs from that at 25 degC."""
    kelvin = max(200.0, celsius + CELSIUS)
    return exp(activation / GAS * (1.0 / kelvin - 1.0 / ROOM))
