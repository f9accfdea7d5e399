"""The export: a run as tables that other programs read, mostly as text."""

import csv
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from typing import TextIO

from daemon.errors import UnknownError
from daemon.reading.bdf import COLUMNS as BDF
from daemon.reading.bdf import BdfRows
from daemon.reading.results import CycleRecord, ReadingRecord, Results, RunRecord, StepRecord

COULOMB_PER_AMPERE_HOUR = 3600.0
JOULE_PER_WATT_HOUR = 3600.0
PAGE = 5_000

Cell = str | int | float | None

READINGS = (
    "Test Time / s",
    "Voltage / V",
    "Current / A",
    "Unix Time / s",
    "Cycle Count / 1",
    "Step Count / 1",
    "Ambient Temperature / degC",
    "Record Index / 1",
    "Step Net Capacity / Ah",
    "Step Net Energy / Wh",
)
"""Battery Data Format columns, by their preferred labels; current is positive on charge there too."""

CYCLES = (
    "Cycle Count / 1",
    "First Record Index / 1",
    "Last Record Index / 1",
    "Duration / s",
    "Cycle Charging Capacity / Ah",
    "Cycle Discharging Capacity / Ah",
    "Cycle Charging Energy / Wh",
    "Cycle Discharging Energy / Wh",
    "Mean Charging Voltage / V",
    "Mean Discharging Voltage / V",
    "Voltage Hysteresis / V",
    "Coulombic Efficiency / 1",
    "Energy Efficiency / 1",
    "Pairing",
)
STEPS = (
    *("Step Count / 1", "Step ID", "Verb", "Setting", "Set Value", "Cycle Count / 1", "Marks"),
    *("Start Time / s", "End Time / s", "Duration / s", "Net Capacity / Ah", "Net Energy / Wh"),
    *("Start Voltage / V", "End Voltage / V", "Mean Voltage / V", "Open Circuit Voltage / V"),
    *("First Record Index / 1", "Last Record Index / 1", "Reason"),
)
"""The set value is in ampere, volt, watt or ohm, by the verb."""

SPECTRA = (
    *("Step Count / 1", "Cycle Count / 1", "Test Time / s"),
    *("Frequency / Hz", "Real Impedance / ohm", "Imaginary Impedance / ohm"),
)
IMPEDANCE = ("Frequency / Hz", "Real Impedance / ohm", "Imaginary Impedance / ohm")
FIGURES = ("Figure", "Cycle", "Step", "Mark", "Value", "Uncertainty", "Unit", "Method", "Warnings")
EVENTS = ("Time / s", "Kind", "Text")


def export(
    results: Results,
    run: str,
    out: TextIO,
    format: str = "csv",
    step: int | None = None,
    report: Callable[[int], None] = lambda rows: None,
) -> int:
    """Write a run as comma-separated values and return how many rows were written.

    `bdf` has a row per reading in every column of the Battery Data Format that is known, `csv` in
    ten of them; `cycles` and `steps` have one per cycle or step; `eis` (or `impedance`) is
    frequency, real and imaginary part of one step's spectrum or of all, `spectra` says of each
    point which one it is of; `figures` and `events` what they say. Memory does not grow with the
    run; `report` is told the rows written so far, once per page. Raises `UnknownError` for a
    format or a run there is not.
    """
    if format not in FORMATS:
        raise UnknownError(f"no export is called {format!r}; there are {', '.join(FORMATS)}")
    record = results.run(run)
    header, rows = FORMATS[format](results, record, step)
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(header)
    written = 0
    for row in rows:
        writer.writerow([safe_cell(cell) for cell in row])
        written += 1
        if written % PAGE == 0:
            report(written)
    return written


Table = tuple[tuple[str, ...], Iterable[tuple[Cell, ...]]]


def _readings(results: Results, run: RunRecord, step: int | None) -> Table:
    began = datetime.fromisoformat(run.started).timestamp() if run.started else None
    return READINGS, (_reading(reading, began) for reading in every_reading(results, run.name, step))


def _bdf(results: Results, run: RunRecord, step: int | None) -> Table:
    rows = BdfRows(run, results.steps(run.name))
    return BDF, map(rows.row, every_reading(results, run.name, step))


