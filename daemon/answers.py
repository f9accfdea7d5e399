"""What people may ask of a core, and its answers."""

import asyncio
import contextlib
import os
import time
from collections.abc import AsyncIterator, Collection, Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

from daemon import requests
from daemon.channels import doctor
from daemon.channels.acknowledgements import Acknowledgement, Acknowledgements
from daemon.channels.bounds import bounds
from daemon.channels.chamber import BenchChamber
from daemon.channels.instrument import Instrument
from daemon.channels.safe import make_stations_safe
from daemon.channels.station import Station, named
from daemon.delivery.outbox import Delay, Outbox
from daemon.delivery.publisher import Publisher
from daemon.delivery.spool import Spool
from daemon.errors import ServiceError, StaleError
from daemon.glances import Surroundings, glances, trouble_of
from daemon.host.machine import Host
from daemon.running.intake import Intake, our_version
from daemon.running.journal import Journal
from daemon.running.parked import Parked
from daemon.running.recovery import Recovery
from daemon.running.revisions import Revisions
from daemon.running.run import Run, RunState
from daemon.running.runs import Runs
from daemon.studies.bench import Bench
from daemon.studies.studies import Studies
from drivers.errors import InstrumentError

DONE = {requests.Pause: "paused", requests.Resume: "resumed", requests.Stop: "stopped"}


