"""The report of `galvanod check`: a plan with its forecast as plain data, and as rows of text for people."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from protocols import lab
from protocols.conditions import AllOf, AnyOf, Comparison, Condition
from protocols.forecast import Forecast, StepForecast
from protocols.limits import Bound, Limits, Range
from protocols.plan import Plan, PlannedEntry, PlannedRepeat, PlannedStep
from protocols.recording import Recording
from protocols.techniques import (
    ChamberTemperature,
    ConstantCurrent,
    ConstantPower,
    ConstantResistance,
    ConstantVoltage,
    Impedance,
    Rest,
    Sweep,
    Technique,
)

Plain = Mapping[str, Any]


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


def report(plan: Plan, forecast: Forecast) -> dict[str, Any]:
    """Return everything `check` knows as plain SI data, ready for JSON."""
    by_path = {step.path: step for step in forecast.steps}
    return {
        "protocol": plan.name,
        "digest": plan.digest,
        "variables": dict(plan.variables),
        "limits": _limits(plan.limits),
        "steps": [_entry(entry, by_path) for entry in plan.steps],
        "forecast": {"seconds": forecast.seconds, "rows": forecast.rows, "steps": forecast.visits},
        "figures": list(plan.figures),
        "warnings": list(plan.warnings),
    }


def rows(plan: Plan, forecast: Forecast) -> Iterator[Row]:
    """Yield the lines of the table, repeats before their steps, which stand indented."""
    by_path = {step.path: step for step in forecast.steps}
    yield from _rows(plan.steps, by_path, 0)


def limit_lines(limits: Limits) -> Iterator[str]:
    """Yield the window in words, each edge with whose it is."""
    for name, unit, allowed in _named(limits):
        edges = [
            f"{word} {edge.value:g} {unit} ({edge.origin})"
            for word, edge in (("from", allowed.low), ("to", allowed.high))
            if edge is not None
        ]
        if edges:
            yield f"{name} {' '.join(edges)}"


def record_text(rule: Recording) -> str:
    """Return a record rule in the words of the protocol file."""
    parts = []
    if rule.every is not None:
        parts.append(f"every {lab.duration(rule.every)}")
    if rule.voltage_step is not None:
        parts.append(lab.with_prefix(rule.voltage_step, "V"))
    if rule.current_step is not None:
        parts.append(f"{100 * rule.current_step:.6g} %")
    if rule.per_decade is not None:
        start = "" if rule.from_time is None else f" from {lab.duration(rule.from_time)}"
        parts.append(f"log {rule.per_decade:g} per decade{start}")
    return " or ".join(parts)


def condition_text(until: Condition | None) -> str:
    """Return the ends as they were written, with their `or` and `and`."""
    match until:
        case None:
            return "its own end"
        case Comparison():
            return until.text
        case AnyOf(parts):
            return " or ".join(map(condition_text, parts))
        case AllOf(parts):
            return " and ".join(map(condition_text, parts))


def set_value(technique: Technique) -> float | None:
    """Return the one number the cell is driven with: A, V, W, ohm or degC; None where there is none."""
    match technique:
        case ConstantCurrent(value) | ConstantPower(value) | ConstantResistance(value):
            return value
        case ConstantVoltage(level):
            return level.volts
        case ChamberTemperature(celsius):
            return celsius
    return None


def _entry(entry: PlannedEntry, by_path: Mapping[str, StepForecast]) -> dict[str, Any]:
    if isinstance(entry, PlannedStep):
        return _step(entry, by_path[entry.path])
    return {
        "path": entry.path,
        "line": entry.line,
        "repeat": entry.times,
        "until": None if entry.until is None else entry.until.text,
        "marks": list(entry.marks),
        "steps": [_entry(inner, by_path) for inner in entry.steps],
    }


def _step(step: PlannedStep, expected: StepForecast) -> dict[str, Any]:
    ends = [] if step.until is None else [_end(end) for end in step.until.comparisons()]
    return {
        "path": step.path,
        "line": step.line,
        "verb": step.verb,
        "setting": step.setting,
        "set_value": set_value(step.technique),
        "unit": _unit(step.technique),
        "until": condition_text(step.until),
        "ends": ends,
        "record": record_text(step.record),
        "ceiling": {"seconds": step.ceiling.seconds, "coulombs": step.ceiling.coulombs},
        "marks": list(step.marks),
        "times": expected.times,
        "seconds": expected.seconds,
        "rows": expected.rows,
        "basis": expected.basis,
    }


def _end(end: Comparison) -> dict[str, Any]:
    return {
        "text": end.text,
        "quantity": end.quantity.value,
        "relation": end.relation.value,
        "value": end.value,
        "relative_to": end.relative_to,
        "window": end.window,
    }


def _unit(technique: Technique) -> str | None:
    match technique:
        case ConstantCurrent():
            return "A"
        case ConstantVoltage():
            return "V"
        case ConstantPower():
            return "W"
        case ConstantResistance():
            return "ohm"
        case ChamberTemperature():
            return "degC"
        case Rest() | Sweep() | Impedance():
            return None


def _named(limits: Limits) -> Sequence[tuple[str, str, Range]]:
    return (
        ("voltage", "V", limits.voltage),
        ("current", "A", limits.current),
        ("temperature", "degC", limits.temperature),
    )


def _limits(limits: Limits) -> dict[str, Any]:
    return {
        name: {"unit": unit, "low": _edge(allowed.low), "high": _edge(allowed.high)}
        for name, unit, allowed in _named(limits)
    }


def _edge(edge: Bound | None) -> Plain | None:
    return None if edge is None else {"value": edge.value, "origin": edge.origin}


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
            condition_text(entry.until),
            record_text(entry.record),
            lab.duration(expected.seconds) + about,
            str(expected.rows),
        )
