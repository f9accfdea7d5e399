"""The Battery Data Format, by its labels or its machine names, as CSV or Parquet."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from daemon.imports.counters import SignedStepCounter
from daemon.imports.layout import AMPERE_HOUR, WATT_HOUR, Layout
from daemon.imports.recording import Integers, Recording, Source
from daemon.imports.table import Table
from daemon.imports.text import Row, refused
from daemon.imports.units import heading
from daemon.reading.bdf import STEP_TYPES
from protocols.figures.estimate import Array

LAYOUT = Layout(
    time=("Test Time",),
    voltage=("Voltage",),
    current=("Current",),
    step=("Step Count", "Step Index", "Step ID"),
    cycle=("Cycle Count",),
    step_time=("Step Time",),
    kind=("Step Type",),
    charged=("Charging Capacity",),
    discharged=("Discharging Capacity",),
    charged_energy=("Charging Energy",),
    discharged_energy=("Discharging Energy",),
    temperature=("Surface Temperature", "Temperature T1", "Ambient Temperature"),
    gaps=True,
)
_FREQUENCY, _REAL, _IMAGINARY = ("Frequency",), ("Real Impedance",), ("Imaginary Impedance",)
_VERBS = {name: verb for verb, names in [*STEP_TYPES.items()][::-1] for name in names}
_VERBS |= {"OCV": "rest", "CCCV_CHG": "charge", "CCCV_DCH": "discharge"}


def is_bdf(titles: Sequence[str]) -> bool:
    """Whether the three columns that BDF requires are there, in BDF's own writing."""
    written = {title.strip().casefold() for title in titles}
    labels = {"test time / s", "voltage / v", "current / a"}
    return labels <= written or {"test_time_second", "voltage_volt", "current_ampere"} <= written


def read(table: Table) -> Recording:
    """Read BDF. Without a step column the steps begin where the direction of the current changes."""
    source = Source("Battery Data Format", technique="BDF data")
    if table.find(LAYOUT.step) is None:
        table = _with_steps(table)
    recording = LAYOUT.read(table, source)
    capacity = table.numbers(("Step Net Capacity",), AMPERE_HOUR)
    energy = table.numbers(("Step Net Energy",), WATT_HOUR)
    unix = table.numbers(("Unix Time",))
    moment = None
    if unix is not None and np.isfinite(unix[0]):
        moment = datetime.fromtimestamp(round(float(unix[0] - recording.time[0]), 6), UTC)
    return replace(
        recording,
        source=replace(source, began=moment),
        kind=[_VERBS.get(label.upper(), verb) for label, verb in _labelled(recording)],
        charge=recording.charge if capacity is None else SignedStepCounter(capacity),
        energy=recording.energy if energy is None else SignedStepCounter(energy),
        frequency=table.numbers(_FREQUENCY),
        real=table.numbers(_REAL),
        imaginary=table.numbers(_IMAGINARY),
    )


def read_parquet(path: Path) -> Recording:
    """Read BDF in Parquet; `UnreadableError` where it is none or its reader is not installed."""
    try:
        import pyarrow.parquet as parquet
    except ModuleNotFoundError as error:
        raise refused(
            str(path), "Parquet, and pyarrow is not installed", "pip install 'galvanod[parquet]'"
        ) from error
    try:
        columns = parquet.read_table(path)
        titles = columns.column_names
        cells = [column.to_pylist() for column in columns.columns]
    except (OSError, ValueError) as error:
        raise refused(str(path), str(error), "a Parquet file") from error
    if not is_bdf(titles):
        raise refused(str(path), f"the columns {', '.join(titles)[:400]}", "those of the Battery Data Format")
    rows = [
        Row(line, ["" if cell is None else str(cell) for cell in row])
        for line, row in enumerate(zip(*cells, strict=True), 1)
    ]
    return read(Table.of(str(path), titles, rows))


def _labelled(recording: Recording) -> Sequence[tuple[str, str]]:
    labels = recording.labels or [""] * len(recording)
    return list(zip(labels, recording.kind, strict=True))


def _with_steps(table: Table) -> Table:
    current = table.needed("current", LAYOUT.current)
    steps = directions(current)
    rows = [replace(row, cells=[*row.cells, str(step)]) for row, step in zip(table.rows, steps, strict=True)]
    title = "Step Count / 1"
    return replace(
        table, rows=rows, titles=[*table.titles, title], headings=[*table.headings, heading(title)]
    )


def directions(current: Array) -> Integers:
    """Number stretches of current of one direction, with 0.1 % of the largest standing for none."""
    sign = np.where(np.abs(current) <= 1e-3 * np.abs(current).max(initial=0.0), 0, np.sign(current))
    return 1 + np.cumsum(np.diff(sign, prepend=sign[:1]) != 0).astype(np.int64)
