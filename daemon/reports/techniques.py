"""The charts of spectra, voltage steps and sweeps, and the voltage of a whole run."""

from collections.abc import Iterator, Sequence
from typing import TypeVar

import numpy as np

from daemon.reading.fitted import fitted
from daemon.reading.results import ImpedanceRecord, StepRecord
from daemon.reports.chart import Axis, Chart, Mark, Series, thinned
from daemon.reports.dossier import Dossier
from daemon.reports.scales import current_scale, time_scale
from protocols.figures.estimate import Array
from protocols.figures.spectrum import ComplexArray

Item = TypeVar("Item")
SPECTRA_SHOWN = 6
MOST_CYCLES = 200
POINTS = 1500
_BASES = {
    "extremes": "The lowest and the highest of each stretch.",
    "samples": "Some readings of each stretch.",
    "some readings": "Some of the readings.",
}


def technique_charts(dossier: Dossier) -> Iterator[Chart]:
    """Yield the charts of every technique the run used but plain cycling."""
    yield from _spectra(dossier)
    yield from _polarisations(dossier)
    yield from _voltammograms(dossier)


def whole_run(dossier: Dossier) -> Iterator[Chart]:
    """Yield the voltage from the first reading to the last; of very many cycles it were a solid block."""
    if len(dossier.complete) > MOST_CYCLES:
        return
    trace = dossier.trace(POINTS)
    rows = np.array([trace.time, trace.voltage], dtype=float)
    time, voltage = rows[:, np.isfinite(rows[1])]
    if len(time) < 2:
        return
    scale = time_scale(float(time[-1]))
    yield Chart(
        "voltage",
        "Voltage over the run",
        Axis("Time", scale.unit),
        Axis("Voltage", "V"),
        [Series("", time * scale.factor, voltage)],
        note=_BASES.get(trace.basis, ""),
    )


def _spectra(dossier: Dossier) -> Iterator[Chart]:
    shown = _evenly(list(dossier.spectra), SPECTRA_SHOWN)
    if not shown:
        return
    nyquist: list[Series] = []
    size: list[Series] = []
    phase: list[Series] = []
    for place, ordinal in enumerate(shown):
        hertz, ohms = _points(dossier.spectra[ordinal])
        name = _spectrum_words(dossier, ordinal)
        nyquist.append(Series(name, ohms.real, -ohms.imag, Mark.POINTS, colour=place))
        size.append(Series(name, hertz, np.abs(ohms), Mark.POINTS, colour=place))
        phase.append(Series("", hertz, -np.degrees(np.angle(ohms)), Mark.POINTS, colour=place))
        fit = fitted(dossier.figures, ordinal, hertz)
        if fit is not None:
            nyquist.append(Series("", fit[1].real, -fit[1].imag, colour=place, dashed=True))
            size.append(Series("", fit[0], np.abs(fit[1]), colour=place, dashed=True))
            phase.append(Series("", fit[0], -np.degrees(np.angle(fit[1])), colour=place, dashed=True))
    real, imaginary = Axis("Z′", "Ω"), Axis("−Z″", "Ω")
    note = "Dashed: the fitted circuit."
    several = len(shown) > 1
    yield Chart("nyquist", "Nyquist", real, imaginary, nyquist, equal=True, ordered=several, note=note)
    hertz_axis = Axis("Frequency", "Hz", logarithmic=True)
    yield Chart(
        "bode", "Bode, magnitude", hertz_axis, Axis("|Z|", "Ω", logarithmic=True), size, ordered=several
    )
    yield Chart("bode_phase", "Bode, phase", hertz_axis, Axis("−Phase", "°"), phase, ordered=several)


def _points(points: Sequence[ImpedanceRecord]) -> tuple[Array, ComplexArray]:
    rows = np.array([(p.frequency, p.real, p.imaginary) for p in points], dtype=float)
    rows = rows[np.all(np.isfinite(rows), axis=1)]
    return rows[:, 0], rows[:, 1] + 1j * rows[:, 2]


def _spectrum_words(dossier: Dossier, ordinal: int) -> str:
    step = next(s for s in dossier.steps if s.ordinal == ordinal)
    return ", ".join(step.marks) or (f"cycle {step.cycle}" if step.cycle else f"step {ordinal}")


def _polarisations(dossier: Dossier) -> Iterator[Chart]:
    steps = _evenly(dossier.steps_of("polarise"), SPECTRA_SHOWN)
    curves = [(step, dossier.readings(step)) for step in steps]
    curves = [(step, columns) for step, columns in curves if len(columns.time) > 2]
    if not curves:
        return
    scale = current_scale(max(float(np.max(np.abs(columns.current))) for _, columns in curves))
    series = [
        Series(_step_words(step), *thinned(columns.time, columns.current * scale.factor), Mark.POINTS)
        for step, columns in curves
    ]
    time = Axis("Time", "s", logarithmic=True)
    yield Chart("polarisation", "Current of the voltage step", time, Axis("Current", scale.unit), series)


def _voltammograms(dossier: Dossier) -> Iterator[Chart]:
    steps = _evenly(dossier.steps_of("sweep"), SPECTRA_SHOWN)
    curves = [(step, dossier.readings(step)) for step in steps]
    curves = [(step, columns) for step, columns in curves if len(columns.time) > 2]
    if not curves:
        return
    scale = current_scale(max(float(np.max(np.abs(columns.current))) for _, columns in curves))
    series = [
        Series(_step_words(step), *_turns(columns.voltage, columns.current * scale.factor))
        for step, columns in curves
    ]
    volts = Axis("Voltage", "V")
    yield Chart("voltammogram", "Voltammogram", volts, Axis("Current", scale.unit), series)


def _turns(voltage: Array, current: Array, most: int = 3000) -> tuple[Array, Array]:
    """Return both columns at every n-th reading: a loop is no function of the voltage."""
    stride = max(1, len(voltage) // most)
    return voltage[::stride], current[::stride]


def _step_words(step: StepRecord) -> str:
    return ", ".join(step.marks) or f"step {step.ordinal}"


def _evenly(items: Sequence[Item], most: int) -> list[Item]:
    places = np.linspace(0, len(items) - 1, min(most, len(items))).round().astype(int)
    return [items[place] for place in places.tolist()]
