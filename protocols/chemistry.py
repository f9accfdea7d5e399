"""What a kind of cell is known to do before anything is measured: for forecasts, never for a limit."""

import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from protocols.cell import Cell

Curve = Sequence[tuple[float, float]]
"""Volts against the share of a half cycle that has passed, 0 to 1, at about C/5."""


@dataclass(frozen=True, slots=True)
class Share:
    """How much of the theoretical capacity such cells deliver at a C-rate: most of them in between."""

    rate: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Chemistry:
    """A kind of cell. Without `shares` its capacity is what its file says; `charged` is how it is built."""

    name: str
    discharge: Curve
    charge: Curve
    charged: float = 1.0
    shares: Sequence[Share] = ()

    def share(self, rate: float) -> Share | None:
        """Return what it delivers at a C-rate; beyond the rates that are known, the nearest known one."""
        if not self.shares or not rate > 0.0:
            return None
        within = min(max(rate, self.shares[0].rate), self.shares[-1].rate)
        for below, above in pairwise(self.shares):
            if within <= above.rate:
                part = math.log(within / below.rate) / math.log(above.rate / below.rate)
                return Share(rate, _mixed(below.low, above.low, part), _mixed(below.high, above.high, part))
        return self.shares[-1]

    def voltage(self, way: int, level: float) -> float:
        """Return the volts on charge (+1), on discharge (-1) or at rest (0) at a level from 0 to 1."""
        if way == 0:  # away from either end, where a curve is of the current and not of the cell
            inside = min(max(level, 0.03), 0.97)
            return (self.voltage(1, inside) + self.voltage(-1, inside)) / 2.0
        return _at(self.charge, level) if way > 0 else _at(self.discharge, 1.0 - level)


def chemistry_of(cell: Cell) -> Chemistry | None:
    """Return the kind of cell a file describes; None where that is not known.

    Its `chemistry:` decides; without one its name does ("Li||Cu, PP", "Li-S no. 3"), then its
    theoretical capacity and its electrodes.
    """
    if (said := cell.texts.get("chemistry")) is not None:
        return next((known for pattern, known in _NAMES if re.search(pattern, said, re.IGNORECASE)), None)
    named = (known for pattern, known in _NAMES if re.search(pattern, cell.name, re.IGNORECASE))
    return next(named, None) or next((known for is_it, known in _SIGNS if is_it(cell)), None)


def _mixed(low: float, high: float, part: float) -> float:
    return low + part * (high - low)


def _at(curve: Curve, where: float) -> float:
    within = min(max(where, curve[0][0]), curve[-1][0])
    for (left, low), (right, high) in pairwise(curve):
        if within <= right:
            return _mixed(low, high, (within - left) / (right - left))
    return curve[-1][1]


def _shifted(curve: Curve, volts: float) -> Curve:
    return [(where, value + volts) for where, value in curve]


_SULFUR_DISCHARGE: Curve = [
    (0.0, 2.42),
    (0.02, 2.34),
    (0.22, 2.28),
    (0.30, 2.12),
    (0.33, 2.06),
    (0.4, 2.07),
    (0.9, 2.05),
    (0.97, 1.97),
    (1.0, 1.7),
]
_SULFUR_CHARGE: Curve = [
    (0.0, 2.05),
    (0.01, 2.24),
    (0.05, 2.2),
    (0.6, 2.29),
    (0.8, 2.37),
    (0.97, 2.43),
    (1.0, 2.8),
]
_SULFUR_SHARES = (
    Share(0.05, 0.55, 0.70),
    Share(0.2, 0.45, 0.60),
    Share(1.0, 0.25, 0.45),
    Share(2.0, 0.15, 0.36),
)
"""The two plateaus at 2.3 and 2.05 V, and 950 to 260 and 960 to 560 of 1675 mAh/g from 0.2 to 2 C
(Nat. Commun. 12, 4184); downwards for cells that have faded."""

_SELENIUM_SHARES = (
    Share(0.05, 0.75, 0.95),
    Share(0.2, 0.62, 0.85),
    Share(1.0, 0.40, 0.70),
    Share(2.0, 0.25, 0.60),
)
"""560 (with sodium 540) of 678 mAh/g at 0.2 C in the same source; its rates scaled from sulfur's."""

