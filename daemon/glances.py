"""What a core shows of all its channels at one look, some at a time."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from typing import Any, NamedTuple

from daemon.channels.acknowledgements import Acknowledgements
from daemon.channels.chamber import BenchChamber
from daemon.channels.station import Station
from daemon.glance import AT_A_TIME, Facts, Glance, Values
from daemon.running.journal import Journal
from daemon.running.parked import Parked
from daemon.running.revisions import Revisions
from daemon.running.run import Run, RunState

SHORTEST_PATIENCE = 5.0
"""Seconds after which a value is shown as old, however often it is read."""

LONGEST_WAIT = 3_600.0
"""Seconds after which it is where nobody can tell when the next comes: at a millihertz one takes minutes."""

MISSED = 3.0
"""Readings that may be missed before it is."""


class Surroundings(NamedTuple):
    """What is known of channels besides what they are doing."""

    journal: Journal
    revisions: Revisions
    queued: Callable[[str], int]
    chambers: Mapping[str, BenchChamber]
    acknowledgements: Acknowledgements
    wanted: Callable[[str], str | None]
    unclosed: Callable[[str], str | None]

    def trouble(self, station: Station) -> str | None:
        """Return what is wrong with a channel besides its latch and its run; None where nothing is."""
        return station.trouble or (self.unclosed(station.run.name) if station.run is not None else None)


async def glances(stations: Sequence[Station], around: Surroundings) -> AsyncIterator[list[Glance]]:
    """Yield every channel, `AT_A_TIME` together; between them whatever else is due has its turn."""
    for first in range(0, len(stations), AT_A_TIME):
        yield [_glance(each, around) for each in stations[first : first + AT_A_TIME]]
        await asyncio.sleep(0)


def _glance(station: Station, around: Surroundings) -> Glance:
    run, journal = station.run, around.journal
    in_hand = run if run is not None and not run.over else None
    latch = journal.latches.get(station.name)
    latest = run.latest if run is not None else {}
    facts = Facts(
        channel=station.name,
        driver=station.entry.driver,
        simulated=station.entry.simulation is not None,
        state=_state(station, in_hand),
        trouble=around.trouble(station),
        latch=latch.reason if latch is not None else None,
        run=in_hand.name if in_hand is not None else None,
        last_run=run.name if run is not None else None,
        cell=in_hand.cell if in_hand is not None else journal.cells.get(station.name),
        protocol=in_hand.protocol if in_hand is not None else None,
        started=in_hand.begun if in_hand is not None else None,
        path=latest.get("path"),
        verb=latest.get("verb"),
        setting=latest.get("setting"),
        revision=around.revisions.of(run) if run is not None else "",
        queued=around.queued(station.name),
        patience=patience(station.sample, run.interval if isinstance(run, Run) else 0.0, station.speed),
        instrument=station.instrument.name,
        chamber=chamber.entry.name if (chamber := around.chambers.get(station.name)) is not None else None,
        study=in_hand.labels.get("study") if in_hand is not None else None,
        expected=in_hand.expected if in_hand is not None else None,
        speed=station.speed if station.paced else None,
        why=(in_hand.reason or None) if in_hand is not None else None,
        since=latch.time if latch is not None else None,
        acknowledged=around.acknowledgements.of(station.name, trouble_of(station, around), latch),
        wanted=around.wanted(station.name),
    )
    return Glance(facts, _values(run, latest))


def patience(sample: float, interval: float | None, speed: float) -> float:
    """Return for how many of our seconds a reading is not yet old.

    `sample` and `interval` are the seconds of the cell between readings, as the core wishes them and
    as the instrument records them by itself; `speed` is how many of them pass in one of ours.
    """
    if interval is None:
        return LONGEST_WAIT
    return max(SHORTEST_PATIENCE, MISSED * max(sample, interval) / speed)


def trouble_of(station: Station, around: Surroundings) -> str | None:
    """Return what a person should see to, in the words the page shows; None where nothing is wrong."""
    latch = around.journal.latches.get(station.name)
    if latch is not None:
        return latch.reason
    run = station.run
    if run is not None and run.state is RunState.INTERRUPTED:
        return f"interrupted: {run.reason}"
    return around.trouble(station)


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