class Answers:
    """Answers requests for one core, whose parts it is given."""

    def __init__(
        self,
        core: str,
        bench: str,
        stations: Mapping[str, Station],
        runs: Runs,
        recovery: Recovery,
        journal: Journal,
        spool: Spool,
        outbox: Outbox,
        publisher: Publisher,
        chambers: Mapping[str, BenchChamber],
        host: Host,
    ) -> None:
        """`chambers` are those around the channels, by the channel's name."""
        self._core = core
        self._bench = bench
        self._stations = stations
        self._runs = runs
        self._recovery = recovery
        self._journal = journal
        self._spool = spool
        self._outbox = outbox
        self._publisher = publisher
        self._host = host
        self._intake = intake = Intake(core, stations, runs, journal, outbox, chambers, host)
        self._queues = intake.queues
        floor = Bench(stations, runs, journal, intake.queues, intake.planned, intake.submit)
        self.studies = Studies(core, journal, floor)
        intake.kept_from = self.studies.kept_from
        runs.ended = self._ended
        self._revisions = Revisions(journal.epoch)
        self._chambers = chambers
        self._around = Surroundings(
            journal,
            self._revisions,
            self._queues.length,
            chambers,
            Acknowledgements(journal.acknowledged),
            self.studies.wanted,
            runs.unclosed,
        )
        self._started = datetime.now(UTC)

    async def answer(self, request: requests.Request, who: str = "somebody") -> Any:
        """Answer one request of the control socket."""
        match request:
            case requests.Status():
                return self._status()
            case requests.Channels(None):
                return [self._channel_facts(station) for station in self._stations.values()]
            case requests.Channels(str(channel)):
                station = self._station(channel)
                return [{**self._channel_facts(station), **bounds(station)}]
            case requests.Instruments():
                return self._attached()
            case requests.Glances():
                return glances(list(self._stations.values()), self._around)
            case requests.StudyRequest():
                return await self.studies.answer(request, who)
            case requests.Queue(channel):
                return self._queue(self._station(channel).name)
            case requests.Unqueue(channel, number):
                return await self._queues.remove(self._station(channel).name, number, who)
            case requests.Reorder(channel, order):
                return await self._queues.reorder(self._station(channel).name, order, who)
            case requests.Hold(channel, reason):
                return self._queues.hold(self._station(channel).name, reason, who)
            case requests.GoOn(channel):
                return await self._queues.go_on(self._station(channel).name, who)
            case requests.Audit(before, limit):
                return await self._journal.entries(before, limit)
            case requests.Runs():
                return [{**run.snapshot(), "revision": self._revisions.of(run)} for run in self._runs]
            case requests.Check():
                return await self._intake.check(request)
            case requests.Submit():
                return await self._intake.submit(request, who)
            case requests.Watch():
                return self._watch(self._runs.named(request.run).name, request.per_second)
            case requests.Acknowledge(channel):
                return self._acknowledge(self._station(channel), who)
            case requests.Clear():
                return await self._clear(request, who)
            case requests.Safe(everything, deadline):
                self._journal.audit(who, "safe", "every channel", "everything" if everything else "")
                outcomes = await make_stations_safe(self._stations.values(), everything, deadline)
                return [outcome._asdict() for outcome in outcomes]
            case requests.Doctor():
                return await self._doctor(request)
            case requests.Pause() | requests.Resume() | requests.Stop():
                return await self._steer(request, who)

    async def _ended(self, channel: str, state: RunState, run: str) -> None:
        """A run has ended: what is queued there comes first, then what a study has for the channel."""
        await self._queues.ended(channel, state, run)
        self.studies.wake()

    async def _steer(self, request: requests.Pause | requests.Resume | requests.Stop, who: str) -> str:
        """Do what a person wants of a run in hand, and keep who it was; returns its new revision."""
        run = self._runs.in_hand(request.run)
        self._revisions.require(run, request.revision)
        if isinstance(request, requests.Stop) and request.cell not in (None, run.cell):
            raise ServiceError(f"run {run.name} is on cell {run.cell!r}, not on {request.cell!r}; it goes on")
        self._revisions.steered(run, who, DONE[type(request)])
        await self._steered(request, run, who)
        return self._revisions.of(self._runs.named(run.name))

    async def _steered(
        self, request: requests.Pause | requests.Resume | requests.Stop, run: Run | Parked, who: str
    ) -> None:
        match request, run:
            case requests.Resume(), Parked():
                self._station(run.channel)
                await self._recovery.resume(run, who)
                return
            case requests.Stop(), Parked():
                await self._stop_parked(run, request)
            case requests.Pause(), Parked():
                raise ServiceError(f"run {run.name} waits already, its circuit open: {run.reason}")
            case requests.Pause(), Run():
                run.pause()
            case requests.Resume(), Run():
                run.resume()
            case requests.Stop(), Run():
                await run.stop(request.reason)
        what = type(request).__name__.lower()
        self._journal.audit(who, what, run.name, request.reason if isinstance(request, requests.Stop) else "")

    async def _stop_parked(self, parked: Parked, request: requests.Stop) -> None:
        async with contextlib.AsyncExitStack() as stack:
            if parked.channel in self._stations:
                await stack.enter_async_context(self._stations[parked.channel].alone())
            now = self._runs.in_hand(parked.name)
            if isinstance(now, Run):  # it went on while we waited
                await now.stop(request.reason)
            else:
                now.end(RunState.STOPPED, request.reason)
                await self._runs.conclude(now.name)

    async def _doctor(self, request: requests.Doctor) -> list[Mapping[str, Any]]:
        wanted = [self._station(request.channel)] if request.channel else self._stations.values()
        found = []
        for station in wanted:
            latch = self._journal.latches.get(station.name)
            diagnosis = await doctor.in_core(station, latch.reason if latch is not None else None)
            if (chamber := self._chambers.get(station.name)) is not None:
                diagnosis.findings.extend(chamber.findings())
            if station.run is not None and (unclosed := self._runs.unclosed(station.run.name)) is not None:
                diagnosis.note(unclosed, wrong=True)
            found.append(diagnosis.facts())
        return found

    async def _clear(self, request: requests.Clear, who: str) -> Mapping[str, Any]:
        station = self._station(request.channel)
        latch = self._journal.latches.get(station.name)
        if latch is None:
            raise ServiceError(f"channel {station.name} is not latched")
        if request.latch not in (None, latch.reason):
            raise StaleError(
                f"channel {station.name} is latched for something else by now: {latch.reason}; look again"
            )
        if not request.reason.strip():
            raise ServiceError("a latch is cleared for a reason, which is kept; none was given")
        async with station.alone():
            await _verify_open(station)
        await self._journal.clear(station.name, who, request.reason)
        return {"channel": station.name, "cleared_by": who, **latch.facts()}

    def _acknowledge(self, station: Station, who: str) -> Mapping[str, Any]:
        trouble = trouble_of(station, self._around)
        if trouble is None:
            raise ServiceError(f"nothing is wrong with channel {station.name} that could be acknowledged")
        said = Acknowledgement(who, time.time(), trouble)
        self._around.acknowledgements.add(station.name, said)
        self._journal.audit(who, "acknowledge", station.name, trouble)
        return {"channel": station.name, "acknowledged_by": who, "trouble": trouble}

    def _attached(self) -> Mapping[str, Any]:
        """Return what is on the bench, each instrument once."""
        channels: dict[str, list[str]] = {}
        instruments: dict[str, Instrument] = {}
        for station in self._stations.values():
            instruments[station.instrument.name] = station.instrument
            channels.setdefault(station.instrument.name, []).append(station.name)
        return {
            "instruments": [
                {**instrument.facts(), "channels": channels[name]} for name, instrument in instruments.items()
            ],
            "chambers": [chamber.facts() for chamber in self._each_chamber()],
        }

    def _each_chamber(self) -> Iterable[BenchChamber]:
        return {chamber.entry.name: chamber for chamber in self._chambers.values()}.values()

    def _channel_facts(self, station: Station) -> Mapping[str, Any]:
        latch = self._journal.latches.get(station.name)
        chamber = self._chambers.get(station.name)
        facts = station.facts()
        return {
            **facts,
            "cell": facts["cell"] or self._journal.cells.get(station.name),
            "latch": latch.facts() if latch is not None else None,
            "chamber": chamber.facts() if chamber is not None else None,
        }

    def _status(self) -> Mapping[str, Any]:
        return {
            "core": self._core,
            "bench": self._bench,
            "version": our_version(),
            "pid": os.getpid(),
            "epoch": self._spool.epoch,
            "journal": {"epoch": self._journal.epoch, "trouble": self._journal.trouble},
            "started": self._started.isoformat(),
            "broker": {"url": self._publisher.url, "connected": self._publisher.connected},
            "spool": {
                "backlog": self._outbox.backlog,
                "waiting": self._outbox.waiting,
                "committed": self._outbox.committed,
                "trouble": self._outbox.trouble,
                "kept_bytes": self._outbox.kept_bytes,
                "delays": _quantiles([delay.total for delay in self._outbox.delays]),
                "stages": _stages(self._outbox.delays),
            },
            "computer": self._host.facts(),
            "channels": len(self._stations),
            "chambers": [chamber.facts() for chamber in self._each_chamber()],
            "runs": [run.name for run in self._runs if not run.over],
            "unconcluded": dict(self._runs.unconcluded),
        }

    def _queue(self, channel: str) -> Mapping[str, Any]:
        line = self._queues.line(channel)
        return {"held": self._queues.held(channel), "waiting": [each.facts() for each in line]}

    async def _watch(self, name: str, per_second: float) -> AsyncIterator[Mapping[str, Any]]:
        interval = 1.0 / max(0.1, min(per_second, 50.0))
        while not (run := self._runs.named(name)).over:
            yield run.snapshot()
            await asyncio.sleep(interval)
        yield run.snapshot()

    def _station(self, channel: str) -> Station:
        return named(self._stations, channel)


async def _verify_open(station: Station) -> None:
    """Open the circuit once more; a latch may be there because nobody could verify that it is."""
    try:
        await (await station.channel()).off()
    except InstrumentError as error:
        raise ServiceError(
            f"channel {station.name} stays latched, its circuit cannot be verified open: {error}"
        ) from error


def _stages(delays: Collection[Delay]) -> Mapping[str, Mapping[str, float]]:
    """Return the same of each stage that the whole is made of."""
    _, *stages = enumerate(Delay._fields)
    return {name: _quantiles([delay[at] for delay in delays]) for at, name in stages}


def _quantiles(seconds: Iterable[float]) -> Mapping[str, float]:
    """Return median and 99th percentile of what batches took to be committed and acknowledged lately."""
    ordered = sorted(seconds)
    if not ordered:
        return {}
    return {
        "median": ordered[len(ordered) // 2],
        "p99": ordered[min(len(ordered) - 1, len(ordered) * 99 // 100)],
    }