def every_reading(results: Results, run: str, step: int | None = None) -> Iterator[ReadingRecord]:
    """Yield the readings of a run or of one step, page by page."""
    after = 0
    while page := results.readings(run, step=step, after=after, limit=PAGE):
        yield from page
        after = page[-1].number


def _reading(reading: ReadingRecord, began: float | None) -> tuple[Cell, ...]:
    return (
        reading.time,
        reading.voltage,
        reading.current,
        None if began is None else round(began + reading.time, 6),
        reading.cycle,
        reading.step,
        reading.temperature,
        reading.number,
        _per(reading.capacity, COULOMB_PER_AMPERE_HOUR),
        _per(reading.energy, JOULE_PER_WATT_HOUR),
    )


def _cycles(results: Results, run: RunRecord, step: int | None) -> Table:
    return CYCLES, (_cycle(cycle) for cycle in results.cycles(run.name))


def _cycle(cycle: CycleRecord) -> tuple[Cell, ...]:
    return (
        cycle.cycle,
        cycle.first_reading,
        cycle.last_reading,
        cycle.duration,
        _per(cycle.charge_capacity, COULOMB_PER_AMPERE_HOUR),
        _per(cycle.discharge_capacity, COULOMB_PER_AMPERE_HOUR),
        _per(cycle.charge_energy, JOULE_PER_WATT_HOUR),
        _per(cycle.discharge_energy, JOULE_PER_WATT_HOUR),
        cycle.mean_charge_voltage,
        cycle.mean_discharge_voltage,
        cycle.hysteresis,
        cycle.coulombic_efficiency,
        cycle.energy_efficiency,
        cycle.pairing,
    )


def _steps(results: Results, run: RunRecord, step: int | None) -> Table:
    return STEPS, (_step(each) for each in results.steps(run.name) if step in (None, each.ordinal))


def _step(step: StepRecord) -> tuple[Cell, ...]:
    return (
        *(step.ordinal, step.path, step.verb, step.setting, step.set_value, step.cycle, " ".join(step.marks)),
        *(step.started, step.ended, step.duration),
        _per(step.capacity, COULOMB_PER_AMPERE_HOUR),
        _per(step.energy, JOULE_PER_WATT_HOUR),
        *(step.start_voltage, step.end_voltage, step.mean_voltage, step.open_circuit_voltage),
        *(step.first_reading, step.last_reading, step.reason),
    )


def _spectra(results: Results, run: RunRecord, step: int | None) -> Table:
    points = results.impedance(run.name, step)
    return SPECTRA, ((p.step, p.cycle, p.time, p.frequency, p.real, p.imaginary) for p in points)


def _impedance(results: Results, run: RunRecord, step: int | None) -> Table:
    points = results.impedance(run.name, step)
    return IMPEDANCE, ((point.frequency, point.real, point.imaginary) for point in points)


def _figures(results: Results, run: RunRecord, step: int | None) -> Table:
    return FIGURES, (
        (
            *(figure.name, figure.cycle, figure.step, figure.mark, figure.value, figure.uncertainty),
            *(figure.unit, figure.method, "; ".join(figure.warnings)),
        )
        for figure in results.figures(run.name)
    )


def _events(results: Results, run: RunRecord, step: int | None) -> Table:
    return EVENTS, ((event.time, event.kind, event.text) for event in results.events(run.name))


FORMATS: dict[str, Callable[[Results, RunRecord, int | None], Table]] = {
    "csv": _readings,
    "cycles": _cycles,
    "impedance": _impedance,
    "figures": _figures,
    "events": _events,
    "bdf": _bdf,
    "steps": _steps,
    "eis": _impedance,
    "spectra": _spectra,
}


def _per(value: float | None, unit: float) -> float | None:
    return None if value is None else value / unit


def safe_cell(cell: Cell) -> Cell:
    """Return text that no spreadsheet takes for a formula; numbers stay what they are."""
    if isinstance(cell, str) and cell[:1] in ("=", "+", "-", "@", "\t", "\r"):
        return "'" + cell
    return cell
