"""The core: the one process that touches instruments. It waits for them and the clock, nothing else."""

import asyncio
import logging
import os
import platform
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import asdict
from datetime import UTC, datetime
from functools import partial
from importlib.metadata import version
from typing import Any, NamedTuple

import msgspec

from daemon import requests
from daemon.bench_file import BenchFile
from daemon.control import listening
from daemon.engine import Engine
from daemon.errors import ConfigurationError, ServiceError, UnknownError
from daemon.gate import Gate
from daemon.guards import Guards
from daemon.locks import owned
from daemon.logbook import Emit, Logbook
from daemon.messages import RunEnded, RunStarted
from daemon.outbox import Outbox
from daemon.places import Places
from daemon.planning import Planned, planned, with_table
from daemon.programmed import ProgrammedEngine
from daemon.publisher import Publisher
from daemon.run import Run, RunState
from daemon.spool import Spool
from daemon.station import Station
from daemon.stepped import SteppedEngine
from drivers.base import Program, ProgrammedChannel, SteppedChannel
from drivers.errors import InstrumentError
from protocols.errors import Place, Problem, ProtocolError
from protocols.forecast import forecast
from protocols.plan import Plan

_log = logging.getLogger(__name__)


class Address(NamedTuple):
    """Where a simulated instrument of the bench can be reached."""

    address: str
    rehearsal: str | None


