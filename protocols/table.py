"""The table of `galvanod check`: a plan with its forecast as rows of text for people."""

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from protocols import lab
from protocols.forecast import Forecast, StepForecast
from protocols.limits import Limits
from protocols.plan import Plan, PlannedEntry, PlannedRepeat


class Row(NamedTuple):
    """One line of the table: what a person reads of one step or repeat."""

    path: str
    line: str
    step: str
    setting: str
    until: str
    record: str
    duration: str
    rows: str


def rows(plan: Plan, forecast: Forecast) -> Iterator[Row]:
    """Yield the lines of the table, repeats before their steps, which stand indented."""
    by_path = {step.path: step for step in forecast.steps}
    yield from _rows(plan.steps, by_path, 0)


def limit_lines(limits: Limits) -> Iterator[str]:
    """Yield the window in words, each edge with whose it is."""
    for name, unit, allowed in limits.named():
        edges = [
            f"{word} {edge.value:g} {unit} ({edge.origin})"
            for word, edge in (("from", allowed.low), ("to", allowed.high))
            if edge is not None
        ]
        if edges:
            yield f"{name} {' '.join(edges)}"


def _rows(entries: Sequence[PlannedEntry], by_path: Mapping[str, StepForecast], depth: int) -> Iterator[Row]:
    indent = "  " * depth
    for entry in entries:
        if isinstance(entry, PlannedRepeat):
            until = "" if entry.until is None else entry.until.text
            marks = ", ".join(entry.marks)
            yield Row(
                entry.path, str(entry.line), f"{indent}repeat {entry.times} ×", marks, until, "", "", ""
            )
            yield from _rows(entry.steps, by_path, depth + 1)
            continue
        expected = by_path[entry.path]
        about = "" if expected.basis == "exact" else f" ({expected.basis})"
        yield Row(
            entry.path,
            str(entry.line),
            f"{indent}{entry.verb}",
            entry.setting,
            lab.condition(entry.until),
            lab.record(entry.record),
            lab.duration(expected.seconds) + about,
            str(expected.rows),
        )
