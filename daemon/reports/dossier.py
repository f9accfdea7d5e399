"""A run as a report wants it: what was recorded, read once, and the curves it chooses to show."""

from collections.abc import Mapping, Sequence
from functools import cached_property

import numpy as np

from daemon.errors import UnknownError
from daemon.reading.results import (
    CycleRecord,
    EventRecord,
    FigureRecord,
    ImpedanceRecord,
    Results,
    RunRecord,
    StepRecord,
)
from daemon.reading.traces import Trace, Traces
from daemon.recording.figuring import RecordedRun
from daemon.recording.summaries import Pairing
from protocols.figures.run import ReadingColumns

CYCLES_SHOWN = 6
GAPS_SHOWN = 20


class Dossier:
    """One run in the results database; curves are read by ranges, so a long run costs no more.

    `chosen` are the cycles whose curves are shown; by default the first, the last and some between.
    """

    def __init__(self, results: Results, run: str, chosen: Sequence[int] = ()) -> None:
        self._results = results
        self.run: RunRecord = results.run(run)
        self.counts = results.counts(run)
        self.cycles: Sequence[CycleRecord] = [c for c in results.cycles(run) if c.cycle > 0]
        self.figures: Sequence[FigureRecord] = results.figures(run)
        self.events: Sequence[EventRecord] = results.events(run)
        self._recorded = RecordedRun(results, run)
        self._chosen = chosen

    @property
    def name(self) -> str:
        return self.run.name

    @property
    def steps(self) -> Sequence[StepRecord]:
        """Every step that began, in the order they ran."""
        return self._recorded.records

    @cached_property
    def gaps(self) -> Sequence[tuple[int, int]]:
        """First and last number of each stretch of readings that is missing."""
        return self._results.gaps(self.name, GAPS_SHOWN) if self.counts.missing else []

    @cached_property
    def chosen(self) -> Sequence[int]:
        """The cycles whose curves are shown. `UnknownError` for one that never began."""
        known = [c.cycle for c in self.cycles if c.charge_capacity or c.discharge_capacity]
        if self._chosen:
            for cycle in self._chosen:
                if cycle not in known:
                    span = f"cycles {known[0]} to {known[-1]}" if known else "no cycles"
                    raise UnknownError(f"run {self.name} has no cycle {cycle}; it has {span}")
            return self._chosen
        places = np.linspace(0, len(known) - 1, min(CYCLES_SHOWN, len(known))).round().astype(int)
        return [known[place] for place in places.tolist()]

    @cached_property
    def complete(self) -> Sequence[CycleRecord]:
        """Cycles that passed charge both ways and are over."""
        return [c for c in self.cycles if c.charge_capacity and c.discharge_capacity and c.hysteresis]

    @property
    def symmetric(self) -> bool:
        """Whether the two electrodes are alike: charge one way is no capacity of the cell."""
        return any(c.pairing == Pairing.SYMMETRIC.value for c in self.cycles)

    def readings(self, step: StepRecord) -> ReadingColumns:
        """Return the readings of a step; those that are no number are left out."""
        columns = self._recorded.readings(step.ordinal)
        whole = np.isfinite(columns.voltage) & np.isfinite(columns.current)
        return ReadingColumns(*(column[whole] for column in columns))

    def trace(self, points: int) -> Trace:
        """Return the whole run in so many rows at most."""
        return Traces(self._results.engine).of_time(self.name, None, None, points)

    @cached_property
    def spectra(self) -> Mapping[int, Sequence[ImpedanceRecord]]:
        """The points of every spectrum, by the ordinal of its step."""
        found: dict[int, list[ImpedanceRecord]] = {}
        for point in self._results.impedance(self.name):
            found.setdefault(point.step, []).append(point)
        return found

    def steps_of(self, *verbs: str, cycle: int | None = None) -> list[StepRecord]:
        """Return the steps of these verbs that are over, of one cycle if that is named."""
        return [
            step
            for step in self.steps
            if step.verb in verbs and step.ended is not None and (cycle is None or step.cycle == cycle)
        ]

    def fact(self, name: str) -> float | None:
        """Return a number of the cell file in SI, None if it is not there."""
        value = self.run.cell_facts.get(name)
        return float(value) if isinstance(value, int | float) else None
