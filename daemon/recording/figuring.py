"""Figures of a run, made from what is recorded and stored beside it."""

import logging
from collections.abc import Sequence

import numpy as np

from daemon.errors import UnavailableError
from daemon.reading.results import Results, StepRecord
from daemon.recording.ingest import Ending
from daemon.recording.merit import Merit, figures_for
from daemon.recording.store import FigureRow, Store
from protocols.accuracy import Accuracy
from protocols.figures.figure import Figure, Refusal
from protocols.figures.run import ImpedanceColumns, ReadingColumns, RunFacts, StepSummary

_log = logging.getLogger(__name__)

_ENDED_EARLY = ("stopped", "tripped", "failed", "interrupted")


class RecordedRun:
    """A run in the results database, as the figures want to see it."""

    def __init__(self, results: Results, run: str) -> None:
        self._results = results
        self._run = run
        self._steps = {step.ordinal: step for step in results.steps(run)}

    @property
    def records(self) -> Sequence[StepRecord]:
        """The steps as they are recorded, in the order they ran."""
        return list(self._steps.values())

    def steps(self) -> Sequence[StepSummary]:
        """Return every step that is over or was cut short."""
        return [_summary(step) for step in self._steps.values() if step.verb is not None]

    def readings(self, ordinal: int) -> ReadingColumns:
        """Return the readings of one step, time counted from the step's start."""
        began = self._steps[ordinal].started or 0.0
        rows = []
        after = 0
        while page := self._results.readings(self._run, step=ordinal, after=after):
            rows += [(row.time - began, row.voltage, row.current, row.capacity) for row in page]
            after = page[-1].number
        columns = np.array(rows, dtype=float).reshape(-1, 4).T
        return ReadingColumns(*columns)

    def impedance(self, ordinal: int) -> ImpedanceColumns:
        """Return the spectrum of one step."""
        rows = [(p.frequency, p.real, p.imaginary) for p in self._results.impedance(self._run, ordinal)]
        columns = np.array(rows, dtype=float).reshape(-1, 3).T
        return ImpedanceColumns(*columns)


def make_figures(store: Store, run: str, step: int | None) -> None:
    """Make the figures of a run as it stands and store them; `step` is None once it has ended."""
    results = Results.open(store.url)
    try:
        record = results.run(run)
        if record.cell is None:
            raise UnavailableError(f"the start of run {run} has not arrived")
        accuracy = Accuracy.of(record.accuracy)
        facts = RunFacts(record.cell, record.cell_facts, ended=step is None, accuracy=accuracy)
        merit = figures_for(facts, record.figures, RecordedRun(results, run))
    finally:
        results.close()
    store.set_figures(run, _rows(merit), Ending(run, step))


def _rows(merit: Merit) -> list[FigureRow]:
    return [_figure_row(figure) for figure in merit.figures] + [_refusal_row(r) for r in merit.refusals]


def _figure_row(figure: Figure) -> FigureRow:
    place = figure.place
    return FigureRow(
        name=figure.name,
        value=figure.value,
        unit=figure.unit,
        uncertainty=figure.uncertainty,
        method=figure.method,
        cycle=place.cycle,
        step=place.step,
        mark=place.mark,
        detail=dict(figure.detail),
        warnings=figure.warnings,
    )


def _refusal_row(refusal: Refusal) -> FigureRow:
    place = refusal.place
    return FigureRow(
        name=refusal.name,
        value=None,
        unit="",
        uncertainty=None,
        method="",
        cycle=place.cycle,
        step=place.step,
        mark=place.mark,
        warnings=(refusal.reason,),
    )


def _summary(step: StepRecord) -> StepSummary:
    return StepSummary(
        ordinal=step.ordinal,
        verb=step.verb or "",
        cycle=step.cycle or 0,
        capacity=step.capacity or 0.0,
        energy=step.energy or 0.0,
        duration=step.duration or 0.0,
        marks=tuple(step.marks),
        set_value=step.set_value,
        mean_voltage=step.mean_voltage,
        start_voltage=step.start_voltage,
        end_voltage=step.end_voltage,
        open_circuit_voltage=step.open_circuit_voltage,
        started=step.started,
        own_capacity=step.own_capacity,
        complete=step.ended is not None and not (step.reason or "").startswith(_ENDED_EARLY),
    )
