"""Lithium, separator, lithium: the cell of the Bruce-Vincent measurement."""

from collections.abc import Mapping
from dataclasses import dataclass
from math import tau
from typing import Any

from simulators.cells.ladder_cell import LadderCell
from simulators.cells.units import CM2, MICROMETRE, MS_PER_CM
from simulators.cells.voigt import Ladder, Voigt, warburg

_FASTEST = 1e-6  # s, down to which the Warburg element is followed


@dataclass(frozen=True, slots=True)
class LiSepLiParameters:
    """One separator, in SI (facts, 1.2 and 3.5); `deviation` is the source's sd of `ratio`."""

    ratio: float  # Is / I0, the source's t+
    deviation: float
    conductivity: float  # S/m
    thickness: float = 25.0 * MICROMETRE
    area: float = 2.011 * CM2
    interfacial_resistance: float = 30.0  # ohm, of both electrodes
    double_layer: float = 5e-6  # F
    diffusion_time: float = 120.0  # s; slower than one separator's, as measured cells are


LI_SEP_LI: Mapping[str, LiSepLiParameters] = {
    "pp": LiSepLiParameters(0.36, 0.03, 0.305 * MS_PER_CM),
    "ti087o2": LiSepLiParameters(0.55, 0.03, 0.381 * MS_PER_CM, 25.08 * MICROMETRE),
}


class LiSepLi(LadderCell):
    """Z = Rb + Rint beside Cdl + Rd tanh(sqrt(jw t)) / sqrt(jw t), in time and in frequency.

    Held at dV the current falls from I0 = dV / (Rb + Rint) to Is = dV / (Rb + Rint + Rd), with
    Rd = (Rb + Rint)(1 / ratio - 1): the *apparent* parametrisation, in which Is / I0 is the ratio
    put in whatever the interface is. With `true_transference` that ratio is a transference number
    instead, Rd = Rb (1 / ratio - 1), and Is / I0 is larger.
    """

    kind = "li_sep_li"

    def __init__(
        self,
        parameters: LiSepLiParameters,
        variant: str,
        offset: float = 0.0,
        true_transference: bool = False,
    ) -> None:
        p = parameters
        self.parameters = p
        self.bulk_resistance = p.thickness / (p.conductivity * p.area)
        at_once = self.bulk_resistance + p.interfacial_resistance
        shared = self.bulk_resistance if true_transference else at_once
        self.diffusion_resistance = shared * (1.0 / p.ratio - 1.0)
        self.apparent = at_once / (at_once + self.diffusion_resistance)
        pairs = warburg(self.diffusion_resistance, p.diffusion_time, _FASTEST)
        if p.interfacial_resistance > 0.0:
            pairs.append(Voigt(p.interfacial_resistance, p.interfacial_resistance * p.double_layer))
        super().__init__(variant, self.bulk_resistance, Ladder(pairs), offset)

    def impedance(self, frequency: float) -> complex:
        return self._series + self._ladder.impedance(tau * frequency)

    def truth(self) -> Mapping[str, Any]:
        """Return what was put in; `transference_number` is the apparent Is / I0, the source's formula."""
        p, rb, rd = self.parameters, self.bulk_resistance, self.diffusion_resistance
        return {
            **super().truth(),
            "area": p.area,
            "thickness": p.thickness,
            "conductivity": p.conductivity,
            "transference_number": self.apparent,
            "evans_vincent_bruce": rb / (rb + rd),
            "bulk_resistance": rb,
            "interfacial_resistance": p.interfacial_resistance,
            "diffusion_resistance": rd,
            "offset": self._offset,
        }
