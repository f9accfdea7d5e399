"""What came of a study: each figure of each variant beside what the source says and what was put in."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from statistics import fmean
from typing import Any, NamedTuple

from daemon.reading.results import CycleRecord, FigureRecord, Results
from daemon.studies.measurement import Measurement
from protocols.claims import Claim, ClaimedBound, ClaimedCourse, ClaimedRates, ClaimedValue
from protocols.figures.figure import Figure
from protocols.figures.replicates import Replicates, compare, summarise
from protocols.study import Row, Study, Variant

NEIGHBOURS = 5
"""Cycles to either side that are taken with a cycle the source names: single cycles scatter."""

LATEST = 4
"""Figures of one name that are shown of a run whose source says nothing of them."""

LONGEST_NAME = 30

Truth = Mapping[str, Any]


class Seen(NamedTuple):
    """One number of one run, in lab units: what it is, and what was put into a simulated cell for it."""

    what: str
    value: float
    uncertainty: float | None
    unit: str
    put_in: float | None = None


@dataclass(frozen=True, slots=True)
class Line:
    """One number of one variant over its replicates, in lab units.

    `difference` is measured less claimed; `agrees` None where the source gives nothing to hold it to.
    """

    protocol: str
    variant: str
    figure: str
    what: str
    unit: str
    source: str | None
    claimed: float | None
    measured: Replicates
    uncertainty: float | None
    put_in: float | None
    difference: float | None
    agrees: bool | None
    values: Sequence[float]
    runs: Sequence[str]


class Measured(NamedTuple):
    """What is recorded of one run of a study."""

    run: str
    figures: Sequence[FigureRecord]
    cycles: Sequence[CycleRecord]
    facts: Mapping[str, Any]
    truth: Truth


def outcome(study: Study, measurements: Sequence[Measurement], results: Results) -> dict[str, Any]:
    """Return the lines of a study as plain data, what differs, and what is stored of what was numbered.

    Counting what is stored takes as long as the runs are long.
    """
    lines = lines_of(study, measurements, results)
    names = [one.run for one in measurements if one.run is not None]
    counts = [results.counts(name) for name in names]
    points = sum(len(results.impedance(name)) for name in names)
    return {
        "study": study.name,
        "lines": [plain(line) for line in lines],
        "differences": differences(lines),
        "cells": [
            {"cell": one.task.label, "run": one.run, "channel": one.channel, "state": one.state}
            for one in measurements
        ],
        "readings": sum(count.stored for count in counts) + points,
        "lost": sum(count.missing for count in counts),
    }


def lines_of(study: Study, measurements: Sequence[Measurement], results: Results) -> list[Line]:
    """Return every number the study is about, in the order of its rows and variants."""
    return [
        line
        for row in study.rows
        for variant in row.variants
        for line in _variant_lines(row, variant, _recorded(row, variant, measurements, results))
    ]


def differences(lines: Sequence[Line]) -> list[dict[str, Any]]:
    """Say of each number of a row whether its variants differ from the first one, where cells are many."""
    found: list[dict[str, Any]] = []
    for line in lines:
        first = next(one for one in lines if (one.protocol, one.what) == (line.protocol, line.what))
        if first is line or line.measured.count < 2:
            continue
        comparison = compare(first.values, line.values)
        found.append(
            {
                "protocol": line.protocol,
                "what": line.what,
                "variants": [first.variant, line.variant],
                "verdict": comparison.verdict.value,
                "reason": comparison.reason,
                "difference": comparison.difference,
                "unit": line.unit,
            }
        )
    return found


def plain(line: Line) -> dict[str, Any]:
    """Return a line as plain data."""
    return asdict(line)


def _recorded(
    row: Row, variant: Variant, measurements: Sequence[Measurement], results: Results
) -> list[Measured]:
    names = [
        (one.run, one.truth)
        for one in measurements
        if one.run is not None and one.task.row is row and one.task.variant is variant
        if one.state == "finished"
    ]
    return [
        Measured(
            run,
            results.figures(run),
            results.cycles(run),
            results.run(run).cell_facts,
            truth,
        )
        for run, truth in names
    ]


def _variant_lines(row: Row, variant: Variant, runs: Sequence[Measured]) -> Iterator[Line]:
    if not runs:
        return
    for figure in _asked(row):
        claim = variant.source.get(figure)
        asked = claim or next((v.source[figure] for v in row.variants if figure in v.source), None)
        by_what: dict[str, list[tuple[Seen, Measured]]] = {}
        for run in runs:
            for seen in _seen(figure, asked, run):
                by_what.setdefault(seen.what, []).append((seen, run))
        for found in by_what.values():
            yield _line(row, variant, figure, claim, found)


def _asked(row: Row) -> list[str]:
    """Return the figures the source speaks of; where it is silent, those the runs have."""
    named = dict.fromkeys(figure for variant in row.variants for figure in variant.source)
    return list(named) or [""]


def _line(
    row: Row, variant: Variant, figure: str, claim: Claim | None, found: Sequence[tuple[Seen, Measured]]
) -> Line:
    seen = found[0][0]
    replicates = summarise([one.value for one, _ in found])
    put_in = [one.put_in for one, _ in found if one.put_in is not None]
    claimed = None if claim is None else _claimed(claim, seen.what)
    return Line(
        protocol=row.protocol,
        variant=variant.name,
        figure=figure or seen.what,
        what=seen.what,
        unit=seen.unit,
        source=None if claim is None else claim.text,
        claimed=claimed,
        measured=replicates,
        uncertainty=seen.uncertainty if replicates.count == 1 else replicates.error,
        put_in=fmean(put_in) if put_in else None,
        difference=None if claimed is None else replicates.mean - claimed,
        agrees=None if claim is None else _agrees(claim, replicates.mean),
        values=[one.value for one, _ in found],
        runs=[run.run for _, run in found],
    )


def _agrees(claim: Claim, value: float) -> bool | None:
    match claim:
        case ClaimedValue(deviation=float(deviation)):
            return abs(value - claim.value) <= deviation
        case ClaimedBound(above=above):
            return value > claim.value if above else value < claim.value
        case _:
            return None


def _claimed(claim: Claim, what: str) -> float | None:
    match claim:
        case ClaimedValue() | ClaimedBound():
            return claim.value
        case ClaimedCourse(first=first, last=last, cycles=cycles):
            if what == "first cycle":
                return first
            return last if cycles is None or what == f"cycle {cycles}" else None
        case ClaimedRates(values=values):
            return next((value for value, rate in values if what == f"at {rate:g} C"), None)
        case _:
            return None


def _seen(figure: str, claim: Claim | None, run: Measured) -> Iterator[Seen]:
    """Yield what one run says of a figure, in the form the source speaks of it."""
    match figure, claim:
        case "capacity", ClaimedCourse(first=first, cycles=cycles):
            if first is not None:
                yield from _capacity_at(run, 1, "first cycle")
            yield from _capacity_at(run, cycles, None)
        case "capacity", ClaimedValue(cycle=int(cycle)):
            yield from _capacity_at(run, cycle, None)
        case "coulombic_efficiency", (ClaimedValue(cycle=int(cycle)) | ClaimedBound(cycle=int(cycle))):
            yield from _efficiency_at(run, cycle)
        case "rate_capability", ClaimedRates(values=values):
            for _, rate in values:
                yield from _at_rate(run, rate)
        case "", _:
            for name in dict.fromkeys(record.name for record in run.figures):
                yield from _latest(name, run)
        case _:
            records = [one for one in run.figures if one.name == figure and one.value is not None]
            for record in (records[0], records[-1]) if len(records) > 1 else records:
                yield from _figure(record, run)


def _latest(name: str, run: Measured) -> Iterator[Seen]:
    """The last few figures of a name; several of them are told apart by what their method says first."""
    records = [one for one in run.figures if one.name == name and one.value is not None]
    taken: dict[str, int] = {}
    for record in records[-LATEST:]:
        for seen in _figure(record, run):
            said = record.method.partition(",")[0]
            what = seen.what if len(records) == 1 or len(said) > LONGEST_NAME else said
            taken[what] = taken.get(what, 0) + 1
            yield seen._replace(what=what if taken[what] == 1 else f"{what}, {taken[what]}")


def _figure(record: FigureRecord, run: Measured) -> Iterator[Seen]:
    if record.value is None:
        return
    figure = Figure(record.name, record.value, record.unit, record.method, uncertainty=record.uncertainty)
    lab = figure.in_lab_units()
    what = record.name.replace("_", " ")
    where = record.mark or (f"cycle {record.cycle}" if record.cycle is not None else None)
    if where is not None and len([one for one in run.figures if one.name == record.name]) > 1:
        what += f", {where}"
    put_in = PUT_IN.get(record.name, _unknown)(run.truth)
    yield Seen(what, lab.value, lab.uncertainty, lab.unit, put_in)


def _capacity_at(run: Measured, cycle: int | None, what: str | None) -> Iterator[Seen]:
    """The discharge capacity per gram at a cycle, or at the last one there is."""
    mass = run.facts.get("active_mass")
    whole = [one for one in run.cycles if one.discharge_capacity is not None]
    if not mass or not whole:
        return
    chosen = next((one for one in whole if one.cycle == cycle), whole[-1])
    delivered = run.truth.get("delivered") or []
    known = chosen.cycle <= len(delivered)
    yield Seen(
        what or f"cycle {chosen.cycle}",
        (chosen.discharge_capacity or 0.0) / mass / 3600.0,
        None,
        "mAh/g",
        float(delivered[chosen.cycle - 1]) / mass / 3600.0 if known else None,
    )


def _efficiency_at(run: Measured, cycle: int) -> Iterator[Seen]:
    near = [
        one.coulombic_efficiency
        for one in run.cycles
        if abs(one.cycle - cycle) <= NEIGHBOURS and one.coulombic_efficiency is not None
    ]
    if not near:
        return
    put_in = (run.truth.get("coulombic_efficiency") or [])[
        max(0, cycle - 1 - NEIGHBOURS) : cycle + NEIGHBOURS
    ]
    yield Seen(
        f"mean of cycles {cycle - NEIGHBOURS} to {cycle + NEIGHBOURS}",
        100.0 * fmean(near),
        None,
        "%",
        100.0 * fmean(put_in) if put_in else None,
    )


def _at_rate(run: Measured, rate: float) -> Iterator[Seen]:
    """The first block of cycles at a C-rate; 1 C is the cell's capacity in an hour."""
    facts = run.facts
    capacity = facts.get("nominal_capacity") or facts.get("theoretical_capacity", 0.0) * facts.get(
        "active_mass", 0.0
    )
    for record in run.figures:
        current = record.detail.get("current") if record.name == "rate_capability" else None
        if record.value is None or not current or not capacity:
            continue
        if abs(current / (capacity / 3600.0) - rate) < 0.01 * rate:
            figure = Figure(
                record.name, record.value, record.unit, record.method, uncertainty=record.uncertainty
            )
            lab = figure.in_lab_units()
            yield Seen(f"at {rate:g} C", lab.value, lab.uncertainty, lab.unit)
            return


def _unknown(truth: Truth) -> float | None:
    return None


def _mean_efficiency(truth: Truth) -> float | None:
    each = truth.get("coulombic_efficiency")
    return 100.0 * fmean(each) if isinstance(each, list) and each else None


def _scaled(name: str, factor: float) -> Callable[[Truth], float | None]:
    return lambda truth: factor * float(truth[name]) if name in truth else None


PUT_IN: Mapping[str, Callable[[Truth], float | None]] = {
    "ionic_conductivity": _scaled("conductivity", 10.0),  # S/m → mS/cm
    "transference_number": _scaled("transference_number", 1.0),
    "coulombic_efficiency": _mean_efficiency,
}
"""What was put into a simulated cell for a figure, in lab units."""
