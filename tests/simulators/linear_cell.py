"""A cell simple enough to predict by hand: a capacitor behind a resistor."""

import math
from collections.abc import Mapping
from typing import Any

from simulators.cells.base import Cell


class LinearCell(Cell):
    """Open-circuit voltage `rest` + charge / `farads`, behind `ohms`."""

    def __init__(self, rest: float = 3.7, farads: float = 1000.0, ohms: float = 2.0) -> None:
        self.rest = rest
        self.farads = farads
        self.ohms = ohms
        self.charge = 0.0

    @property
    def open_circuit(self) -> float:
        return self.rest + self.charge / self.farads

    def drive_current(self, amperes: float, seconds: float) -> float:
        self.charge += amperes * seconds
        return self.open_circuit + amperes * self.ohms

    def drive_voltage(self, volts: float, seconds: float) -> float:
        left = math.exp(-seconds / (self.ohms * self.farads))
        self.charge += self.farads * (volts - self.open_circuit) * (1 - left)
        return (volts - self.open_circuit) / self.ohms

    def charge_passed(self) -> float:
        return self.charge

    def impedance(self, frequency: float) -> complex:
        return self.ohms + 1 / (2j * math.pi * frequency * self.farads)

    def state(self) -> float:
        return self.charge

    def restore(self, state: Any) -> None:
        self.charge = float(state)

    def truth(self) -> Mapping[str, Any]:
        return {"charge": self.charge}
