"""Steel, separator, steel: the cell that measures ionic conductivity."""

from collections.abc import Mapping
from dataclasses import dataclass
from math import tau
from typing import Any

from simulators.cells.ladder_cell import LadderCell
from simulators.cells.units import CM2, MICROMETRE, MS_PER_CM
from simulators.cells.voigt import Ladder, Voigt, constant_phase

_INDUCTANCE = 0.8e-6  # H, of cell and cable, so that the spectrum really crosses the axis
_LEAKAGE = 10e6  # ohm
_SLOWEST, _FASTEST = 1e3, 1e-8  # s, between which the ladder is the constant phase element


@dataclass(frozen=True, slots=True)
class BlockingParameters:
    """One separator, in SI (facts, 1.2 and 3.4); `deviation` is the source's sd of five samples."""

    conductivity: float  # S/m
    deviation: float  # S/m
    thickness: float = 25.0 * MICROMETRE
    area: float = 2.011 * CM2
    phase_element: float = 3e-5  # S s^n
    exponent: float = 0.92


BLOCKING: Mapping[str, BlockingParameters] = {
    "pp": BlockingParameters(0.305 * MS_PER_CM, 0.015 * MS_PER_CM),
    "tio2": BlockingParameters(0.246 * MS_PER_CM, 0.023 * MS_PER_CM, 25.08 * MICROMETRE),
    "go": BlockingParameters(0.117 * MS_PER_CM, 0.038 * MS_PER_CM, 25.12 * MICROMETRE),
    "ti087o2": BlockingParameters(0.381 * MS_PER_CM, 0.028 * MS_PER_CM, 25.08 * MICROMETRE),
}


class Blocking(LadderCell):
    """Z = jwL + Rb + 1/(Q (jw)^n), with Rb = thickness / (conductivity area).

    The impedance is that formula. The time domain is its ladder, equal to it within 0.02 % from
    1 Hz to 1 MHz, whose slowest capacitor leaks 10 megohm, so that a direct current ends somewhere
    (a leak the formula leaves out: 0.2 % of |Z| at 0.1 Hz, 2 % at 10 mHz); the inductance has no part in it.
    """

    kind = "blocking"

    def __init__(self, parameters: BlockingParameters, variant: str, offset: float = 0.0) -> None:
        p = parameters
        self.parameters = p
        self.bulk_resistance = p.thickness / (p.conductivity * p.area)
        phase = constant_phase(p.phase_element, p.exponent, _SLOWEST, _FASTEST)
        leaking = Voigt(_LEAKAGE, _LEAKAGE * phase.capacitor)
        ladder = Ladder([*phase.pairs, leaking])
        super().__init__(variant, self.bulk_resistance + phase.resistor, ladder, offset)

    def impedance(self, frequency: float) -> complex:
        p, s = self.parameters, 1j * tau * frequency
        return s * _INDUCTANCE + self.bulk_resistance + 1.0 / (p.phase_element * s**p.exponent)

    def truth(self) -> Mapping[str, Any]:
        p = self.parameters
        return {
            **super().truth(),
            "area": p.area,
            "thickness": p.thickness,
            "conductivity": p.conductivity,
            "bulk_resistance": self.bulk_resistance,
            "inductance": _INDUCTANCE,
            "phase_element": p.phase_element,
            "phase_exponent": p.exponent,
        }
