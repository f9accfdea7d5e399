"""A technique of EClib with its parameters, before it becomes structures and after it came from them."""

import struct
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Self

from drivers.eclib_structs import EccParam

INTEGER, BOOLEAN, SINGLE = 0, 1, 2
"""Values of `ParamType`."""

IDENTIFIERS = {
    "ocv": 100,
    "ca": 101,
    "cp": 102,
    "cv": 103,
    "peis": 104,
    "geis": 107,
    "loop": 150,
    "cplimit": 155,
    "calimit": 157,
}
"""`TechniqueID` by the name of the .ecc file, without what the board adds to it."""

NAMES = {number: name for name, number in IDENTIFIERS.items()}


@dataclass(frozen=True, slots=True, order=True)
class Parameter:
    """One value. Its type is its Python type: an int, a bool or a float, in SI."""

    label: str
    value: float
    index: int = 0

    def __str__(self) -> str:
        value = str(self.value) if isinstance(self.value, bool | int) else f"{self.value:.7g}"
        return f"{self.label}[{self.index}] = {value}" if self.index else f"{self.label} = {value}"

    def rounded(self) -> Self:
        """Return it as the instrument knows it: a float has 32 bits there."""
        if isinstance(self.value, bool | int):
            return self
        return replace(self, value=struct.unpack("<f", struct.pack("<f", self.value))[0])


@dataclass(frozen=True, slots=True)
class Technique:
    """A technique by its name ("cplimit"), with everything it is given.

    `versus_open_circuit` says that its voltages count from an open circuit that was measured before.
    """

    name: str
    parameters: tuple[Parameter, ...]
    versus_open_circuit: bool = False

    @classmethod
    def of(cls, name: str, **values: float) -> Self:
        """Make one whose parameters have one value each; the keywords are the labels."""
        return cls(name, tuple(Parameter(label, value) for label, value in values.items()))

    def is_held_as(self, found: "Technique") -> bool:
        """Whether an instrument that was given this technique would tell it as `found`."""
        return self._compared(self) == self._compared(found)

    def _compared(self, technique: "Technique") -> tuple[str, list[Parameter]]:
        unknown = ("Voltage_step",) if self.versus_open_circuit else ()
        known = [each.rounded() for each in technique.parameters if each.label not in unknown]
        return technique.name, sorted(known)

    def lines(self) -> list[str]:
        """Return it for people to read, a parameter a line."""
        return [self.name.upper(), *(f"  {parameter}" for parameter in self.parameters)]


def parameters_from(structures: Iterable[EccParam]) -> tuple[Parameter, ...]:
    """Return what the structures hold."""
    return tuple(_parameter(structure) for structure in structures)


def _parameter(structure: EccParam) -> Parameter:
    value: float
    match structure.ParamType:
        case 1:
            value = bool(structure.ParamVal)
        case 2:
            value = struct.unpack("<f", struct.pack("<I", structure.ParamVal))[0]
        case _:
            value = struct.unpack("<i", struct.pack("<I", structure.ParamVal))[0]
    return Parameter(structure.ParamStr.decode("ascii", "replace"), value, structure.ParamIndex)
