"""What a rehearsal has shown so far, as plain data in SI: read from the database it was recorded in."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
from sqlalchemy import Engine, text

from daemon.reading.results import CycleRecord, FigureRecord, Results, StepRecord
from daemon.reading.thinning import kept
from daemon.reading.traces import Trace, Traces
from daemon.rehearsals.remainder import Remainder, SteppedThrough, remainder
from protocols.figures.figure import Figure
from protocols.forecast import Forecast
from protocols.plan import Plan
from protocols.techniques import ConstantVoltage, Impedance, Sweep

MOST_POINTS = 2000
SHOWN_CYCLES = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000)
"""Cycles whose voltage against capacity is shown, as far as they were reached; and the last."""

MOST_CURVES = 4
ROW_BYTES = 120
"""Of one reading in the results database: what is taken before enough were written to tell."""

TELLING = 5000
"""Readings after which the size of the database says more of them than of its tables."""

MOST_FIGURES = 60


CUT_SHORT = "cut short"
"""The state of a rehearsal whose time was over before its run was."""


@dataclass(frozen=True, slots=True)
class Account:
    """Where the rehearsal's run stands, as its core says; `wall` is seconds since it was begun."""

    state: str
    reason: str
    readings: int
    wall: float


def outcome(engine: Engine, run: str, plan: Plan, expected: Forecast, account: Account) -> dict[str, Any]:
    """Return curve, cycles, steps, figures, totals and what is to come."""
    results, traces = Results(engine), Traces(engine)
    steps, cycles = results.steps(run), results.cycles(run)
    finished, cut = account.state == "finished", account.state == CUT_SHORT
    trace = traces.of_time(run, None, None, MOST_POINTS)
    if cut and steps:  # the step that was broken off says nothing of how such steps end
        steps = [*steps[:-1], replace(steps[-1], ended=None, duration=None)]
        cycles = [each for each in cycles if each.cycle < cycles[-1].cycle] or cycles
    rest = remainder(expected, steps, trace.time[-1] if trace.time else 0.0, finished)
    spectra = results.impedance(run)
    readings = max(trace.readings, account.readings) + len(spectra)
    return {
        "state": account.state,
        "reason": account.reason,
        "trip": _trip(account, trace, steps),
        "wall": account.wall,
        "technique": technique(plan),
        "curve": _curve(trace),
        "cycle_curves": _cycle_curves(traces, run, cycles),
        "impedance": [point._asdict() for point in spectra[-MOST_POINTS:]],
        "cycles": [_cycle(each) for each in _thinned(cycles) if each.cycle > 0],
        "figures": [_figure(figure) for figure in _concluding(results, run)],
        "steps": [_step(each) for each in rest.steps],
        "totals": _totals(steps, cycles, readings, len(spectra)),
        "expected": _expected(rest, expected, readings, _row_bytes(engine, readings), finished),
    }


def technique(plan: Plan) -> str:
    """Return what the plan is looked at by: "impedance", "voltammetry", "amperometry" or "cycling"."""
    kinds = [type(step.technique) for step in plan.each_step()]
    if Sweep in kinds:
        return "voltammetry"
    if Impedance in kinds:
        return "impedance"
    holds = [step for step in plan.each_step() if isinstance(step.technique, ConstantVoltage)]
    if holds and all(step.verb in ("polarise", "rest", "hold") for step in plan.each_step()):
        return "amperometry"
    return "cycling"


def _curve(trace: Trace) -> dict[str, Sequence[float | None] | str]:
    """Return what is drawn against time; to seven digits, which halves what is sent."""
    return {
        "time": _rounded(trace.time),
        "voltage": _rounded(trace.voltage),
        "current": _rounded(trace.current),
        "basis": trace.basis,
    }


def _rounded(values: Sequence[float | None]) -> list[float | None]:
    return [None if value is None else float(f"{value:.7g}") for value in values]


def _cycle_curves(traces: Traces, run: str, cycles: Sequence[CycleRecord]) -> list[dict[str, Any]]:
    reached = [each.cycle for each in cycles if each.cycle > 0 and each.first_reading is not None]
    if not reached:
        return []
    earlier = [cycle for cycle in SHOWN_CYCLES if cycle in reached[:-1]][-MOST_CURVES + 1 :]
    points = MOST_POINTS // MOST_CURVES
    found = [(cycle, traces.of_cycle(run, cycle, points)) for cycle in (*earlier, reached[-1])]
    return [
        {
            "cycle": cycle,
            "capacity": _rounded(trace.capacity),
            "voltage": _rounded(trace.voltage),
            "current": _rounded(trace.current),
        }
        for cycle, trace in found
    ]


