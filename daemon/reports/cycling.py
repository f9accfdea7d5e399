"""The charts of a run that cycles: capacity, efficiency, hysteresis, and the curves of chosen cycles."""

import math
from collections.abc import Iterator, Sequence
from itertools import groupby

import numpy as np

from daemon.reading.results import CycleRecord, StepRecord
from daemon.reports.chart import Axis, Chart, Mark, Series, thinned
from daemon.reports.dossier import Dossier
from daemon.reports.scales import capacity_scale, time_scale
from protocols.errors import FigureError
from protocols.figures.differential import differential_capacity
from protocols.figures.estimate import Array

CURRENT_VERBS = ("charge", "discharge", "plate", "strip")
CYCLING_VERBS = (*CURRENT_VERBS, "hold", "power", "resistance")


def cycling_charts(dossier: Dossier) -> Iterator[Chart]:
    """Yield what the cycles of a run show; nothing for a run without cycles."""
    if len(dossier.complete) >= 2:
        yield _capacity(dossier)
        if (rate := _rate(dossier)) is not None:
            yield rate
        yield _hysteresis(dossier)
    if dossier.chosen:
        yield from _curves(dossier)


def _capacity(dossier: Dossier) -> Chart:
    scale, cycles = capacity_scale(dossier), dossier.complete
    plated = dossier.steps_of("plate") != []
    out, into = ("plated", "stripped") if plated else ("discharge", "charge")
    series = [
        _per_cycle(out, cycles, [_or_nan(c.discharge_capacity, scale.factor) for c in cycles]),
        _per_cycle(into, cycles, [_or_nan(c.charge_capacity, scale.factor) for c in cycles]),
    ]
    efficiency = [_or_nan(c.coulombic_efficiency, 100.0) for c in cycles]
    if dossier.symmetric or not np.any(np.isfinite(efficiency)):
        return _capacity_chart("Capacity", scale.unit, series)
    series.append(_per_cycle("Coulombic efficiency", cycles, efficiency, right=True))
    return _capacity_chart(
        "Capacity and Coulombic efficiency",
        scale.unit,
        series,
        Axis("CE", "%"),
        f"Efficiency: {'stripped / plated' if plated else 'discharge / charge'}, same cycle.",
    )


def _capacity_chart(
    title: str, unit: str, series: Sequence[Series], right: Axis | None = None, note: str = ""
) -> Chart:
    return Chart("capacity", title, Axis("Cycle"), Axis("Capacity", unit), series, right=right, note=note)


def _per_cycle(
    name: str, cycles: Sequence[CycleRecord], values: Sequence[float], right: bool = False
) -> Series:
    numbers, heights = np.array([float(c.cycle) for c in cycles]), np.array(values)
    known = np.isfinite(heights)
    return Series(name, *thinned(numbers[known], heights[known]), mark=Mark.POINTS, right=right)


