"""Runs as the API shows them: from the database, and where a core has them in hand, as of now."""

import asyncio
from collections import deque
from collections.abc import Callable
from dataclasses import asdict
from datetime import date
from typing import Annotated, Any, TypeVar

import numpy as np
from fastapi import APIRouter, Depends, Path, Query
from sqlalchemy import Engine
from starlette.requests import HTTPConnection, Request
from starlette.responses import Response

from daemon.errors import UnavailableError, UnknownError
from daemon.reading.catalogue import LARGEST_PAGE, Catalogue, Order, Page, Wanted
from daemon.reading.fitted import Fit, fits
from daemon.reading.halves import Differential, differential
from daemon.reading.results import (
    CycleRecord,
    EventRecord,
    FigureRecord,
    ImpedanceRecord,
    Results,
    RunRecord,
    StepRecord,
)
from daemon.reading.thinning import kept
from daemon.reading.traces import Trace, Traces
from daemon.web.answers import written
from daemon.web.database import Database
from daemon.web.seen import latest, told
from daemon.web.streaming import live_of
from daemon.web.visitor import Viewer

MOST_POINTS = 2_000
LONGEST_NAME = 128
MOST_CYCLES = 12
"""Cycles whose curves are asked for at once."""

PATIENCE = 8.0
"""Seconds a recorder may take to hear of a run that a core has begun."""

GLANCE = 0.05
"""Seconds between looks whether it has."""

LATELY = 1_024
"""Runs begun through this page that it remembers."""

_T = TypeVar("_T")

router = APIRouter(tags=["runs"])


def database_of(connection: HTTPConnection) -> Database:
    """Return the results database of the application."""
    database: Database = connection.app.state.database
    return database


class Recorded:
    """What is recorded of runs, asked by their names.

    A core answers that a run has begun before its recorder has heard of it: such a run is there,
    with nothing recorded so far, and is not told to be unknown.
    """

    def __init__(self, request: Request) -> None:
        self._request = request
        self._data = database_of(request)

    async def read(self, run: str, question: Callable[[Engine], _T], nothing: _T) -> _T:
        """Answer a question about a run; `nothing` of one that has begun and is not recorded yet."""
        try:
            return await self._data.read(question)
        except UnknownError:
            if not self._is_begun(run):
                raise
            return nothing

    async def run(self, run: str) -> RunRecord:
        """Return a run's record; waits for that of one that has only begun, `PATIENCE` at most."""
        ends = asyncio.get_running_loop().time() + PATIENCE
        while True:
            last_look = asyncio.get_running_loop().time() > ends
            try:
                return await self._data.read(lambda engine: Results(engine).run(run))
            except UnknownError:
                if not self._is_begun(run):
                    raise
            if last_look:
                raise UnavailableError(
                    f"run {run} has begun, but no recorder has heard of it within {PATIENCE:g} s; "
                    "is `galvanod recorder` running?"
                )
            await asyncio.sleep(GLANCE)

    def _is_begun(self, run: str) -> bool:
        lately: deque[str] = self._request.app.state.begun
        seen = live_of(self._request).channels.values()
        return run in lately or any(run in (each.facts.run, each.facts.last_run) for each in seen)


Data = Annotated[Database, Depends(database_of)]
OfRun = Annotated[Recorded, Depends(Recorded)]
RunName = Annotated[str, Path(max_length=LONGEST_NAME, description="e.g. lab-12")]
Points = Annotated[int, Query(ge=10, le=MOST_POINTS, description="rows at most")]
Last = Annotated[int, Query(ge=1, le=MOST_POINTS)]
Day = date | None
Moment = Annotated[float | None, Query(description="seconds since the run began", allow_inf_nan=False)]


def wanted_runs(
    state: Annotated[str | None, Query(max_length=32)] = None,
    channel: Annotated[str | None, Query(max_length=64)] = None,
    cell: Annotated[str | None, Query(max_length=256)] = None,
    words: Annotated[
        str | None, Query(max_length=100, description="each in name, cell, protocol, channel or labels")
    ] = None,
    protocol: Annotated[str | None, Query(max_length=256)] = None,
    core: Annotated[str | None, Query(max_length=64)] = None,
    label: Annotated[str | None, Query(max_length=256, description="a label, or label=value")] = None,
    since: Annotated[Day, Query(description="began on this day (UTC) or later")] = None,
    until: Annotated[Day, Query(description="began on this day (UTC) or earlier")] = None,
) -> Wanted:
    """Return which runs somebody wants to see."""
    return Wanted(
        *(state, channel, cell, words, protocol, core, label),
        since=since.isoformat() if since else None,
        until=until.isoformat() if until else None,
    )


WantedRuns = Annotated[Wanted, Depends(wanted_runs)]


@router.get("/runs", response_model=Page)
async def list_runs(
    visitor: Viewer,
    data: Data,
    wanted: WantedRuns,
    cursor: Annotated[str | None, Query(max_length=600)] = None,
    limit: Annotated[int, Query(ge=1, le=LARGEST_PAGE)] = 50,
    order: Order = Order.LATEST,
) -> Response:
    """List the runs, the latest first unless asked otherwise, a page at a time."""
    return written(await data.read(lambda engine: Catalogue(engine).page(wanted, cursor, limit, order)))


@router.get("/runs-choices", response_model=dict[str, list[str]])
async def choices(visitor: Viewer, data: Data) -> Response:
    """List the protocols, cells, cores and labels runs can be chosen by."""
    return written(await data.read(lambda engine: Catalogue(engine).choices()))


