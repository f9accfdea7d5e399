"""Runs beside each other: their figures of merit, by run and by variant, and whether variants differ."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

from daemon.reading.results import FigureRecord, Results, RunRecord
from protocols.figures.replicates import compare, summarise

MOST = 64
"""Runs compared at once."""

VARIANT = "variant"
"""The label runs are grouped by where nobody says."""


@dataclass(frozen=True, slots=True)
class ComparedRun:
    """A run of a comparison. `area` in square metres and `active_mass` in kilograms, where the cell says."""

    run: str
    state: str
    cell: str | None
    protocol: str | None
    channel: str | None
    started: str | None
    labels: Mapping[str, str]
    group: str
    area: float | None
    active_mass: float | None


@dataclass(frozen=True, slots=True)
class RunValue:
    """A figure as one run has it, SI; `uncertainty` is standard, one sigma."""

    run: str
    value: float
    uncertainty: float | None
    method: str
    cycle: int | None


@dataclass(frozen=True, slots=True)
class GroupValue:
    """What the runs of a group have in common: mean, deviation (n - 1) and the mean's 95 % interval."""

    group: str
    count: int
    mean: float
    deviation: float | None
    low: float | None
    high: float | None


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether two groups differ (Welch's t test), and by how much the second is larger."""

    first: str
    second: str
    verdict: str
    reason: str
    difference: float
    low: float | None
    high: float | None
    p: float | None


@dataclass(frozen=True, slots=True)
class ComparedFigure:
    """One figure of merit over all runs that have it."""

    name: str
    mark: str | None
    unit: str
    runs: Sequence[RunValue]
    groups: Sequence[GroupValue]
    verdicts: Sequence[Verdict]


@dataclass(frozen=True, slots=True)
class Comparison:
    """Runs, and every figure at least one of them has."""

    by: str
    runs: Sequence[ComparedRun]
    figures: Sequence[ComparedFigure]


def comparison(results: Results, runs: Sequence[str], by: str = VARIANT) -> Comparison:
    """Put runs beside each other, grouped by a label. Raises `UnknownError` for a run that is not there.

    A run without that label is a group of its own. Of a figure that a run has several times (of
    several cycles or steps) the last counts.
    """
    records = [results.run(run) for run in dict.fromkeys(runs)]
    compared = [_compared(record, by) for record in records]
    group_of = {each.run: each.group for each in compared}
    latest: dict[tuple[str, str | None, str], dict[str, FigureRecord]] = {}
    for each in compared:
        for figure in results.figures(each.run):
            if figure.value is not None:
                latest.setdefault((figure.name, figure.mark, figure.unit), {})[each.run] = figure
    figures = [_figure(key, of_runs, group_of) for key, of_runs in latest.items()]
    return Comparison(by, compared, figures)


def _compared(record: RunRecord, by: str) -> ComparedRun:
    facts = record.cell_facts
    return ComparedRun(
        run=record.name,
        state=record.state,
        cell=record.cell,
        protocol=record.protocol,
        channel=record.channel,
        started=record.started,
        labels=record.labels,
        group=record.labels.get(by, record.name),
        area=facts.get("area"),
        active_mass=facts.get("active_mass"),
    )


def _figure(
    key: tuple[str, str | None, str], of_runs: Mapping[str, FigureRecord], group_of: Mapping[str, str]
) -> ComparedFigure:
    name, mark, unit = key
    runs: list[RunValue] = []
    values: dict[str, list[float]] = {}
    for run, figure in of_runs.items():
        if figure.value is not None:
            runs.append(RunValue(run, figure.value, figure.uncertainty, figure.method, figure.cycle))
            values.setdefault(group_of[run], []).append(figure.value)
    return ComparedFigure(name, mark, unit, runs, _groups(values), _verdicts(values))


def _groups(values: Mapping[str, Sequence[float]]) -> list[GroupValue]:
    found = []
    for group, each in values.items():
        said = summarise(each)
        found.append(GroupValue(group, said.count, said.mean, said.deviation, said.low, said.high))
    return found


def _verdicts(values: Mapping[str, Sequence[float]]) -> list[Verdict]:
    """Compare groups two by two, those of one run only left out: they cannot say."""
    several = {group: each for group, each in values.items() if len(each) > 1}
    found = []
    for (first, ones), (second, others) in combinations(several.items(), 2):
        said = compare(ones, others)
        found.append(
            Verdict(
                first, second, said.verdict.value, said.reason, said.difference, said.low, said.high, said.p
            )
        )
    return found
