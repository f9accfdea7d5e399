"""The reference experiment, rehearsed: its four techniques on simulated cells, through everything real.

Xiong et al., Nat. Commun. 12, 4184 (2021). Each run goes through its driver, its wire, the broker
and the database; what comes out is held against what the source reports and against what was put
into the simulated cell.
"""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import fmean
from typing import Any, NamedTuple

from daemon.client import ask
from daemon.errors import ServiceError, UnavailableError
from daemon.places import Places
from daemon.requests import Runs, Status, Submit
from daemon.results import FigureRecord, Results
from daemon.sources import cell_source, protocol_source
from daemon.up import Plan, service
from drivers.rehearsal import RehearsalClock
from protocols.figures.figure import Figure

_PATIENCE = 300.0  # seconds for all runs together
_LOOK = 0.25  # seconds between looks at the progress


class Source(NamedTuple):
    """A published value in lab units, with its standard deviation; `bound` marks "more than"."""

    value: float
    deviation: float | None = None
    bound: str = ""

    def __str__(self) -> str:
        spread = "" if self.deviation is None else f" ± {self.deviation:g}"
        return f"{self.bound}{self.value:g}{spread}"


@dataclass(frozen=True, slots=True)
class Rehearsed:
    """One run of the rehearsal and the figure it is for; `put_in` reads that figure from the cell's truth.

    `put_in` gives lab units.
    """

    channel: str
    protocol: str
    cell: str
    figure: str
    label: str
    source: Source | None
    put_in: Callable[[Mapping[str, Any]], float]
    variables: Mapping[str, str] = field(default_factory=dict)


def _first_discharge(truth: Mapping[str, Any]) -> float:
    """mAh/g; 1 C/kg is 1/3600 mAh/g."""
    return float(truth["delivered"][0]) / float(truth["active_mass"]) / 3600.0


def _mean_efficiency(truth: Mapping[str, Any]) -> float:
    return 100.0 * fmean(truth["coulombic_efficiency"])


def _conductivity(truth: Mapping[str, Any]) -> float:
    return 10.0 * float(truth["conductivity"])  # S/m → mS/cm


def _transference(truth: Mapping[str, Any]) -> float:
    return float(truth["transference_number"])


_CYCLES = {"cycles": "2"}
_PLATINGS = {"cycles": "6"}

REHEARSAL = (
    Rehearsed(
        "lis-pp", "li_s_cycling", "li_s_pp", "specific_capacity", "Li-S: first discharge",
        Source(980.0), _first_discharge, _CYCLES,
    ),
    Rehearsed(
        "lis-ti", "li_s_cycling", "li_s_ti087o2", "specific_capacity", "Li-S: first discharge",
        Source(960.0), _first_discharge, _CYCLES,
    ),
    Rehearsed(
        "licu-pp", "li_cu_coulombic_efficiency", "li_cu_pp", "coulombic_efficiency",
        "Li||Cu: mean efficiency", None, _mean_efficiency, _PLATINGS,
    ),
    Rehearsed(
        "licu-ti", "li_cu_coulombic_efficiency", "li_cu_ti087o2", "coulombic_efficiency",
        "Li||Cu: mean efficiency", Source(96.5, bound="> "), _mean_efficiency, _PLATINGS,
    ),
    Rehearsed(
        "eis-pp", "ionic_conductivity", "ss_sep_ss_pp", "ionic_conductivity", "EIS: ionic conductivity",
        Source(0.305, 0.015), _conductivity,
    ),
    Rehearsed(
        "eis-ti", "ionic_conductivity", "ss_sep_ss_ti087o2", "ionic_conductivity", "EIS: ionic conductivity",
        Source(0.381, 0.028), _conductivity,
    ),
    Rehearsed(
        "ca-pp", "transference_number", "li_sep_li_pp", "transference_number",
        "10 mV step: transference", Source(0.36, 0.03), _transference,
    ),
    Rehearsed(
        "ca-ti", "transference_number", "li_sep_li_ti087o2", "transference_number",
        "10 mV step: transference", Source(0.55, 0.03), _transference,
    ),
)  # fmt: skip


class Progress(NamedTuple):
    """How far the rehearsal is: runs over, readings kept, and the run names by channel."""

    over: int
    runs: int
    kept: int
    backlog: int


async def rehearse(
    state: Path, bench: Path, report: Callable[[Progress], None], say: Callable[[str], None]
) -> dict[str, Any]:
    """Run the whole rehearsal in a service of its own under `state`; return what came of it.

    Raises `UnavailableError` when it takes longer than five minutes, `ServiceError` when a run failed.
    """
    began = time.monotonic()
    places = Places(state)
    say("starting broker, simulated instruments, recorder and core")
    async with service(Plan(places, bench, core="demo")) as where:
        names = await _submit_all(places)
        say(f"{len(names)} runs on {len(names)} channels, each through its driver, wire, broker and database")
        async with asyncio.timeout(_PATIENCE):
            async for progress in _progress(places, where["database"], names):
                report(progress)
        truths = await _truths(places)
        figures = await asyncio.to_thread(_figures, where["database"], names, truths)
        counted = await asyncio.to_thread(_counted, where["database"], names)
    return {
        "figures": figures,
        **counted,
        "runs": names,
        "seconds": round(time.monotonic() - began, 2),
        "database": where["database"],
    }


