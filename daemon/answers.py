"""What people may ask of a core, and its answers."""

import asyncio
import contextlib
import os
import platform
import time
from collections.abc import AsyncIterator, Collection, Iterable, Mapping
from dataclasses import asdict
from datetime import UTC, datetime
from functools import cache
from importlib.metadata import version
from typing import Any

from daemon import requests
from daemon.channels import doctor
from daemon.channels.acknowledgements import Acknowledgement, Acknowledgements
from daemon.channels.attendance import require_deadman
from daemon.channels.chamber import BenchChamber
from daemon.channels.held import held
from daemon.channels.instrument import Instrument
from daemon.channels.safe import make_stations_safe
from daemon.channels.station import Station
from daemon.delivery.messages import RunStarted
from daemon.delivery.outbox import Delay, Outbox
from daemon.delivery.publisher import Publisher
from daemon.delivery.spool import Spool
from daemon.errors import BusyError, LatchedError, ServiceError, StaleError, UnknownError
from daemon.glances import Surroundings, glances, trouble_of
from daemon.host.machine import Host
from daemon.running.journal import Journal
from daemon.running.order import Order
from daemon.running.parked import Parked
from daemon.running.planning import Planned, planned, with_table
from daemon.running.programs import programs, step_by_step
from daemon.running.queues import Queues
from daemon.running.recovery import Recovery
from daemon.running.revisions import Revisions
from daemon.running.run import Run, RunState
from daemon.running.runs import Runs
from daemon.running.submissions import Submissions
from daemon.studies.bench import Bench
from daemon.studies.studies import Studies
from drivers.base import Channel, ProgrammedChannel
from drivers.errors import InstrumentError
from drivers.whole import WholeChannel
from protocols.errors import Place, Problem, ProtocolError
from protocols.forecast import forecast
from protocols.plan import PlannedStep
from protocols.techniques import ChamberTemperature

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
        self._submissions = Submissions(journal)
        self._queues = Queues(journal, self._submit)
        bench_of_studies = Bench(stations, runs, journal, self._queues, self._planned, self._submit)
        self.studies = Studies(core, journal, bench_of_studies)
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
        self._planning = asyncio.Lock()  # one at a time: each thread that computes keeps the loop waiting
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
                return [{**self._channel_facts(station), **held(station)}]
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
                return await self._check(request)
            case requests.Submit():
                return await self._submit(request, who)
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
            "version": _version(),
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

    async def _check(self, request: requests.Check) -> Mapping[str, Any]:
        """Report the plan, with what a programmed instrument would be sent for each step."""
        station = self._station(request.channel)
        plan, cell = await self._planned(request, station)
        found = with_table(plan, cell) | {"channel": station.name}
        channel = await station.channel()
        found["warnings"] = [*found["warnings"], *step_by_step(channel, plan)]
        if isinstance(channel, ProgrammedChannel):
            found["programs"] = programs(channel, plan, station.entry.sample)
        return found

    async def _submit(self, request: requests.Submit, who: str) -> Mapping[str, Any]:
        async with self._submissions.once(request) as earlier:
            if earlier is None and request.queue and self._has_to_wait(request):
                return await self._queued(request, who)
            if earlier is None:
                return await self._begun(request, who)
            return {
                "run": earlier.run,
                "channel": earlier.channel,
                "warnings": [],
                "forecast": {"seconds": None, "rows": None},
            }

    def _has_to_wait(self, request: requests.Submit) -> bool:
        station = self._station(request.channel)
        kept = self.studies.kept_from(station.name, request.key)
        return station.busy or self._queues.length(station.name) > 0 or kept is not None

    async def _queued(self, request: requests.Submit, who: str) -> Mapping[str, Any]:
        """Let a submission wait that could begin now but for the channel being busy."""
        found = await self._planned(request, self._station(request.channel))
        expected = forecast(found.plan, found.cell)
        return {
            "run": None,
            "queued": await self._queues.add(request, who, found.plan.name, found.cell.name),
            "channel": request.channel,
            "warnings": list(found.plan.warnings),
            "forecast": {"seconds": expected.seconds, "rows": expected.rows},
        }

    def _queue(self, channel: str) -> Mapping[str, Any]:
        line = self._queues.line(channel)
        return {"held": self._queues.held(channel), "waiting": [each.facts() for each in line]}

    async def _begun(self, request: requests.Submit, who: str) -> Mapping[str, Any]:
        station = self._station(request.channel)
        entry = station.entry
        self._host.require()
        require_deadman(entry.name, entry.driver, station.driver_class.deadman, entry.unattended)
        async with station.claimed():
            kept = self.studies.kept_from(station.name, request.key)
            if kept is not None:
                raise BusyError(
                    f"channel {station.name} is kept for {kept}: say that it is there, or leave it out"
                )
            latch = self._journal.latches.get(station.name)
            if latch is not None:
                raise LatchedError(
                    f"channel {station.name} is latched: {latch.reason}; look at its cell, then "
                    f"`galvanod clear {station.name} --reason …`"
                )
            found = await self._planned(request, station)
            name = f"{self._core}-{await self._outbox.number_run()}"
            order = await self._ordered(name, station, found, request)
            before = self._journal.cells.get(station.name)
            await self._runs.begin(order, found, station)
            self._journal.audit(who, "submit", name, station.name)
        expected = forecast(found.plan, found.cell)
        return {
            "run": name,
            "channel": station.name,
            "warnings": [
                *_other_cell(before, order),
                *found.plan.warnings,
                *step_by_step(await station.channel(), found.plan),
            ],
            "forecast": {"seconds": expected.seconds, "rows": expected.rows},
        }

    async def _planned(self, request: requests.Submit | requests.Check, station: Station) -> Planned:
        """Read and plan what was submitted; refuse what the channel's instrument cannot hold."""
        channel = await station.channel()
        limits = await station.limits()
        async with self._planning:
            order = await asyncio.to_thread(  # a hostile file costs milliseconds, but not the loop's
                planned,
                request.protocol,
                request.protocol_file,
                request.cell,
                request.cell_file,
                limits,
                request.variables,
            )
        problems = [
            Problem(Place(request.protocol_file, step.line, 1), f"{step.verb} {step.setting}".strip(), reason)
            for step in order.plan.each_step()
            if (reason := self._refusal(step, station, channel)) is not None
        ]
        if problems:
            raise ProtocolError(*problems)
        return order

    def _refusal(self, step: PlannedStep, station: Station, channel: Channel) -> str | None:
        """Return what the step wants that the channel is not, or None where it can be run."""
        match step.technique:
            case ChamberTemperature(celsius):
                chamber = self._chambers.get(station.name)
                if chamber is None:
                    return f"a channel in a chamber: the bench file puts {station.name} in none"
                return chamber.refusal(celsius)
        if isinstance(channel, WholeChannel) and not channel.controls:
            return None  # somebody else's software runs it
        reason = station.driver_class.refusal(step) or channel.refusal(step)
        return None if reason is None else f"an instrument that can; {reason}"

    async def _ordered(self, name: str, station: Station, found: Planned, request: requests.Submit) -> Order:
        """Freeze what was asked for."""
        return Order(
            run=name,
            channel=station.name,
            protocol=request.protocol,
            protocol_file=request.protocol_file,
            cell_source=request.cell,
            cell_file=request.cell_file,
            variables=request.variables,
            window=await station.limits(),
            resume=request.resume,
            started=await self._start_record(name, station, found, request),
            key=request.key,
        )

    async def _start_record(
        self, name: str, station: Station, found: Planned, request: requests.Submit
    ) -> RunStarted:
        driver = await station.opened()
        return RunStarted(
            run=name,
            started=datetime.now(UTC).isoformat(),
            channel=station.name,
            driver=station.entry.driver,
            instrument={**driver.identity._asdict(), "address": station.address},
            protocol=found.plan.name,
            protocol_digest=found.plan.digest,
            protocol_canonical=found.plan.canonical,
            protocol_source=request.protocol,
            cell=found.cell.name,
            cell_facts=found.cell.facts(),
            variables=dict(found.plan.variables),
            limits=asdict(found.plan.limits),
            figures=found.plan.figures,
            versions={
                "galvanod": _version(),
                "python": platform.python_version(),
                "clock": self._host.label(),
            },
            simulated=station.entry.simulation is not None,
            labels=request.labels,
            accuracy=driver.accuracy.plain() if driver.accuracy is not None else {},
        )

    async def _watch(self, name: str, per_second: float) -> AsyncIterator[Mapping[str, Any]]:
        interval = 1.0 / max(0.1, min(per_second, 50.0))
        while not (run := self._runs.named(name)).over:
            yield run.snapshot()
            await asyncio.sleep(interval)
        yield run.snapshot()

    def _station(self, channel: str) -> Station:
        try:
            return self._stations[channel]
        except KeyError:
            known = ", ".join(self._stations)
            raise UnknownError(f"there is no channel {channel!r} on this bench; it has {known}") from None


async def _verify_open(station: Station) -> None:
    """Open the circuit once more; a latch may be there because nobody could verify that it is."""
    try:
        await (await station.channel()).off()
    except InstrumentError as error:
        raise ServiceError(
            f"channel {station.name} stays latched, its circuit cannot be verified open: {error}"
        ) from error


def _other_cell(before: str | None, order: Order) -> list[str]:
    """Say so if the channel was last told to hold another cell."""
    if before is None or before == order.cell:
        return []
    return [f"channel {order.channel} held {before} until now; from now on it holds {order.cell}"]


@cache
def _version() -> str:
    """Return ours; it is looked up in a file, and every run says it."""
    return version("galvanod")


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