def _thinned(cycles: Sequence[CycleRecord]) -> Sequence[CycleRecord]:
    if len(cycles) <= MOST_POINTS:
        return cycles
    column = np.array([cycle.discharge_capacity for cycle in cycles], dtype=np.float64)
    return [cycles[i] for i in kept([column], MOST_POINTS)]


def _cycle(cycle: CycleRecord) -> dict[str, float | int | None]:
    return {
        "cycle": cycle.cycle,
        "duration": cycle.duration,
        "charge_capacity": cycle.charge_capacity,
        "discharge_capacity": cycle.discharge_capacity,
        "coulombic_efficiency": cycle.coulombic_efficiency,
        "hysteresis": cycle.hysteresis,
    }


def _concluding(results: Results, run: str) -> list[FigureRecord]:
    """Return the figures of the whole, and of single cycles only the last of each name."""
    latest = {(figure.name, figure.mark): figure for figure in results.figures(run)}
    return list(latest.values())[:MOST_FIGURES]


def _figure(figure: FigureRecord) -> dict[str, Any]:
    """Return a figure as plain data, with `text` as a lab writes it."""
    if figure.value is None:
        return asdict(figure) | {"text": "–"}
    as_made = Figure(figure.name, figure.value, figure.unit, figure.method, figure.uncertainty)
    return asdict(figure) | {"text": str(as_made.in_lab_units())}


def _step(through: SteppedThrough) -> dict[str, Any]:
    latest = through.latest
    return {
        "path": through.expected.path,
        "line": through.expected.line,
        "verb": through.expected.verb,
        "setting": None if latest is None else latest.setting,
        "visits": through.visits,
        "of": through.expected.times if through.to_come else through.visits,
        "passed": through.passed,
        "to_come": through.to_come,
        "seconds": through.seconds,
        "foreseen": through.expected.seconds,
        "reason": None if latest is None else latest.reason,
        "end_voltage": None if latest is None else latest.end_voltage,
        "capacity": None if latest is None else latest.capacity,
        "energy": None if latest is None else latest.energy,
    }


def _totals(
    steps: Sequence[StepRecord], cycles: Sequence[CycleRecord], readings: int, points: int
) -> dict[str, float | int]:
    charges = [step.capacity for step in steps if step.capacity is not None]
    energies = [step.energy for step in steps if step.energy is not None]
    return {
        "steps": len(steps),
        "cycles": max((cycle.cycle for cycle in cycles), default=0),
        "readings": readings,
        "impedance_points": points,
        "charged": math.fsum(charge for charge in charges if charge > 0.0),
        "discharged": math.fsum(charge for charge in charges if charge < 0.0),
        "energy_in": math.fsum(energy for energy in energies if energy > 0.0),
        "energy_out": math.fsum(energy for energy in energies if energy < 0.0),
    }


def _expected(
    rest: Remainder, expected: Forecast, readings: int, row_bytes: float, finished: bool
) -> dict[str, Any]:
    """Return the whole of it: what was gone through and what is carried on from its last round."""
    rehearsed, to_come = rest.rehearsed, rest.to_come
    share = 1.0 if not to_come or not rehearsed else rehearsed / (rehearsed + to_come)
    rows = readings if finished else expected.rows if share < 1e-6 else readings / share
    return {
        "rehearsed": rehearsed,
        "seconds": rehearsed + to_come,
        "extrapolated": to_come > 0.0,
        "readings": round(rows),
        "bytes": round(rows * row_bytes),
        "sketched": expected.seconds,
    }


def _row_bytes(engine: Engine, readings: int) -> float:
    """Return what one reading takes in the results database."""
    if readings < TELLING:
        return ROW_BYTES
    with engine.connect() as connection:
        pages = connection.execute(
            text("SELECT page_count * page_size FROM pragma_page_count, pragma_page_size")
        )
        return float(pages.scalar_one()) / readings


def _trip(account: Account, trace: Trace, steps: Sequence[StepRecord]) -> Mapping[str, Any] | None:
    """Return when a limit would open the circuit, and in which step; None where none does."""
    if account.state != "tripped":
        return None
    last = steps[-1] if steps else None
    return {
        "time": trace.time[-1] if trace.time else None,
        "reason": account.reason,
        "path": None if last is None else last.path,
        "verb": None if last is None else last.verb,
        "cycle": None if last is None else last.cycle,
    }