async def _submit_all(places: Places) -> dict[str, str]:
    """Start every run; return run names by channel."""
    answers = await asyncio.gather(
        *(asyncio.to_thread(ask, places.socket, _request(rehearsed)) for rehearsed in REHEARSAL)
    )
    return {answer["channel"]: answer["run"] for answer in answers}


def _request(rehearsed: Rehearsed) -> Submit:
    protocol, cell = protocol_source(rehearsed.protocol), cell_source(rehearsed.cell)
    return Submit(
        protocol.text, protocol.file, cell.text, cell.file, rehearsed.channel, dict(rehearsed.variables)
    )


async def _progress(places: Places, database: str, names: Mapping[str, str]) -> AsyncIterator[Progress]:
    """Yield how far it is until every run is over and everything it read is recorded and figured."""
    while True:
        runs = await asyncio.to_thread(ask, places.socket, Runs())
        status = await asyncio.to_thread(ask, places.socket, Status())
        over = [run for run in runs if run["state"] not in ("running", "paused")]
        kept = sum(run["readings"] + run["impedance_points"] for run in runs)
        yield Progress(len(over), len(names), kept, status["spool"]["backlog"])
        for run in over:
            if run["state"] != "finished":
                raise ServiceError(f"run {run['run']} on {run['channel']} {run['state']}: {run['reason']}")
        if len(over) == len(names) and await asyncio.to_thread(_is_settled, database, names.values()):
            return
        await asyncio.sleep(_LOOK)


def _is_settled(database: str, names: Any) -> bool:
    """Whether every run's stop record has arrived and its figures cover it."""
    try:
        results = Results.open(database)
    except UnavailableError:
        return False
    try:
        return results.all_figured(list(names))
    finally:
        results.close()


async def _truths(places: Places) -> dict[str, Mapping[str, Any]]:
    """Ask every simulated cell what was put into it."""
    addresses = json.loads((places.state / "simulated.json").read_text())
    truths: dict[str, Mapping[str, Any]] = {}
    for channel, (_, rehearsal) in addresses.items():
        clock = await RehearsalClock.connect(rehearsal)
        try:
            truths[channel] = await clock.truth()
        finally:
            await clock.aclose()
    return truths


def _figures(
    database: str, names: Mapping[str, str], truths: Mapping[str, Mapping[str, Any]]
) -> list[dict[str, Any]]:
    results = Results.open(database)
    try:
        return [
            _compared(rehearsed, results.figures(names[rehearsed.channel]), truths[rehearsed.channel])
            | {"run": names[rehearsed.channel]}
            for rehearsed in REHEARSAL
        ]
    finally:
        results.close()


def _compared(
    rehearsed: Rehearsed, figures: Sequence[FigureRecord], truth: Mapping[str, Any]
) -> dict[str, Any]:
    found = next((f for f in figures if f.name == rehearsed.figure and f.value is not None), None)
    if found is None or found.value is None:
        raise ServiceError(f"the run on {rehearsed.channel} gave no {rehearsed.figure}")
    measured = Figure(
        found.name, found.value, found.unit, found.method, uncertainty=found.uncertainty
    ).in_lab_units()
    source, put_in = rehearsed.source, rehearsed.put_in(truth)
    return {
        "figure": rehearsed.figure,
        "label": rehearsed.label,
        "protocol": rehearsed.protocol,
        "cell": rehearsed.cell,
        "separator": "PP" if rehearsed.cell.endswith("_pp") else "Ti0.87O2/PP",
        "unit": measured.unit,
        "source": None if source is None else source.value,
        "source_text": "–" if source is None else str(source),
        "source_deviation": None if source is None else source.deviation,
        "measured": measured.value,
        "uncertainty": measured.uncertainty,
        "difference": None if source is None else measured.value - source.value,
        "put_in": put_in,
        "off": measured.value - put_in,
        "method": found.method,
    }


def _counted(database: str, names: Mapping[str, str]) -> dict[str, int]:
    """Count what is stored against what the core numbered."""
    results = Results.open(database)
    try:
        counts = [results.counts(name) for name in names.values()]
        points = sum(len(results.impedance(name)) for name in names.values())
    finally:
        results.close()
    return {
        "readings": sum(count.stored for count in counts) + points,
        "lost": sum(count.missing for count in counts),
    }