def _rate(dossier: Dossier) -> Chart | None:
    """Discharge capacity with the rate of each block above it, where there is more than one."""
    currents = {s.cycle: abs(s.set_value) for s in dossier.steps_of("discharge") if s.cycle and s.set_value}
    cycles = [c for c in dossier.complete if c.cycle in currents]
    found = [list(block) for _, block in groupby(cycles, key=lambda c: f"{currents[c.cycle]:.3g}")]
    if len(found) < 2 or len({f"{currents[block[0].cycle]:.3g}" for block in found}) < 2:
        return None
    scale = capacity_scale(dossier)
    series = [
        _per_cycle("", block, [_or_nan(c.discharge_capacity, scale.factor) for c in block]) for block in found
    ]
    return Chart(
        "rate",
        "Rate capability",
        Axis("Cycle"),
        Axis("Discharge capacity", scale.unit),
        series,
        labels=[
            (block[len(block) // 2].cycle + 0.0, _rate_words(dossier, currents[block[0].cycle]))
            for block in found
        ],
    )


def _rate_words(dossier: Dossier, amperes: float) -> str:
    """The current as a C rate where the cell's capacity is known."""
    nominal, mass = dossier.fact("nominal_capacity"), dossier.fact("active_mass")
    theoretical = dossier.fact("theoretical_capacity")
    full = nominal or (theoretical * mass if theoretical and mass else None)
    return f"{1e3 * amperes:.3g} mA" if full is None else f"{3600 * amperes / full:.3g} C"


def _hysteresis(dossier: Dossier) -> Chart:
    cycles = dossier.complete
    spans = np.cumsum([c.duration or 0.0 for c in cycles])
    scale = time_scale(float(spans[-1]))
    half = 0.5 if dossier.symmetric else 1.0
    title = "Overpotential" if dossier.symmetric else "Voltage hysteresis"
    heights = np.array([_or_nan(c.hysteresis, 1e3 * half) for c in cycles])
    words = "half the " if dossier.symmetric else ""
    return Chart(
        "hysteresis",
        title,
        Axis("Time cycled", scale.unit),
        Axis(title, "mV"),
        [Series("", *thinned(spans * scale.factor, heights), mark=Mark.POINTS)],
        note=f"{words}mean charge voltage − mean discharge voltage, energy over charge.".capitalize(),
    )


def _curves(dossier: Dossier) -> Iterator[Chart]:
    """V(Q), V(t) and dQ/dV of the chosen cycles, coloured from the first to the last."""
    scale = capacity_scale(dossier)
    along_charge: list[Series] = []
    along_time: list[Series] = []
    slopes: list[Series] = []
    longest = max((c.duration or 0.0 for c in dossier.cycles if c.cycle in dossier.chosen), default=1.0)
    hours = time_scale(longest)
    for place, cycle in enumerate(dossier.chosen):
        curve = _Curve(dossier, cycle)
        for index, (charge, voltage) in enumerate(curve.halves):
            name = f"cycle {cycle}" if index == 0 else ""
            along_charge.append(Series(name, *thinned(charge * scale.factor, voltage, 400), colour=place))
        along_time.append(
            Series(f"cycle {cycle}", *thinned(curve.time * hours.factor, curve.voltage, 500), colour=place)
        )
        if not dossier.symmetric:
            slopes += _slopes(curve, scale.factor, place)
    across = Axis("Capacity", scale.unit)
    volts = Axis("Voltage", "V")
    if dossier.complete:
        yield Chart("voltage_capacity", "Voltage and capacity", across, volts, along_charge, ordered=True)
    yield Chart(
        "voltage_time", "Voltage in a cycle", Axis("Time", hours.unit), volts, along_time, ordered=True
    )
    if slopes and dossier.complete:
        per = Axis("dQ/dV", f"{scale.unit} V⁻¹")
        yield Chart(
            "differential_capacity", "Differential capacity", volts, per, slopes, ordered=True,
            note="Discharge downwards. Isotonic voltage, 2 mV grid, Savitzky–Golay over 10 mV.",
        )  # fmt: skip


class _Curve:
    """One cycle: its voltage in time, and against the charge of either way."""

    def __init__(self, dossier: Dossier, cycle: int) -> None:
        self.steps: list[tuple[StepRecord, Array, Array]] = []
        self._halves: dict[int, tuple[Array, Array]] = {}
        times, volts = [np.zeros(0)], [np.zeros(0)]
        began: float | None = None
        for step in dossier.steps_of(*CYCLING_VERBS, "rest", cycle=cycle):
            columns = dossier.readings(step)
            began = step.started or 0.0 if began is None else began
            times.append(columns.time + (step.started or 0.0) - began)
            volts.append(columns.voltage)
            if step.verb in CYCLING_VERBS and step.capacity:
                self._add(math.copysign(1, step.capacity), np.abs(columns.capacity), columns.voltage)
                self.steps.append((step, columns.voltage, columns.capacity))
        self.time, self.voltage = np.concatenate(times), np.concatenate(volts)

    def _add(self, way: float, charge: Array, voltage: Array) -> None:
        """Let the charge of a hold go on where the charge before it ended."""
        before, volts = self._halves.get(int(way), (np.zeros(0), np.zeros(0)))
        so_far = float(before[-1]) if len(before) else 0.0
        self._halves[int(way)] = np.r_[before, charge + so_far], np.r_[volts, voltage]

    @property
    def halves(self) -> list[tuple[Array, Array]]:
        return list(self._halves.values())


def _slopes(curve: _Curve, factor: float, place: int) -> Iterator[Series]:
    for step, voltage, capacity in curve.steps:
        if step.verb not in ("charge", "discharge"):
            continue
        try:
            found = differential_capacity(voltage, capacity)
        except FigureError:
            continue  # a pulse, or a half-cycle cut short: nothing to differentiate
        way = math.copysign(factor, step.capacity or 0.0)
        yield Series("", *thinned(found.voltage, way * found.slope, 600), colour=place)


def _or_nan(value: float | None, factor: float) -> float:
    return math.nan if value is None else value * factor
