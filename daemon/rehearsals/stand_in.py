"""Which simulated cell stands for the one a cell file describes, at its size.

The simulated cells are reached by their names alone, as a bench file writes them. What is fitted to
what is theirs to know; here is only which of them is like a file's cell, and how large it has to be.
"""

import re
from collections.abc import Mapping
from typing import NamedTuple

from daemon.errors import ServiceError
from protocols import lab
from protocols.cell import Cell
from protocols.chemistry import KNOWN, chemistry_of

GENERIC_CAPACITY = 10.8
"""Coulombs (3 mAh) that the simulated lithium-ion cell is called."""

_KINDS: Mapping[str, str] = {
    "Li-S": "li_s",
    "Li-Se": "li_se",
    "Na-Se": "na_se",
    "Li||Cu": "li_cu",
    "Na||Cu": "na_cu",
    "Li||Li": "li_li",
    "Li|separator|Li": "li_sep_li",
    "steel|separator|steel": "blocking",
    "Li-ion": "li_ion",
}
_SEPARATORS: Mapping[str, str] = {"pp": "pp", "ti087o2pp": "ti087o2", "tio2pp": "tio2", "gopp": "go"}
_FITTED: Mapping[str, tuple[str, ...]] = {
    "li_s": ("pp", "tio2", "go", "ti087o2"),
    "blocking": ("pp", "tio2", "go", "ti087o2"),
}
_MOSTLY = ("pp", "ti087o2")

_SIZES: Mapping[str, tuple[str, ...]] = {
    "li_s": ("area", "active_mass"),
    "li_se": ("area", "active_mass"),
    "na_se": ("area", "active_mass"),
    "li_sep_li": ("area", "thickness"),
    "blocking": ("area", "thickness"),
}

_DELIVERED: Mapping[str, tuple[float, float]] = {
    "li_s/pp": (1136.5, 973.0),
    "li_s/tio2": (1118.0, 959.0),
    "li_s/go": (1110.0, 955.0),
    "li_s/ti087o2": (1031.6, 958.0),
    "li_se/pp": (620.8, 550.0),
    "li_se/ti087o2": (591.1, 560.0),
    "na_se/pp": (582.0, 520.0),
    "na_se/ti087o2": (564.2, 540.0),
}
"""mAh/g that a set is given, and what it then delivers at 0.2 C (facts of the reference experiment)."""


class StandIn(NamedTuple):
    """A simulated cell by its name and size, and in words what of it is of the file and what is assumed."""

    cell: str
    words: str


def stand_in(cell: Cell) -> StandIn:
    """Return the simulated cell for a cell file. Raises `ServiceError` where none is like it."""
    chemistry = chemistry_of(cell)
    if chemistry is None:
        raise ServiceError(
            f"no simulated cell is like {cell.name!r}; wanted `chemistry:` in its cell file, one of "
            f"{', '.join(KNOWN)}"
        )
    kind = _KINDS[chemistry.name]
    variant, separator = _variant(kind, cell)
    name = f"{kind}/{variant}"
    sizes = _sizes(name, cell)
    written = " ".join(f"{option}={value:.9g}" for option, (value, _) in sizes.items())
    sized = ", ".join(words for _, words in sizes.values())
    words = (
        f"{chemistry.name}{separator}; {f'scaled to {sized}' if sized else 'of the size it was fitted at'}"
    )
    return StandIn(f"{name} {written}".strip(), words)


def _variant(kind: str, cell: Cell) -> tuple[str, str]:
    """Return the variant, and in words which separator it is of."""
    if kind == "li_ion":
        return "generic", ", a generic cell"
    named = cell.separator.name if cell.separator is not None else ""
    variant = _SEPARATORS.get(re.sub(r"[^a-z0-9]", "", named.lower()))
    if variant in _FITTED.get(kind, _MOSTLY):
        return str(variant), f" with {named}"
    return (
        "pp",
        f" with bare PP, as nothing is known of {named}" if named else " with bare PP, as none is named",
    )


def _sizes(name: str, cell: Cell) -> dict[str, tuple[float, str]]:
    """Return the options that bring it to the file's size, each in SI and in words."""
    kind = name.partition("/")[0]
    if kind == "li_ion":
        if cell.capacity is None:
            return {}
        return {"scale": (cell.capacity / GENERIC_CAPACITY, lab.capacity(cell.capacity))}
    found: dict[str, tuple[float, str]] = {}
    wanted = _SIZES.get(kind, ("area",))
    if "area" in wanted and cell.area is not None:
        found["area"] = cell.area, f"{cell.area * 1e4:.4g} cm2"
    if "active_mass" in wanted and cell.active_mass is not None:
        found["active_mass"] = cell.active_mass, f"{cell.active_mass * 1e6:.4g} mg"
    if "thickness" in wanted and cell.separator is not None and cell.separator.thickness is not None:
        found["thickness"] = cell.separator.thickness, f"{cell.separator.thickness * 1e6:.4g} um"
    if name in _DELIVERED and cell.expected_capacity is not None and cell.active_mass is not None:
        given, delivered = _DELIVERED[name]
        specific = cell.expected_capacity / cell.active_mass
        found["capacity"] = specific * given / delivered, f"{specific / 3600.0:.4g} mAh/g expected at 0.2 C"
    return found
