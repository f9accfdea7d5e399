"""The Battery Data Format: a run's readings in its columns.

One row per reading, headings by the format's preferred labels; current is positive on charge there
as here. Ontology 1.3.0; what it has no column for is in the run's other tables.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime

from daemon.reading.results import ReadingRecord, RunRecord, StepRecord

AMPERE_HOUR = WATT_HOUR = 3600.0

COLUMNS = (
    *("Test Time / s", "Voltage / V", "Current / A", "Unix Time / s", "Cycle Count / 1", "Step Count / 1"),
    *("Ambient Temperature / degC", "Record Index / 1", "Step ID", "Step Type", "Step Time / s"),
    *("Charging Capacity / Ah", "Discharging Capacity / Ah"),
    *("Charging Energy / Wh", "Discharging Energy / Wh"),
    *("Step Net Capacity / Ah", "Step Net Energy / Wh"),
)
"""Plain charging and discharging capacity and energy never begin anew, those of the step do."""

Cell = str | int | float | None

STEP_TYPES: Mapping[str, tuple[str, str]] = {
    "charge": ("CC_CHG", "CC_CHG"),
    "strip": ("CC_CHG", "CC_CHG"),
    "discharge": ("CC_DCH", "CC_DCH"),
    "plate": ("CC_DCH", "CC_DCH"),
    "hold": ("CV_CHG", "CV_DCH"),
    "power": ("CP_CHG", "CP_DCH"),
    "resistance": ("CR_CHG", "CR_DCH"),
    "rest": ("REST", "REST"),
    "sweep": ("LSV", "LSV"),
    "polarise": ("CA", "CA"),
    "impedance": ("EIS", "EIS"),
}
"""What a verb is called there where the step passed charge into the cell, and out of it."""


class BdfRows:
    """Turns the readings of one run, given in their order, into rows of the format."""

    def __init__(self, run: RunRecord, steps: Sequence[StepRecord]) -> None:
        self._began = datetime.fromisoformat(run.started).timestamp() if run.started else None
        self._steps = {step.ordinal: step for step in steps}
        self._charge, self._energy = _Throughput(), _Throughput()

    def row(self, reading: ReadingRecord) -> tuple[Cell, ...]:
        """Return the next reading's cells, in the order of the columns."""
        step = self._steps.get(reading.step)
        charge = self._charge.after(reading.step, reading.capacity)
        energy = self._energy.after(reading.step, reading.energy)
        return (
            *(reading.time, reading.voltage, reading.current),
            None if self._began is None else round(self._began + reading.time, 6),
            *(reading.cycle, reading.step, reading.temperature, reading.number),
            None if step is None else step.path,
            None if step is None else _type(step),
            None if step is None or step.started is None else reading.time - step.started,
            *(charge[0] / AMPERE_HOUR, charge[1] / AMPERE_HOUR),
            *(energy[0] / WATT_HOUR, energy[1] / WATT_HOUR),
            None if reading.capacity is None else reading.capacity / AMPERE_HOUR,
            None if reading.energy is None else reading.energy / WATT_HOUR,
        )


class _Throughput:
    """What went in and what came out since the run began, from counters that begin anew with a step."""

    def __init__(self) -> None:
        self._step, self._latest = 0, 0.0
        self._into, self._out = 0.0, 0.0

    def after(self, step: int, counted: float | None) -> tuple[float, float]:
        """Return both after this reading, whose step has counted so much."""
        if step != self._step:
            self._step, self._latest = step, 0.0
        if counted is not None:
            passed, self._latest = counted - self._latest, counted
            self._into += max(passed, 0.0)
            self._out += max(-passed, 0.0)
        return self._into, self._out


def _type(step: StepRecord) -> str | None:
    into, out = STEP_TYPES.get(step.verb or "", (None, None))
    return out if (step.capacity or 0.0) < 0 else into
