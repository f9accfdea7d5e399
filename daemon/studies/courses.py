"""Capacity and efficiency of a study's variants over their cycles: means of replicates, and their spread."""

import math
from collections.abc import Callable, Mapping, Sequence
from statistics import fmean, stdev
from typing import NamedTuple

from daemon.reading.results import CycleRecord, Results
from daemon.studies.measurement import Measurement
from protocols.study import Row, Study, Variant

MOST_CYCLES = 400
"""Cycles told of a variant; of more, every so-manieth, the first and the last always."""

COULOMBS_PER_AMPERE_HOUR = 3600.0


class Course(NamedTuple):
    """One variant of a row over its cycles.

    `capacity` is what was discharged, in `unit`; `efficiency` a fraction. `deviation` is the standard
    deviation (n - 1) between replicates; None of a single one.
    """

    row: int
    protocol: str
    variant: str
    unit: str
    cells: int
    cycles: Sequence[int]
    replicates: Sequence[int]
    capacity: Sequence[float | None]
    capacity_deviation: Sequence[float | None]
    efficiency: Sequence[float | None]
    efficiency_deviation: Sequence[float | None]


class _Cell(NamedTuple):
    unit: str
    cycles: Mapping[int, CycleRecord]
    share: float
    """Coulombs that are one `unit`."""


def courses(study: Study, measurements: Sequence[Measurement], results: Results, full: bool) -> list[Course]:
    """Return every variant of every row whose runs have two cycles or more, as far as they have come."""
    found = []
    for number, row in enumerate(study.rows_of(full), start=1):
        for variant in row.variants:
            cells = [
                cell
                for one in measurements
                if one.task.row is row and one.task.variant is variant
                if one.run is not None and one.state != "left out"
                if (cell := _cell(one.run, results)) is not None
            ]
            if cells and max(len(cell.cycles) for cell in cells) >= 2:
                found.append(_course(number, row, variant, cells))
    return found


def _cell(run: str, results: Results) -> _Cell | None:
    cycles = {each.cycle: each for each in results.cycles(run) if each.cycle > 0 and each.discharge_capacity}
    if not cycles:
        return None
    facts = results.run(run).cell_facts
    if mass := facts.get("active_mass"):
        return _Cell("mAh/g", cycles, COULOMBS_PER_AMPERE_HOUR * mass)  # A·h/kg is mA·h/g
    if area := facts.get("area"):
        return _Cell("mAh/cm²", cycles, COULOMBS_PER_AMPERE_HOUR * area * 10.0)  # 1 mA·h/cm² is 10 A·h/m²
    return _Cell("Ah", cycles, COULOMBS_PER_AMPERE_HOUR)


def _course(number: int, row: Row, variant: Variant, cells: Sequence[_Cell]) -> Course:
    alike = [cell for cell in cells if cell.unit == cells[0].unit]
    told = _told(sorted({cycle for cell in alike for cycle in cell.cycles}))
    capacity = [_over(alike, cycle, _capacity) for cycle in told]
    efficiency = [_over(alike, cycle, _efficiency) for cycle in told]
    return Course(
        number,
        row.protocol,
        variant.name,
        alike[0].unit,
        len(alike),
        told,
        [len(values) for values in capacity],
        [_mean(values) for values in capacity],
        [_deviation(values) for values in capacity],
        [_mean(values) for values in efficiency],
        [_deviation(values) for values in efficiency],
    )


def _told(cycles: Sequence[int]) -> list[int]:
    step = math.ceil(len(cycles) / MOST_CYCLES)
    return sorted({*cycles[::step], *cycles[-1:]})


def _over(
    cells: Sequence[_Cell], cycle: int, of: Callable[[_Cell, CycleRecord], float | None]
) -> list[float]:
    values = [of(cell, cell.cycles[cycle]) for cell in cells if cycle in cell.cycles]
    return [value for value in values if value is not None]


def _capacity(cell: _Cell, cycle: CycleRecord) -> float | None:
    return None if cycle.discharge_capacity is None else cycle.discharge_capacity / cell.share


def _efficiency(cell: _Cell, cycle: CycleRecord) -> float | None:
    return cycle.coulombic_efficiency


def _mean(values: Sequence[float]) -> float | None:
    return fmean(values) if values else None


def _deviation(values: Sequence[float]) -> float | None:
    return stdev(values) if len(values) > 1 else None
