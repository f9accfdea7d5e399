"""The report of `galvanod check`: a plan with its forecast as plain SI data."""

from collections.abc import Mapping
from typing import Any

from protocols import lab
from protocols.conditions import Comparison
from protocols.forecast import Forecast, StepForecast
from protocols.limits import Bound, Limits
from protocols.plan import Plan, PlannedEntry, PlannedStep
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


def report(plan: Plan, forecast: Forecast) -> dict[str, Any]:
    """Return everything `check` knows as plain SI data, ready for JSON."""
    by_path = {step.path: step for step in forecast.steps}
    return {
        "protocol": plan.name,
        "digest": plan.digest,
        "variables": dict(plan.variables),
        "limits": _limits(plan.limits),
        "steps": [_entry(entry, by_path) for entry in plan.steps],
        "forecast": {
            "seconds": forecast.seconds,
            "low": forecast.low,
            "high": forecast.high,
            "because": forecast.because,
            "rows": forecast.rows,
            "steps": forecast.visits,
        },
        "figures": list(plan.figures),
        "warnings": list(plan.warnings),
    }


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
        "until": lab.condition(step.until),
        "ends": ends,
        "record": lab.record(step.record),
        "ceiling": {"seconds": step.ceiling.seconds, "coulombs": step.ceiling.coulombs},
        "marks": list(step.marks),
        "times": expected.times,
        "seconds": expected.seconds,
        "low": expected.low,
        "high": expected.high,
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


def _limits(limits: Limits) -> dict[str, Any]:
    return {
        name: {"unit": unit, "low": _edge(allowed.low), "high": _edge(allowed.high)}
        for name, unit, allowed in limits.named()
    }


def _edge(edge: Bound | None) -> Plain | None:
    return None if edge is None else {"value": edge.value, "origin": edge.origin}
