"""A cell file written anew from the facts a run has kept, whatever the first one looked like."""

import json
from collections.abc import Mapping
from typing import Any

from protocols.cell import TEXTS

_UNITS: Mapping[str, tuple[str, float]] = {
    "area": ("cm2", 1e4),
    "active_mass": ("mg", 1e6),
    "theoretical_capacity": ("mAh/g", 1 / 3600),
    "nominal_capacity": ("mAh", 1 / 3.6),
    "electrolyte_conductivity": ("mS/cm", 10.0),
    "diffusion_length": ("um", 1e6),
    "expected_capacity": ("mAh", 1 / 3.6),
    "thickness": ("um", 1e6),
}
"""By the fact: the unit of the lab, and how many of them one SI unit is."""

_EDGES: Mapping[str, str] = {"voltage": "V", "current": "A", "temperature": "degC"}


def cell_text(facts: Mapping[str, Any]) -> str:
    """Return the YAML of a cell file from `Cell.facts`; reading it gives those facts again."""
    spread: Mapping[str, float] = facts.get("uncertainties", {})
    lines = [f"cell: {_quoted(str(facts.get('name', '')))}"]
    lines += [f"{name}: {_quoted(str(facts[name]))}" for name in TEXTS if facts.get(name)]
    amounts = (name for name in _UNITS if name != "thickness" and facts.get(name) is not None)
    lines += [f"{name}: {_amount(name, facts[name], spread)}" for name in amounts]
    if window := facts.get("window"):
        lines.append(f"window: {{{', '.join(_edges(name, edges) for name, edges in window.items())}}}")
    if separator := facts.get("separator"):
        inner = [f"name: {_quoted(str(separator['name']))}"]
        if separator.get("thickness") is not None:
            inner.append(f"thickness: {_amount('thickness', separator['thickness'], spread)}")
        lines.append(f"separator: {{{', '.join(inner)}}}")
    return "\n".join(lines) + "\n"


def _quoted(text: str) -> str:
    """A text in double quotes is YAML as it is JSON, whatever stands in it."""
    return json.dumps(text, ensure_ascii=False)


def _amount(name: str, value: float, spread: Mapping[str, float]) -> str:
    unit, factor = _UNITS[name]
    written = f"{value * factor:.9g} {unit}"
    return written if name not in spread else f"{written} +- {spread[name] * factor:.6g} {unit}"


def _edges(name: str, edges: Mapping[str, float]) -> str:
    unit = _EDGES[name]
    if "low" not in edges:
        return f"{name}: {edges['high']!r} {unit}"
    return f"{name}: {edges['low']!r} {unit} .. {edges['high']!r} {unit}"