@router.get("/runs/{run}", response_model=dict[str, Any])
async def show_run(run: RunName, visitor: Viewer, recorded: OfRun, request: Request) -> Response:
    """Show a run: what it was asked, and where it stands. Its revision is also the ETag."""
    live = in_hand(request, run)
    try:
        found: dict[str, Any] = await recorded.read(run, lambda engine: asdict(Results(engine).run(run)), {})
    except UnavailableError:
        if live is None:
            raise
        found = {}  # what the core has in hand is shown without a database too
    shown = {"run": run} | {key: value for key, value in found.items() if key != "name"}
    if live is None or shown.get("ended"):  # what is recorded as over is over, whatever was last seen
        return written(shown | {"live": None, "revision": None})
    revision = str(live["revision"])
    shown |= {"live": live, "revision": revision, "state": live["state"]}
    return written(shown, headers={"etag": f'"{revision}"'})


@router.get("/runs/{run}/steps", response_model=list[StepRecord])
async def steps(run: RunName, visitor: Viewer, recorded: OfRun, last: Last = 500) -> Response:
    """List the steps that have begun, in order; the latest where there are more than `last`."""
    return written(await recorded.read(run, lambda engine: Results(engine).steps(run)[-last:], []))


@router.get("/runs/{run}/cycles", response_model=list[CycleRecord])
async def cycles(run: RunName, visitor: Viewer, recorded: OfRun, points: Points = MOST_POINTS) -> Response:
    """List the cycles; of very many, those that keep the lowest and highest capacity and efficiency."""
    return written(await recorded.read(run, lambda engine: _thinned(Results(engine).cycles(run), points), []))


@router.get("/runs/{run}/figures", response_model=list[FigureRecord])
async def figures(run: RunName, visitor: Viewer, recorded: OfRun) -> Response:
    """List the figures of merit made so far, each with its uncertainty and its method."""
    return written(await recorded.read(run, lambda engine: Results(engine).figures(run), []))


@router.get("/runs/{run}/events", response_model=list[EventRecord])
async def events(run: RunName, visitor: Viewer, recorded: OfRun, last: Last = 500) -> Response:
    """List what was noted, oldest first; the latest where there are more than `last`."""
    found: list[EventRecord] = await recorded.read(run, lambda engine: Results(engine).events(run), [])
    return written(sorted(found, key=lambda event: event.time)[-last:])


@router.get("/runs/{run}/impedance", response_model=list[ImpedanceRecord])
async def impedance(run: RunName, visitor: Viewer, recorded: OfRun, last: Last = MOST_POINTS) -> Response:
    """List the points of its spectra, hertz and ohm; the latest where there are more than `last`."""
    found: list[ImpedanceRecord] = await recorded.read(
        run, lambda engine: Results(engine).impedance(run)[-last:], []
    )
    return written([point._asdict() for point in found])


@router.get("/runs/{run}/impedance/fits", response_model=list[Fit])
async def impedance_fits(run: RunName, visitor: Viewer, recorded: OfRun) -> Response:
    """List the circuits fitted to its spectra, as curves to draw over them."""
    return written(await recorded.read(run, lambda engine: _fits(Results(engine), run), []))


@router.get("/runs/{run}/trace", response_model=Trace)
async def trace(
    run: RunName,
    visitor: Viewer,
    recorded: OfRun,
    start: Moment = None,
    end: Moment = None,
    points: Points = MOST_POINTS,
) -> Response:
    """Return the run between two moments in at most `points` rows, its extremes kept."""
    return written(
        await recorded.read(
            run, lambda engine: Traces(engine).of_time(run, start, end, points), Trace.empty(run)
        )
    )


@router.get("/runs/{run}/cycles/{cycle}/trace", response_model=Trace)
async def cycle_trace(
    run: RunName,
    cycle: Annotated[int, Path(ge=0, le=2**31 - 1)],
    visitor: Viewer,
    data: Data,
    points: Points = MOST_POINTS,
) -> Response:
    """Return one cycle in at most `points` rows, for voltage against capacity."""
    return written(await data.read(lambda engine: Traces(engine).of_cycle(run, cycle, points)))


@router.get("/runs/{run}/cycles/{cycle}/differential", response_model=Differential)
async def cycle_differential(
    run: RunName, cycle: Annotated[int, Path(ge=0, le=2**31 - 1)], visitor: Viewer, data: Data
) -> Response:
    """Return dQ/dV of a cycle's charges and discharges, with the method of smoothing named."""
    return written(await data.read(lambda engine: differential(Results(engine), run, cycle)))


def _fits(results: Results, run: str) -> list[Fit]:
    hertz: dict[int, list[float]] = {}
    for point in results.impedance(run)[-MOST_POINTS:]:
        if point.frequency:
            hertz.setdefault(point.step, []).append(point.frequency)
    return fits(results.figures(run), {step: np.array(each) for step, each in hertz.items()})


def in_hand(request: Request, run: str) -> dict[str, Any] | None:
    """Return what a core says of the run's channel now; None where it has no such run in hand."""
    for seen in live_of(request).channels.values():
        if seen.facts.run == run:
            return told(seen) | {"latest": latest(seen.values)}
    return None


def _thinned(found: list[CycleRecord], points: int) -> list[CycleRecord]:
    if len(found) <= points:
        return found
    columns = [
        np.array([getattr(cycle, name) for cycle in found], dtype=np.float64)
        for name in ("discharge_capacity", "coulombic_efficiency")
    ]
    return [found[i] for i in kept(columns, points)]
