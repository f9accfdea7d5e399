"""The bench of a core as its studies see it."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from daemon.channels.station import Station
from daemon.errors import ServiceError, UnknownError
from daemon.requests import Check, Submit
from daemon.running.journal import Journal
from daemon.running.journal_file import Ending
from daemon.running.planning import Planned
from daemon.running.queues import Queues
from daemon.running.runs import Runs
from daemon.studies.floor import Floor, RunNow, Seat
from drivers.errors import InstrumentError, SilenceError
from drivers.rehearsal import RehearsalClock
from protocols.forecast import forecast

REHEARSAL_SECONDS = 30.0
"""What a simulated instrument may take to be given a cell, or to say what is in it."""

KNOCK_SECONDS = 60.0
"""What opening an instrument may take that did not answer before."""

Planning = Callable[[Check, Station], Awaitable[Planned]]
Submission = Callable[[Submit, str], Awaitable[Mapping[str, Any]]]


@dataclass(frozen=True, slots=True)
class Bench(Floor):
    """Stations, runs and queues of one core."""

    stations: Mapping[str, Station]
    runs: Runs
    journal: Journal
    queues: Queues
    plan: Planning
    submit: Submission

    def seats(self, on: str) -> Sequence[Seat]:
        return [
            Seat(station.name, station.rehearsal)
            for station in self.stations.values()
            if on in (station.name, station.instrument.name)
        ]

    def free(self, channel: str) -> bool:
        station = self.stations[channel]
        return not (
            station.busy or station.trouble or channel in self.journal.latches or self.queues.length(channel)
        )

    async def let_go(self, channel: str) -> None:
        station = self.stations.get(channel)
        if station is not None and not station.busy and channel not in self.journal.latches:
            await self.queues.freed(channel)

    def silent(self, channel: str) -> bool:
        station = self.stations[channel]
        return station.trouble is not None and not station.busy

    async def knock(self, channel: str) -> None:
        with contextlib.suppress(InstrumentError, ServiceError, TimeoutError):
            async with asyncio.timeout(KNOCK_SECONDS):
                await self.stations[channel].opened()

    def speed(self, channel: str) -> float:
        station = self.stations.get(channel)  # a run may be on one that has left the bench file
        simulation = station.entry.simulation if station is not None else None
        return simulation.speed if simulation is not None else 1.0

    def names(self) -> Sequence[str]:
        return sorted({name for s in self.stations.values() for name in (s.name, s.instrument.name)})

    async def planned(self, request: Check) -> float:
        found = await self.plan(request, self.stations[request.channel])
        return forecast(found.plan, found.cell).seconds

    async def insert(self, seat: Seat, cell: str, seed: int, alike: bool) -> None:
        if seat.rehearsal is not None:
            async with _answered(seat):
                await RehearsalClock.insert(seat.rehearsal, cell, seed, alike)

    async def truth(self, seat: Seat) -> Mapping[str, Any]:
        if seat.rehearsal is None:
            return {}
        async with _answered(seat):
            return await RehearsalClock.truth_at(seat.rehearsal)

    async def begin(self, request: Submit, who: str) -> str:
        return str((await self.submit(request, who))["run"])

    async def begun(self, key: str) -> str | None:
        order = await self.journal.submitted(key)
        return None if order is None else order.run

    def run(self, name: str) -> RunNow | None:
        try:
            run = self.runs.named(name)
        except UnknownError:
            return None
        found = run.snapshot()
        kept = found["readings"] + found["impedance_points"]
        return RunNow(found["state"], found["reason"], kept, float(found["latest"].get("time") or 0.0))

    async def ending(self, run: str) -> Ending | None:
        return await self.runs.ending(run)


@asynccontextmanager
async def _answered(seat: Seat) -> AsyncIterator[None]:
    """Give up on a simulated instrument that does not answer in time."""
    try:
        async with asyncio.timeout(REHEARSAL_SECONDS):
            yield
    except TimeoutError as error:
        raise SilenceError(
            f"{seat.rehearsal}: the simulated channel {seat.channel} did not answer within "
            f"{REHEARSAL_SECONDS:g} s"
        ) from error