LITHIUM_SULFUR = Chemistry("Li-S", _SULFUR_DISCHARGE, _SULFUR_CHARGE, shares=_SULFUR_SHARES)
LITHIUM_SELENIUM = Chemistry("Li-Se", _SULFUR_DISCHARGE, _SULFUR_CHARGE, shares=_SELENIUM_SHARES)
SODIUM_SELENIUM = Chemistry(
    "Na-Se", _shifted(_SULFUR_DISCHARGE, -0.45), _shifted(_SULFUR_CHARGE, -0.45), shares=_SELENIUM_SHARES
)
_PLATING: Curve = [(0.0, -0.12), (0.03, -0.06), (1.0, -0.05)]
_STRIPPING: Curve = [(0.0, 0.08), (0.05, 0.05), (0.9, 0.06), (0.97, 0.12), (1.0, 0.5)]
LITHIUM_COPPER = Chemistry("Li||Cu", _PLATING, _STRIPPING)
SODIUM_COPPER = Chemistry("Na||Cu", _PLATING, _STRIPPING)
LITHIUM_LITHIUM = Chemistry("Li||Li", [(0.0, -0.07), (1.0, -0.05)], [(0.0, 0.07), (1.0, 0.05)])
LITHIUM_SEPARATOR = Chemistry("Li|separator|Li", [(0.0, 0.0), (1.0, 0.0)], [(0.0, 0.0), (1.0, 0.0)])
BLOCKING = Chemistry("steel|separator|steel", [(0.0, 0.0), (1.0, 0.0)], [(0.0, 0.0), (1.0, 0.0)])
LITHIUM_ION = Chemistry(
    "Li-ion",
    [(0.0, 4.18), (0.05, 4.06), (0.2, 3.9), (0.4, 3.74), (0.6, 3.62), (0.8, 3.5), (0.92, 3.33), (1.0, 2.8)],
    [(0.0, 3.2), (0.05, 3.5), (0.2, 3.62), (0.4, 3.72), (0.6, 3.86), (0.8, 4.0), (1.0, 4.2)],
    charged=0.5,
)

_NAMES: Sequence[tuple[str, Chemistry]] = (
    (r"\b(na|sodium) ?\|\| ?(cu|copper)\b", SODIUM_COPPER),
    (r"\b(li|lithium) ?\|\| ?(cu|copper)\b", LITHIUM_COPPER),
    (r"\b(li|lithium) ?\|\| ?(li|lithium)\b|\blithium symmetric\b", LITHIUM_LITHIUM),
    (r"\b(ss|steel) ?\|[^|]+\| ?(ss|steel)\b|\bblocking\b", BLOCKING),
    (r"\b(li|lithium) ?\|[^|]+\| ?(li|lithium)\b", LITHIUM_SEPARATOR),
    (r"\b(na|sodium)[- ]?(se|selenium)\b", SODIUM_SELENIUM),
    (r"\b(li|lithium)[- ]?(se|selenium)\b", LITHIUM_SELENIUM),
    (r"\b(li|lithium)[- ]?(s|sulfur|sulphur)\b", LITHIUM_SULFUR),
    (r"\b(li|lithium)[- ]?ion\b|\b(nmc|nca|lco)\b", LITHIUM_ION),
)


def _counter(cell: Cell, metal: str) -> bool:
    return metal in cell.texts.get("counter_electrode", "").lower()


def _copper(cell: Cell) -> bool:
    return "copper" in cell.texts.get("working_electrode", "").lower()


def _near(cell: Cell, milliampere_hours_per_gram: float) -> bool:
    capacity = cell.theoretical_capacity
    return capacity is not None and math.isclose(capacity, milliampere_hours_per_gram * 3600.0, rel_tol=0.01)


_SIGNS: Sequence[tuple[Callable[[Cell], bool], Chemistry]] = (
    (lambda cell: _copper(cell) and _counter(cell, "sodium"), SODIUM_COPPER),
    (lambda cell: _copper(cell) and _counter(cell, "lithium"), LITHIUM_COPPER),
    (lambda cell: _near(cell, 1675.0) and not _counter(cell, "sodium"), LITHIUM_SULFUR),
    (lambda cell: _near(cell, 678.0) and _counter(cell, "sodium"), SODIUM_SELENIUM),
    (lambda cell: _near(cell, 678.0), LITHIUM_SELENIUM),
)

KNOWN: Mapping[str, Chemistry] = {known.name: known for _, known in _NAMES}
"""By the name a cell file may give under `chemistry:`."""
