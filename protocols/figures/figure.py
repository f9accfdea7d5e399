"""A figure of merit: one number a paper would print, with its uncertainty and how it was found."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

from protocols.errors import FigureError
from protocols.figures.estimate import Estimate

Plain: TypeAlias = "str | float | int | bool | Sequence[Plain] | Mapping[str, Plain] | None"


@dataclass(frozen=True, slots=True)
class RunPlace:
    """Where in a run a figure was found: a cycle, the ordinal of a step, a mark; or none of them."""

    cycle: int | None = None
    step: int | None = None
    mark: str | None = None


NOWHERE = RunPlace()


@dataclass(frozen=True, slots=True)
class LabValue:
    """A value and its standard uncertainty in the unit a lab would write."""

    value: float
    uncertainty: float | None
    unit: str

    def __str__(self) -> str:
        number = f"{self.value:.4g}"
        if self.uncertainty is not None and self._is_seen(self.uncertainty):
            number = self._with_uncertainty(self.uncertainty)
        return number if self.unit in ("", "1") else f"{number} {self.unit}"

    def _with_uncertainty(self, uncertainty: float) -> str:
        """The uncertainty with two digits, the value as far as that; with powers of ten where it is tiny."""
        last = math.floor(math.log10(uncertainty)) - 1
        if last < -9:
            digits = max(0, math.floor(math.log10(abs(self.value) or uncertainty)) - last)
            return f"{self.value:.{digits}e} ± {uncertainty:.1e}"
        decimals = max(0, -last)
        return f"{self.value:.{decimals}f} ± {uncertainty:.{decimals}f}"

    def _is_seen(self, uncertainty: float) -> bool:
        """Whether it is more than what a computer rounds, and finite."""
        return math.isfinite(uncertainty) and uncertainty > 1e-9 * abs(self.value)


# SI unit → (lab unit, how many lab units one SI unit is). 1 mAh is 3.6 C.
_LAB_UNITS: Mapping[str, tuple[str, float]] = {
    "C": ("mAh", 1 / 3.6),
    "C/kg": ("mAh/g", 1 / 3600),
    "C/m2": ("mAh/cm2", 1 / 3.6e4),
    "S/m": ("mS/cm", 10.0),
    "A": ("mA", 1e3),
    "ohm m2": ("ohm cm2", 1e4),
    "1/cycle": ("%/cycle", 100.0),
    "m2/s": ("cm2/s", 1e4),
    "C/V": ("mAh/V", 1 / 3.6),
    "1/s": ("%/h", 3.6e5),
}
_IN_PERCENT = frozenset(
    {
        "coulombic_efficiency",
        "energy_efficiency",
        "average_coulombic_efficiency",
        "retention",
        "kramers_kronig",
    }
)
_IN_MILLIVOLTS = frozenset(
    {
        "hysteresis",
        "overpotential",
        "nucleation_overpotential",
        "steady_overpotential",
        "voltammetry_separation",
    }
)


@dataclass(frozen=True, slots=True)
class Figure:
    """One figure of merit, in SI.

    `uncertainty` is the standard uncertainty (one sigma), None where the data offer none.
    `method` names the formula and the cycle or readings it was taken from. `detail` is plain data:
    what a careful reader would ask next.
    """

    name: str
    value: float
    unit: str
    method: str
    uncertainty: float | None = None
    warnings: tuple[str, ...] = ()
    detail: Mapping[str, Plain] = field(default_factory=dict)
    place: RunPlace = NOWHERE

    def __post_init__(self) -> None:
        """Refuse a value that is no number: `FigureError`."""
        if not math.isfinite(self.value):
            raise FigureError(f"{self.name} came out as {self.value}; wanted a finite number ({self.method})")

    @property
    def estimate(self) -> Estimate:
        """The value with its standard uncertainty, 0 where none is known."""
        return Estimate(self.value, self.uncertainty or 0.0)

    def in_lab_units(self) -> LabValue:
        """Return it as a lab writes it: mAh/g, mS/cm, mV, %."""
        unit, factor = self._lab_unit()
        uncertainty = None if self.uncertainty is None else self.uncertainty * factor
        return LabValue(self.value * factor, uncertainty, unit)

    def _lab_unit(self) -> tuple[str, float]:
        if self.name in _IN_PERCENT:
            return "%", 100.0
        if self.name in _IN_MILLIVOLTS:
            return "mV", 1e3
        return _LAB_UNITS.get(self.unit, (self.unit, 1.0))


@dataclass(frozen=True, slots=True)
class Refusal:
    """A figure that was asked for and that the data cannot carry, and why."""

    name: str
    reason: str
    place: RunPlace = NOWHERE