class Core:
    """Everything of one core: its bench, its runs, its spool, and what people may ask of it."""

    def __init__(
        self, places: Places, name: str, broker_url: str, bench: BenchFile, simulated: Mapping[str, Address]
    ) -> None:
        self._places = places
        self._name = name
        self._broker_url = broker_url
        self._bench = bench
        self._stations = {
            entry.name: _station(entry.name, bench, simulated) for entry in bench.instruments.values()
        }
        self._runs: dict[str, Run] = {}
        self._started = datetime.now(UTC)

    async def serve(self, ready: Callable[[], None], stopped: asyncio.Event) -> None:
        """Run until `stopped`; every cell is disconnected and every reading on disk when it returns."""
        self._places.state.mkdir(parents=True, exist_ok=True)
        with owned(self._places.lock, f"the state directory {self._places.state}"):
            self._spool = await asyncio.to_thread(Spool.open, self._places.spool)
            self._outbox = Outbox(self._spool, self._name)
            self._publisher = Publisher(self._outbox, self._broker_url)
            try:
                self._close_interrupted_runs()
                async with listening(self._places.socket, self.answer):
                    await self._work(ready, stopped)
            finally:
                await self._outbox.aclose()

    async def _work(self, ready: Callable[[], None], stopped: asyncio.Event) -> None:
        async with asyncio.TaskGroup() as services:
            outbox = services.create_task(self._outbox.run(), name="outbox")
            publisher = services.create_task(self._publisher.run(), name="publisher")
            async with asyncio.TaskGroup() as self._running:
                opening = [self._running.create_task(_open(s), name=s.name) for s in self._stations.values()]
                ready()
                await stopped.wait()
                for task in [*opening, *(run.task for run in self._runs.values() if run.task is not None)]:
                    task.cancel()
            await asyncio.gather(*(_close(station) for station in self._stations.values()))
            publisher.cancel()
            outbox.cancel()

    async def answer(self, request: requests.Request) -> Any:
        """Answer one request of the control socket."""
        match request:
            case requests.Status():
                return self._status()
            case requests.Channels():
                return [station.facts() for station in self._stations.values()]
            case requests.Runs():
                return [run.snapshot() for run in self._runs.values()]
            case requests.Check():
                return await self._check(request)
            case requests.Submit():
                return await self._submit(request)
            case requests.Watch():
                return self._watch(self._run(request.run), request.per_second)
            case requests.Pause():
                return self._in_hand(request.run).pause()
            case requests.Resume():
                return self._in_hand(request.run).resume()
            case requests.Stop():
                return await self._in_hand(request.run).stop(request.reason)

    def _status(self) -> Mapping[str, Any]:
        return {
            "core": self._name,
            "bench": self._bench.name,
            "version": version("galvanod"),
            "pid": os.getpid(),
            "epoch": self._spool.epoch,
            "started": self._started.isoformat(),
            "broker": {"url": self._broker_url, "connected": self._publisher.connected},
            "spool": {
                "backlog": self._outbox.backlog,
                "waiting": self._outbox.waiting,
                "committed": self._outbox.committed,
                "trouble": self._outbox.trouble,
            },
            "channels": len(self._stations),
            "runs": [run.name for run in self._runs.values() if not run.over],
        }

    async def _check(self, request: requests.Check) -> Mapping[str, Any]:
        """Report the plan, with what a programmed instrument would be sent for each step."""
        station = self._station(request.channel)
        plan, cell = await self._planned(request, station)
        found = with_table(plan, cell) | {"channel": station.name}
        channel = await station.channel()
        if isinstance(channel, ProgrammedChannel):
            found["programs"] = {
                step.path: channel.program(step.path, Program(step, plan.limits, station.entry.sample))
                for step in plan.each_step()
                if step.until is None or all(end.relative_to is None for end in step.until.comparisons())
            }
        return found

    async def _submit(self, request: requests.Submit) -> Mapping[str, Any]:
        station = self._station(request.channel)
        async with station.claimed():
            order = await self._planned(request, station)
            name = f"{self._name}-{await self._outbox.number_run()}"
            run = await self._new_run(name, station, order)
            await self._announce(run, station, order, request.protocol)
            station.run = self._runs[name] = run
            run.task = self._running.create_task(run.conduct(), name=name)
        expected = forecast(order.plan, order.cell)
        return {
            "run": name,
            "channel": station.name,
            "warnings": order.plan.warnings,
            "forecast": {"seconds": expected.seconds, "rows": expected.rows},
        }

    async def _planned(self, request: requests.Submit | requests.Check, station: Station) -> Planned:
        """Read and plan what was submitted; refuse what the channel's instrument cannot hold."""
        channel = await station.channel()
        order = await asyncio.to_thread(  # a hostile file costs milliseconds, but not the loop's
            planned,
            request.protocol,
            request.protocol_file,
            request.cell,
            request.cell_file,
            await station.limits(),
            request.variables,
        )
        problems = [
            Problem(Place(request.protocol_file, step.line, 1), f"{step.verb} {step.setting}".strip(), reason)
            for step in order.plan.each_step()
            if (reason := station.driver_class.refusal(step) or channel.refusal(step)) is not None
        ]
        if problems:
            raise ProtocolError(*problems)
        return order

    async def _new_run(self, name: str, station: Station, order: Planned) -> Run:
        emit: Emit = partial(self._outbox.put, station.name)
        logbook, gate = Logbook(name, emit), Gate()
        engine = await _engine(station, order.plan, logbook, gate)

        def checkpoint(position: Mapping[str, Any] | None) -> None:
            self._outbox.checkpoint(name, None if position is None else msgspec.msgpack.encode(position))

        return Run(name, station.name, order.plan, order.cell.name, engine, logbook, gate, emit, checkpoint)

    async def _announce(self, run: Run, station: Station, order: Planned, protocol_source: str) -> None:
        driver = await station.opened()
        self._outbox.put(
            station.name,
            RunStarted(
                run=run.name,
                started=run.started.isoformat(),
                channel=station.name,
                driver=station.entry.driver,
                instrument=driver.identity._asdict() | {"address": station.address},
                protocol=order.plan.name,
                protocol_digest=order.plan.digest,
                protocol_canonical=order.plan.canonical,
                protocol_source=protocol_source,
                cell=order.cell.name,
                cell_facts=order.cell.facts(),
                variables=dict(order.plan.variables),
                limits=asdict(order.plan.limits),
                figures=order.plan.figures,
                versions={"galvanod": version("galvanod"), "python": platform.python_version()},
                simulated=station.entry.simulation is not None,
            ),
        )

    async def _watch(self, run: Run, per_second: float) -> AsyncIterator[Mapping[str, Any]]:
        interval = 1.0 / max(0.1, min(per_second, 50.0))
        while not run.over:
            yield run.snapshot()
            await asyncio.sleep(interval)
        yield run.snapshot()

    def _station(self, channel: str) -> Station:
        try:
            return self._stations[channel]
        except KeyError:
            known = ", ".join(self._stations)
            raise UnknownError(f"there is no channel {channel!r} on this bench; it has {known}") from None

    def _run(self, name: str) -> Run:
        found = self._runs.get(name) or self._runs.get(f"{self._name}-{name}")
        if found is None:
            raise UnknownError(f"this core has no run {name!r} in hand; `galvanod runs` lists all")
        return found

    def _in_hand(self, name: str) -> Run:
        run = self._run(name)
        if run.over:
            raise ServiceError(f"run {run.name} is over: {run.state.value}, {run.reason}")
        return run

    def _close_interrupted_runs(self) -> None:
        """Write the stop record of every run the last core of this state directory left open."""
        for name, state in self._spool.states().items():
            position = msgspec.msgpack.decode(state)
            ended = RunEnded(
                run=name,
                ended=datetime.now(UTC).isoformat(),
                time=position["time"],
                state=RunState.INTERRUPTED.value,
                reason="the core went away without ending the run",
                readings=position["readings"],
                impedance_points=position["impedance_points"],
            )
            self._outbox.put(position["channel"], ended)
            self._outbox.checkpoint(name, None)


async def _engine(station: Station, plan: Plan, logbook: Logbook, gate: Gate) -> Engine:
    channel, sample = await station.channel(), station.entry.sample
    guards = Guards(station.entry.guards, plan.limits, sample)
    if isinstance(channel, SteppedChannel):
        return SteppedEngine(channel, station.clock, plan.limits, sample, logbook, gate, guards)
    return ProgrammedEngine(channel, plan.limits, sample, logbook, gate, guards)


def _station(name: str, bench: BenchFile, simulated: Mapping[str, Address]) -> Station:
    entry = bench.instruments[name]
    if entry.address is not None:
        return Station(entry, entry.address, None)
    if name not in simulated:
        raise ConfigurationError(f"nobody serves the simulated instrument {name}; `galvanod up` does")
    return Station(entry, *simulated[name])


async def _open(station: Station) -> None:
    """Open the instrument before anybody asks for it; what fails is tried again when somebody does."""
    try:
        await station.opened()
    except (InstrumentError, ServiceError) as error:
        _log.warning("channel %s: %s", station.name, error)


async def _close(station: Station) -> None:
    try:
        await station.aclose()
    except InstrumentError as error:
        _log.error("channel %s may not be off: %s", station.name, error)
