"""What a core shows of all its channels at one look, some at a time."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from typing import Any

from daemon.channels.station import Station
from daemon.glance import AT_A_TIME, Facts, Glance, Values
from daemon.running.journal import Journal
from daemon.running.parked import Parked
from daemon.running.revisions import Revisions
from daemon.running.run import Run

SHORTEST_PATIENCE = 5.0
"""Seconds after which a value is shown as old, however often it is read."""

MISSED = 3.0
"""Readings that may be missed before it is."""


async def glances(
    stations: Sequence[Station], journal: Journal, revisions: Revisions, queued: Callable[[str], int]
) -> AsyncIterator[list[Glance]]:
    """Yield every channel, `AT_A_TIME` together; between them whatever else is due has its turn."""
    for first in range(0, len(stations), AT_A_TIME):
        yield [_glance(each, journal, revisions, queued) for each in stations[first : first + AT_A_TIME]]
        await asyncio.sleep(0)


def _glance(station: Station, journal: Journal, revisions: Revisions, queued: Callable[[str], int]) -> Glance:
    run = station.run
    in_hand = run if run is not None and not run.over else None
    latch = journal.latches.get(station.name)
    latest = run.latest if run is not None else {}
    facts = Facts(
        channel=station.name,
        driver=station.entry.driver,
        simulated=station.entry.simulation is not None,
        state=_state(station, in_hand),
        trouble=station.trouble,
        latch=latch.reason if latch is not None else None,
        run=in_hand.name if in_hand is not None else None,
        last_run=run.name if run is not None else None,
        cell=in_hand.cell if in_hand is not None else journal.cells.get(station.name),
        protocol=in_hand.protocol if in_hand is not None else None,
        started=in_hand.begun if in_hand is not None else None,
        path=latest.get("path"),
        verb=latest.get("verb"),
        setting=latest.get("setting"),
        revision=revisions.of(run) if run is not None else "",
        queued=queued(station.name),
        patience=max(SHORTEST_PATIENCE, MISSED * station.sample / station.speed),
    )
    return Glance(facts, _values(run, latest))


def _state(station: Station, in_hand: Run | Parked | None) -> str:
    if in_hand is not None:
        return in_hand.state.value
    return "unreachable" if station.trouble else "idle"


def _values(run: Run | Parked | None, latest: Mapping[str, Any]) -> Values:
    if run is None or not latest:
        return Values()
    return Values(
        run.read_at,
        latest.get("time"),
        latest.get("voltage"),
        latest.get("current"),
        latest.get("capacity"),
        latest.get("energy"),
        latest.get("temperature"),
        latest.get("step"),
        latest.get("cycle"),
    )
