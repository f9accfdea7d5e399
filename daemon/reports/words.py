"""How a report writes names, values, units and facts of a cell."""

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from daemon.reading.results import FigureRecord, RunRecord
from protocols.cell import TEXTS
from protocols.figures.figure import Figure, LabValue
from protocols.lab import lasting

_UNITS = {
    "mAh/g": "mAh g⁻¹",
    "mAh/cm2": "mAh cm⁻²",
    "mS/cm": "mS cm⁻¹",
    "ohm": "Ω",
    "ohm cm2": "Ω cm²",
    "%/cycle": "% per cycle",
    "m2/s": "m² s⁻¹",
    "cm2/s": "cm² s⁻¹",
    "1": "",
}
_NAMES = {
    "transference_number_evans_vincent_bruce": "Transference number, Evans–Vincent–Bruce",
    "transference_number_extrapolated": "Transference number, I₀ extrapolated",
    "transference_number_first_reading": "Transference number, I₀ first reading",
    "capacity_decay": "Capacity decay, linear",
    "capacity_decay_compound": "Capacity decay, compound",
    "capacity_decay_theil_sen": "Capacity decay, Theil–Sen",
    "differential_capacity_peaks": "dQ/dV peak",
    "kramers_kronig": "Kramers–Kronig residual",
    "macmullin_number": "MacMullin number",
    "voltammetry_peaks": "Voltammetry peak",
    "voltammetry_separation": "Voltammetry peak separation",
}
_FACTS: tuple[tuple[str, str, str, float], ...] = (
    ("area", "Area", "cm²", 1e4),
    ("active_mass", "Active mass", "mg", 1e6),
    ("nominal_capacity", "Nominal capacity", "mAh", 1 / 3.6),
    ("theoretical_capacity", "Theoretical capacity", "mAh g⁻¹", 1 / 3600),
    ("thickness", "Separator thickness", "µm", 1e6),
)


def figure_name(name: str) -> str:
    """Return a figure's name as a heading."""
    spaced = name.replace("_", " ")
    return _NAMES.get(name, spaced[:1].upper() + spaced[1:])


def unit_name(unit: str) -> str:
    """Return a lab unit with its real signs: mAh g⁻¹, Ω cm²."""
    return _UNITS.get(unit, unit)


def figure_value(figure: FigureRecord) -> str:
    """Return value ± standard uncertainty with the unit, in lab units; a dash where there is none."""
    if figure.value is None:
        return "not to be had"
    found = Figure(figure.name, figure.value, figure.unit, figure.method, figure.uncertainty).in_lab_units()
    return lab_value(found)


def lab_value(value: LabValue) -> str:
    """Return a value in lab units as a report prints it."""
    number = str(LabValue(value.value, value.uncertainty, "")).replace("-", "\N{MINUS SIGN}")
    return f"{number}\N{NO-BREAK SPACE}{unit_name(value.unit)}".rstrip("\N{NO-BREAK SPACE}")


_SIGNS = (
    (re.compile(r"\bohm\b"), "Ω"),
    (re.compile(r"\bum\b"), "µm"),
    (re.compile(r"\bcm2\b"), "cm²"),
    (re.compile(r"(?<=[\s(])-(?=[\s\d])"), "\N{MINUS SIGN}"),
)


def method(figure: FigureRecord) -> str:
    """Return how a figure was found, with real signs for units and minus."""
    text = figure.method
    for pattern, sign in _SIGNS:
        text = pattern.sub(sign, text)
    return text


def grouped(figures: Iterable[FigureRecord]) -> list[list[FigureRecord]]:
    """Return the figures of one name together, in the order the names first came."""
    groups: dict[str, list[FigureRecord]] = {}
    for figure in figures:
        groups.setdefault(figure.name, []).append(figure)
    return list(groups.values())


def figure_place(figure: FigureRecord) -> str:
    """Return where a figure was found: `cycle 500`, `step 2, before`."""
    if figure.cycle is not None and figure.step is None:
        return f"cycle {figure.cycle}"
    parts = [f"step {figure.step}"] if figure.step is not None else []
    parts += [figure.mark] if figure.mark else []
    parts += [f"cycle {figure.cycle}"] if figure.cycle and figure.step is not None else []
    return ", ".join(parts)


def cell_facts(run: RunRecord) -> Iterator[tuple[str, str]]:
    """Yield what the cell file says, in lab units, with its uncertainties."""
    facts: dict[str, Any] = dict(run.cell_facts)
    separator = facts.get("separator")
    if isinstance(separator, Mapping):
        facts["thickness"] = separator.get("thickness")
        if separator.get("name"):
            yield "Separator", str(separator["name"])
    known = facts.get("uncertainties")
    uncertainties = known if isinstance(known, Mapping) else {}
    for key, name, unit, factor in _FACTS:
        if isinstance(facts.get(key), int | float):
            own = uncertainties.get(key)
            spread = own * factor if isinstance(own, int | float) else None
            yield name, lab_value(LabValue(facts[key] * factor, spread, unit))
    for key in TEXTS:
        if facts.get(key):
            yield key.replace("_", " ").capitalize(), str(facts[key])


_EDGES: tuple[tuple[str, str, float], ...] = (
    ("voltage", "V", 1.0),
    ("current", "mA", 1e3),
    ("temperature", "°C", 1.0),
)


def limits(run: RunRecord) -> Iterator[tuple[str, str]]:
    """Yield the window the run had to stay in, each edge with whose it was."""
    for key, unit, factor in _EDGES:
        edges = run.limits.get(key)
        if not isinstance(edges, Mapping):
            continue
        low, high = (_edge(edges.get(end), unit, factor) for end in ("low", "high"))
        origins = [origin for _, origin in (low, high) if origin]
        if low[0] == high[0] == "":
            continue
        if len(set(origins)) == 1:
            text = f"{low[0] or '…'} to {high[0] or '…'} ({origins[0]})"
        else:
            text = " to ".join(
                f"{value or '…'}{f' ({origin})' if origin else ''}" for value, origin in (low, high)
            )
        yield key.capitalize(), text.replace("-", "\N{MINUS SIGN}")


def _edge(edge: Mapping[str, Any] | None, unit: str, factor: float) -> tuple[str, str]:
    """Return the value with its unit and whose it is; two empty texts where there is none."""
    if not edge or edge.get("value") is None:
        return "", ""
    return f"{edge['value'] * factor:.4g}\N{NO-BREAK SPACE}{unit}", str(edge.get("origin") or "")


def span(seconds: float | None) -> str:
    """Return how long something lasted, a dash where that is not known."""
    return "–" if seconds is None else lasting(seconds)


def when(moment: str | None) -> str:
    """Return a moment as `2026-11-25 17:29 UTC`."""
    return f"{moment[:16].replace('T', ' ')} UTC" if moment else "–"
