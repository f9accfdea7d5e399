"""Runs side by side: replicate cells of one variant together, variants against each other."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, TypeAlias

import numpy as np

from daemon.reading.results import FigureRecord
from daemon.reports import words
from daemon.reports.chart import Axis, Chart, Mark, Series, thinned
from daemon.reports.dossier import Dossier
from daemon.reports.scales import capacity_scale
from protocols.figures import replicates
from protocols.figures.figure import Figure

Key: TypeAlias = tuple[str, str | None, int | None, int | None]
Variants: TypeAlias = Mapping[str, Sequence[Dossier]]


@dataclass(frozen=True, slots=True)
class ComparedFigure:
    """One figure over the cells of every variant.

    `verdicts` are those against the first variant that say something, `silence` why others cannot.
    """

    title: str
    cells: Sequence[str]
    verdicts: Sequence[str]
    silence: Sequence[str]
    data: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Comparison:
    """All runs of one protocol."""

    protocol: str
    variants: Sequence[str]
    rows: Sequence[ComparedFigure]
    charts: Sequence[Chart]


def comparisons(dossiers: Sequence[Dossier]) -> Iterator[Comparison]:
    """Yield a comparison for each protocol that was run more than once.

    The variant of a run is its label of that name, else the name of its cell.
    """
    by_protocol: dict[str, dict[str, list[Dossier]]] = {}
    for dossier in dossiers:
        variants = by_protocol.setdefault(dossier.run.protocol or "?", {})
        variant = dossier.run.labels.get("variant") or dossier.run.cell or "?"
        variants.setdefault(variant, []).append(dossier)
    for protocol, variants in by_protocol.items():
        if sum(map(len, variants.values())) > 1:
            rows = list(_rows(variants))
            yield Comparison(protocol, list(variants), rows, list(_charts(variants)))


def _rows(variants: Variants) -> Iterator[ComparedFigure]:
    values: dict[Key, dict[str, list[float]]] = {}
    example: dict[Key, FigureRecord] = {}
    for variant, dossiers in variants.items():
        for figure in (figure for dossier in dossiers for figure in dossier.figures):
            if figure.value is not None:
                key = (figure.name, figure.mark, figure.cycle, figure.step)
                values.setdefault(key, {}).setdefault(variant, []).append(figure.value)
                example[key] = figure
    for key, found in values.items():
        if sum(map(len, found.values())) > 1:
            yield _compared(example[key], [found.get(variant, []) for variant in variants], list(variants))


def _compared(
    figure: FigureRecord, columns: Sequence[Sequence[float]], names: Sequence[str]
) -> ComparedFigure:
    summaries = [replicates.summarise(values) if values else None for values in columns]
    cells = [_cell(figure, summary) for summary in summaries]
    verdicts: list[str] = []
    silence: list[str] = []
    data: list[dict[str, Any]] = []
    for name, values in zip(names[1:], columns[1:], strict=True):
        if values and columns[0]:
            found = replicates.compare(columns[0], values)
            if found.verdict is replicates.Verdict.CANNOT_SAY:
                silence.append(found.reason)
            else:
                verdicts.append(_verdict(name if len(names) > 2 else "", found))
            data.append(asdict(found) | {"variant": name, "against": names[0]})
    place = words.figure_place(figure)
    title = words.figure_name(figure.name) + (f", {place}" if place else "")
    facts = {
        "name": figure.name,
        "unit": figure.unit,
        "cycle": figure.cycle,
        "step": figure.step,
        "mark": figure.mark,
        "variants": {n: asdict(s) if s else None for n, s in zip(names, summaries, strict=True)},
        "comparisons": data,
    }
    return ComparedFigure(title, cells, verdicts, silence, facts)


def _cell(figure: FigureRecord, summary: replicates.Replicates | None) -> str:
    if summary is None:
        return "–"
    found = Figure(figure.name, summary.mean, figure.unit, "", summary.deviation)
    return f"{words.lab_value(found.in_lab_units())} (n = {summary.count})"


def _verdict(name: str, found: replicates.Comparison) -> str:
    measured = f", g = {found.effect:.2g}" if found.effect is not None else ""
    return f"{name}{': ' if name else ''}{found.verdict}; {found.reason}{measured}"


def _charts(variants: Variants) -> Iterator[Chart]:
    """Yield capacity and efficiency of all runs against the cycle, a colour for each variant."""
    cycling = [
        d for dossiers in variants.values() for d in dossiers if len(d.complete) > 2 and not d.symmetric
    ]
    if not cycling:
        return
    scale = capacity_scale(cycling[0])
    capacity: list[Series] = []
    efficiency: list[Series] = []
    for place, (variant, dossiers) in enumerate(variants.items()):
        for index, dossier in enumerate(d for d in dossiers if d in cycling):
            name = variant if index == 0 else ""
            numbers = np.array([float(c.cycle) for c in dossier.complete])
            discharged = np.array([c.discharge_capacity or np.nan for c in dossier.complete])
            shares = np.array([c.coulombic_efficiency or np.nan for c in dossier.complete])
            own = capacity_scale(dossier).factor
            capacity.append(Series(name, *thinned(numbers, discharged * own), Mark.POINTS, colour=place))
            efficiency.append(Series(name, *thinned(numbers, 100 * shares), Mark.POINTS, colour=place))
    cycle = Axis("Cycle")
    yield Chart("capacity", "Discharge capacity", cycle, Axis("Capacity", scale.unit), capacity)
    yield Chart("efficiency", "Coulombic efficiency", cycle, Axis("CE", "%"), efficiency)
