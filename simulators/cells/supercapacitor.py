"""A double-layer capacitor: the one cell whose voltage anybody can work out in his head."""

from collections.abc import Mapping
from dataclasses import dataclass
from math import expm1, tau
from typing import Any

from simulators.cells.base import Cell
from simulators.cells.evolving import check_drive


@dataclass(frozen=True, slots=True)
class SupercapacitorParameters:
    """Capacitance in farad, series resistance in ohm, and the voltage it starts at."""

    capacitance: float
    resistance: float
    voltage: float = 1.5


SUPERCAPACITOR: Mapping[str, SupercapacitorParameters] = {
    "3f": SupercapacitorParameters(3.0, 0.08),
    "100f": SupercapacitorParameters(100.0, 0.012),
}
"""Typical of 2.7 V cells of these sizes; assumed, not of any one maker."""


class Supercapacitor(Cell):
    """V = V0 + Q/C + R I. It loses nothing, and lives a step of any length at the cost of a product."""

    kind = "supercapacitor"

    def __init__(self, parameters: SupercapacitorParameters, variant: str) -> None:
        self.variant = variant
        self.parameters = parameters
        self._charge = 0.0

    @property
    def _inside(self) -> float:
        return self.parameters.voltage + self._charge / self.parameters.capacitance

    def drive_current(self, amperes: float, seconds: float) -> float:
        check_drive("current", amperes, seconds)
        self._charge += amperes * seconds
        return self._inside + amperes * self.parameters.resistance

    def drive_voltage(self, volts: float, seconds: float) -> float:
        check_drive("voltage", volts, seconds)
        p = self.parameters
        apart = volts - self._inside
        self._charge -= p.capacitance * apart * expm1(-seconds / (p.resistance * p.capacitance))
        return (volts - self._inside) / p.resistance

    def charge_passed(self) -> float:
        return self._charge

    def state(self) -> float:
        return self._charge

    def restore(self, state: float) -> None:
        self._charge = state

    def impedance(self, frequency: float) -> complex:
        return self.parameters.resistance + 1.0 / (1j * tau * frequency * self.parameters.capacitance)

    def truth(self) -> Mapping[str, Any]:
        p = self.parameters
        return {
            "kind": self.kind,
            "variant": self.variant,
            "capacitance": p.capacitance,
            "resistance": p.resistance,
            "voltage": p.voltage,
        }
