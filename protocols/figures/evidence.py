"""What a run offers to figures: its steps sorted by technique, each spectrum analysed once."""

from collections.abc import Mapping, Sequence
from functools import cached_property, lru_cache

import numpy as np

from protocols.errors import FigureError
from protocols.figures.cycling import Pairing, pairing_of
from protocols.figures.elements import BLOCKING
from protocols.figures.estimate import Estimate
from protocols.figures.impedance import SpectrumAnalysis, analyse
from protocols.figures.run import CycleSummary, ReadingColumns, RunFacts, RunSource, StepSummary, cycles_of
from protocols.figures.spectrum import Spectrum


class Evidence:
    """A run and its source, read only as far as a figure asks."""

    def __init__(self, run: RunFacts, source: RunSource) -> None:
        self.run = run
        self._source = source

    @cached_property
    def steps(self) -> Sequence[StepSummary]:
        """Every step that is over, in the order they ran."""
        return [step for step in self._source.steps() if step.complete]

    @cached_property
    def cycles(self) -> list[CycleSummary]:
        """Every complete cycle."""
        return cycles_of(self._source.steps(), self.run.ended)

    @property
    def pairing(self) -> Pairing | None:
        """How the cell's Coulombic efficiency is defined; None for a symmetric cell."""
        electrode = self.run.facts.get("working_electrode")
        return pairing_of(self.run.cell, electrode if isinstance(electrode, str) else None)

    @property
    def symmetric(self) -> bool:
        return self.pairing is None

    def of(self, *verbs: str, mark: str | None = None) -> list[StepSummary]:
        """Return the steps of these verbs, under that mark if one is given."""
        return [s for s in self.steps if s.verb in verbs and (mark is None or mark in s.marks)]

    def needed(self, *verbs: str) -> list[StepSummary]:
        """Return the same, or refuse: `FigureError`."""
        if not (found := self.of(*verbs)):
            raise FigureError(f"the run has no {' or '.join(verbs)} step that is over")
        return found

    def readings(self, step: StepSummary) -> ReadingColumns:
        """Return the readings of a step."""
        return self._source.readings(step.ordinal)

    def raw_spectrum(self, step: StepSummary) -> Spectrum:
        """Return the spectrum of an impedance step as it was measured. `FigureError` if it is none."""
        return Spectrum.of(*self._source.impedance(step.ordinal))

    def spectrum(self, step: StepSummary) -> SpectrumAnalysis:
        """Return the analysed spectrum of an impedance step. `FigureError` if it carries none."""
        columns = self._source.impedance(step.ordinal)
        return _analysed(*(column.tobytes() for column in columns))

    def blocking(self, step: StepSummary) -> bool:
        """Whether the spectrum of a step is that of blocking electrodes."""
        try:
            return self.spectrum(step).circuit is BLOCKING
        except FigureError:
            return False

    def fact(self, name: str) -> float | None:
        """Return a number of the cell file in SI, None if it is not there."""
        value = self.run.facts.get(name)
        return float(value) if isinstance(value, int | float) else None

    def known_fact(self, name: str) -> Estimate | None:
        """Return a number of the cell file with its uncertainty, None if it is not there."""
        return None if self.fact(name) is None else self.needed_fact(name)

    def area(self) -> Estimate:
        """Electrode area, m². `FigureError` if the cell file has none."""
        return self.needed_fact("area")

    def needed_fact(self, name: str) -> Estimate:
        """Return a number of the cell file with its uncertainty. `FigureError` if it is not there."""
        return self._needed_fact(name, self.fact(name))

    def thickness(self) -> Estimate:
        """Separator thickness, m. `FigureError` if the cell file has none."""
        separator = self.run.facts.get("separator")
        value = separator.get("thickness") if isinstance(separator, Mapping) else None
        return self._needed_fact("thickness", value, "separator: {thickness}")

    def _needed_fact(self, name: str, value: object, written: str | None = None) -> Estimate:
        if not isinstance(value, int | float):
            raise FigureError(f"the cell file has no `{written or name}`")
        known = self.run.facts.get("uncertainties")
        uncertainty = known.get(name) if isinstance(known, Mapping) else None
        return Estimate(float(value), float(uncertainty) if isinstance(uncertainty, int | float) else 0.0)


@lru_cache(maxsize=1024)
def _analysed(frequency: bytes, real: bytes, imaginary: bytes) -> SpectrumAnalysis:
    """Figures are made anew whenever a step ends; a spectrum is fitted once."""
    columns = (np.frombuffer(column, dtype=float) for column in (frequency, real, imaginary))
    return analyse(Spectrum.of(*columns))
