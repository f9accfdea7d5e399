"""The core: the one process that touches instruments. It waits for them and the clock, nothing else."""

import asyncio
import contextlib
import logging
import os
import platform
import time
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from dataclasses import asdict
from datetime import UTC, datetime
from importlib.metadata import version
from typing import Any, NamedTuple

from daemon import requests
from daemon.attendance import require_deadman
from daemon.bench_file import BenchFile
from daemon.control import listening
from daemon.engine import Engine
from daemon.errors import (
    ConfigurationError,
    LatchedError,
    ServiceError,
    UnavailableError,
    UnknownError,
)
from daemon.gate import Gate
from daemon.guards import Guards
from daemon.heartbeat import SPOOL_PATIENCE, Heartbeat, beating, feel_pulse
from daemon.journal import Journal
from daemon.journalled import Deeds, Passed, journalled, unobserved
from daemon.latches import Latch
from daemon.locks import owned
from daemon.logbook import Logbook
from daemon.messages import Item, RunEnded, RunStarted
from daemon.notify import Notifier
from daemon.order import Order
from daemon.outbox import Outbox
from daemon.parked import Parked
from daemon.places import Places
from daemon.planning import Planned, planned, with_table
from daemon.position import Position, before_anything, decoded
from daemon.programmed import ProgrammedEngine
from daemon.publisher import Publisher
from daemon.recovery import Recovery, Running
from daemon.run import Admitted, Run, RunState, anybody
from daemon.safe import Instrument, leave, make_stations_safe
from daemon.spool import Spool
from daemon.station import Station
from daemon.stepped import SteppedEngine
from daemon.watchdog import Watchdog, interval_of
from drivers.base import Program, ProgrammedChannel, SteppedChannel
from drivers.errors import InstrumentError
from protocols.errors import Place, Problem, ProtocolError
from protocols.forecast import forecast
from protocols.plan import Plan

_log = logging.getLogger(__name__)

KEEPING_SECONDS = 1.0
"""How often the position of every run is committed where no reading was kept meanwhile."""

RECOVERY_SECONDS = 1.0
"""How long the core waits, before it says that it is ready, for the instruments of open runs."""

STOP_SECONDS = 60.0
"""What stopping may take at most, for the supervisor: every circuit opened, every reading on disk."""


class Address(NamedTuple):
    """Where a simulated instrument of the bench can be reached."""

    address: str
    rehearsal: str | None


class Core:
    """Everything of one core: its bench, its runs, its spool, and what people may ask of it."""

    def __init__(
        self,
        places: Places,
        name: str,
        broker_url: str,
        bench: BenchFile,
        simulated: Mapping[str, Address],
        passed: Passed = unobserved,
    ) -> None:
        self._places = places
        self._name = name
        self._broker_url = broker_url
        self._bench = bench
        self._stations = {
            entry.name: _station(entry.name, bench, simulated) for entry in bench.instruments.values()
        }
        self._passed = passed
        self._runs: dict[str, Run | Parked] = {}
        self._over: list[str] = []  # runs found with their stop record, still to be closed
        self._started = datetime.now(UTC)

    async def serve(self, ready: Callable[[], None], stopped: asyncio.Event) -> None:
        """Run until `stopped`; every cell is disconnected and every reading on disk when it returns."""
        self._places.state.mkdir(parents=True, exist_ok=True)
        with owned(self._places.lock, f"the state directory {self._places.state}"):
            leave(self._places.instruments, (_instrument(station) for station in self._stations.values()))
            self._journal = await Journal.open(self._places.journal)
            try:
                await self._serve(ready, stopped)
            finally:
                await self._journal.aclose()

    async def _serve(self, ready: Callable[[], None], stopped: asyncio.Event) -> None:
        self._spool = await asyncio.to_thread(Spool.open, self._places.spool)
        self._outbox = Outbox(self._spool, self._name)
        self._publisher = Publisher(self._outbox, self._broker_url)
        self._recovery = Recovery(self._journal, self._stations, self._launch, self._conclude, self._passed)
        try:
            found = self._adopt()
            async with listening(self._places.socket, self.answer):
                await self._work(found, ready, stopped)
        finally:
            await self._outbox.aclose()

    async def _work(self, found: list[Parked], ready: Callable[[], None], stopped: asyncio.Event) -> None:
        async with asyncio.TaskGroup() as services:
            spool_heartbeat = Heartbeat("the spool", SPOOL_PATIENCE)
            watchdog = Watchdog(
                notifier := Notifier.of_environment(),
                lambda: [spool_heartbeat, *self._channel_heartbeats()],
                self._status_line,
                interval_of(),
            )
            own = [
                services.create_task(self._outbox.run(), name="outbox"),
                services.create_task(self._publisher.run(), name="publisher"),
                services.create_task(self._keep_positions(), name="positions"),
                services.create_task(feel_pulse(self._outbox, spool_heartbeat), name="pulse"),
                services.create_task(watchdog.run(), name="watchdog"),
            ]
            async with asyncio.TaskGroup() as self._running:
                recovering, opening = self._open_all(found)
                await _first_attempts(recovering)
                ready()
                notifier.ready()
                await stopped.wait()
                notifier.stopping(STOP_SECONDS)
                for task in [*recovering, *opening, *self._tasks()]:
                    task.cancel()
            await asyncio.gather(*(_close(station) for station in self._stations.values()))
            for task in own:
                task.cancel()

    def _open_all(self, found: list[Parked]) -> tuple[list[asyncio.Task[None]], list[asyncio.Task[None]]]:
        """Open every instrument; those of open runs by their recovery, whose tasks are the first list."""
        taken = {parked.channel for parked in found}
        recovering = [
            self._running.create_task(self._recovery.recover(parked), name=f"recovery of {parked.name}")
            for parked in found
        ]
        for name in self._over:
            self._running.create_task(self._conclude(name), name=f"closing of {name}")
        free = [station for name, station in self._stations.items() if name not in taken]
        return recovering, [self._running.create_task(_open(s), name=s.name) for s in free]

    def _tasks(self) -> list[asyncio.Task[None]]:
        runs = [run for run in self._runs.values() if isinstance(run, Run)]
        return [run.task for run in runs if run.task is not None]

    async def _keep_positions(self) -> None:
        """Commit what a run has counted even while it keeps no reading."""
        while True:
            await asyncio.sleep(KEEPING_SECONDS)
            for run in self._runs.values():
                if isinstance(run, Run) and run.state is RunState.RUNNING:
                    self._outbox.checkpoint(run.name, run.position)

    async def answer(self, request: requests.Request, who: str = "somebody") -> Any:
        """Answer one request of the control socket."""
        match request:
            case requests.Status():
                return self._status()
            case requests.Channels():
                return [self._channel_facts(station) for station in self._stations.values()]
            case requests.Runs():
                return [run.snapshot() for run in self._runs.values()]
            case requests.Check():
                return await self._check(request)
            case requests.Submit():
                return await self._submit(request, who)
            case requests.Watch():
                return self._watch(self._run(request.run).name, request.per_second)
            case requests.Clear():
                return await self._clear(request, who)
            case requests.Safe(everything, deadline):
                outcomes = await make_stations_safe(self._stations.values(), everything, deadline)
                return [outcome._asdict() for outcome in outcomes]
            case requests.Pause() | requests.Resume() | requests.Stop():
                return await self._steer(request, who)

    async def _steer(self, request: requests.Pause | requests.Resume | requests.Stop, who: str) -> None:
        """Do what a person wants of a run in hand, and keep who it was."""
        run = self._in_hand(request.run)
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
            now = self._in_hand(parked.name)
            if isinstance(now, Run):  # it went on while we waited
                await now.stop(request.reason)
            else:
                now.end(RunState.STOPPED, request.reason)
                await self._conclude(now.name)

    async def _clear(self, request: requests.Clear, who: str) -> Mapping[str, Any]:
        station = self._station(request.channel)
        latch = self._journal.latches.get(station.name)
        if latch is None:
            raise ServiceError(f"channel {station.name} is not latched")
        if not request.reason.strip():
            raise ServiceError("a latch is cleared for a reason, which is kept; none was given")
        await self._journal.clear(station.name, who, request.reason)
        return {"channel": station.name, "cleared_by": who, **latch.facts()}

    def _channel_facts(self, station: Station) -> Mapping[str, Any]:
        latch = self._journal.latches.get(station.name)
        facts = station.facts()
        return {
            **facts,
            "cell": facts["cell"] or self._journal.cells.get(station.name),
            "latch": latch.facts() if latch is not None else None,
        }

    def _status(self) -> Mapping[str, Any]:
        return {
            "core": self._name,
            "bench": self._bench.name,
            "version": version("galvanod"),
            "pid": os.getpid(),
            "epoch": self._spool.epoch,
            "journal": {"epoch": self._journal.epoch, "trouble": self._journal.trouble},
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

    def _channel_heartbeats(self) -> Iterator[Heartbeat]:
        """Yield what must beat: a channel whose run is neither paused nor over."""
        for station in self._stations.values():
            if station.run is not None and station.run.state is RunState.RUNNING:
                yield station.heartbeat

    def _status_line(self) -> str:
        running = sum(station.busy for station in self._stations.values())
        return f"{running} of {len(self._stations)} channels busy, {self._outbox.waiting} readings in memory"

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

    async def _submit(self, request: requests.Submit, who: str) -> Mapping[str, Any]:
        station = self._station(request.channel)
        entry = station.entry
        require_deadman(entry.name, entry.driver, station.driver_class.deadman, entry.unattended)
        async with station.claimed():
            latch = self._journal.latches.get(station.name)
            if latch is not None:
                raise LatchedError(
                    f"channel {station.name} is latched: {latch.reason}; look at its cell, then "
                    f"`galvanod clear {station.name} --reason …`"
                )
            found = await self._planned(request, station)
            name = f"{self._name}-{await self._outbox.number_run()}"
            order = await self._ordered(name, station, found, request)
            before = self._journal.cells.get(station.name)
            await self._begin(order, found, station)
            self._journal.audit(who, "submit", name, station.name)
        expected = forecast(found.plan, found.cell)
        return {
            "run": name,
            "channel": station.name,
            "warnings": [*_other_cell(before, order), *found.plan.warnings],
            "forecast": {"seconds": expected.seconds, "rows": expected.rows},
        }

    async def _begin(self, order: Order, found: Planned, station: Station) -> None:
        """Start a run once its order, its start record and its first position are on the disk."""
        await self._journal.open_run(order)
        run = await self._new_run(order.run, station, found, order)
        self._outbox.put(station.name, order.started)
        self._outbox.checkpoint(run.name, run.position)
        try:
            await self._outbox.flush()
        except UnavailableError as error:
            never = self._parked(order, before_anything(station.name, time.time()), "")
            never.end(RunState.FAILED, f"it was never started: {error}")
            raise
        self._start(run, order, anybody)

    def _start(self, run: Run, order: Order, admitted: Admitted) -> None:
        self._stations[run.channel].run = self._runs[run.name] = run
        run.task = self._running.create_task(self._conduct(run, order, admitted), name=run.name)

    async def _conduct(self, run: Run, order: Order, admitted: Admitted) -> None:
        """Conduct a run; afterwards it is closed, or parked where it may go on later."""
        try:
            await run.conduct(admitted)
        finally:
            if run.state is RunState.INTERRUPTED and run.verified_open:
                self._park(run, order)
        if run.over:
            await self._conclude(run.name)

    def _park(self, run: Run, order: Order) -> None:
        """Let an interrupted run wait: its circuit is open, and there is no gap to tell."""
        parked = self._parked(order, decoded(run.position()), run.reason)
        parked.told(self._journal.last_action)
        self._stations[run.channel].run = self._runs[run.name] = parked
        self._outbox.checkpoint(run.name, parked.encoded)

    async def _conclude(self, run: str) -> None:
        """Close a run whose stop record was put: first in the spool, then in the journal."""
        try:
            await self._outbox.flush()
            await self._journal.close_run(run)
        except UnavailableError as error:
            _log.warning("run %s is closed at the next start: %s", run, error)
            return
        self._outbox.checkpoint(run, None)

    async def _launch(
        self, parked: Parked, found: Planned, why: str, admitted: Admitted, running: Running | None
    ) -> None:
        """Let a parked run go on."""
        station, since = self._stations[parked.channel], parked.position
        await self._outbox.flush()  # a disk that takes nothing is found before anything is noted
        run = await self._new_run(parked.name, station, found, parked.order, running)
        elapsed = parked.seconds * station.speed
        run.restore(since, since.time + elapsed if running is None else since.time)
        kind = "resumed" if running is None else "reattached"
        run.logbook.note(since.time + elapsed, kind, why, {"from": since.time, "seconds": elapsed})
        self._outbox.checkpoint(run.name, run.position)
        await self._outbox.flush()  # what is done from now on must find this position
        self._start(run, parked.order, admitted)

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

    async def _new_run(
        self, name: str, station: Station, found: Planned, order: Order, running: Running | None = None
    ) -> Run:
        def emit(item: Item) -> None:
            self._outbox.put(station.name, item)
            self._outbox.checkpoint(name, run.position)

        async def latch(reason: str) -> None:
            readings = [tuple(reading) for reading in logbook.recent]
            await self._journal.latch(Latch(station.name, time.time(), name, reason, readings))

        logbook, gate = Logbook(name, emit), Gate()
        deeds = Deeds(self._journal, station.name, name, lambda: logbook.steps, self._passed)
        engine = await _engine(station, found.plan, logbook, gate, deeds)
        if running is not None and isinstance(engine, ProgrammedEngine):
            engine.attach(*running)
        started = datetime.fromisoformat(order.started.started)
        run = Run(
            name,
            station.name,
            found.plan,
            found.cell.name,
            engine,
            logbook,
            gate,
            emit,
            lambda position: self._outbox.checkpoint(name, position),
            latch,
            started,
        )
        return run

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
            started=await self._start_record(name, station, found, request.protocol),
        )

    async def _start_record(
        self, name: str, station: Station, found: Planned, protocol_source: str
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
            protocol_source=protocol_source,
            cell=found.cell.name,
            cell_facts=found.cell.facts(),
            variables=dict(found.plan.variables),
            limits=asdict(found.plan.limits),
            figures=found.plan.figures,
            versions={"galvanod": version("galvanod"), "python": platform.python_version()},
            simulated=station.entry.simulation is not None,
        )

    def _parked(self, order: Order, position: Position, reason: str) -> Parked:
        def emit(item: Item) -> None:
            self._outbox.put(order.channel, item)
            self._outbox.checkpoint(order.run, parked.encoded)

        parked = Parked(order, position, emit, reason)
        return parked

    async def _watch(self, name: str, per_second: float) -> AsyncIterator[Mapping[str, Any]]:
        interval = 1.0 / max(0.1, min(per_second, 50.0))
        while not self._runs[name].over:
            yield self._runs[name].snapshot()
            await asyncio.sleep(interval)
        yield self._runs[name].snapshot()

    def _station(self, channel: str) -> Station:
        try:
            return self._stations[channel]
        except KeyError:
            known = ", ".join(self._stations)
            raise UnknownError(f"there is no channel {channel!r} on this bench; it has {known}") from None

    def _run(self, name: str) -> Run | Parked:
        found = self._runs.get(name) or self._runs.get(f"{self._name}-{name}")
        if found is None:
            raise UnknownError(f"this core has no run {name!r} in hand; `galvanod runs` lists all")
        return found

    def _in_hand(self, name: str) -> Run | Parked:
        run = self._run(name)
        if run.over:
            raise ServiceError(f"run {run.name} is over: {run.state.value}, {run.reason}")
        return run

    def _adopt(self) -> list[Parked]:
        """Take every open run of the last core in hand; return those that have to be recovered."""
        states, found = self._spool.states(), []
        for order in self._journal.orders:
            state = states.pop(order.run, None)
            parked = self._found(order, state)
            if parked.over:
                self._over.append(order.run)
            else:
                self._runs[order.run] = parked
                if order.channel in self._stations:
                    self._stations[order.channel].run = parked
                    self._stations[order.channel].reserve()
                    found.append(parked)
                else:
                    parked.reason = f"channel {order.channel} is no longer on this bench"
        for name, state in states.items():
            self._close_unknown(name, decoded(state))
        return found

    def _close_unknown(self, name: str, position: Position) -> None:
        """Write the stop record of a run whose order was lost with the journal."""
        if not position.ended:
            ended = RunEnded(
                run=name,
                ended=datetime.now(UTC).isoformat(),
                time=position.time,
                state=RunState.INTERRUPTED.value,
                reason="what it was asked to do was lost with the journal",
                readings=position.readings,
                impedance_points=position.impedance_points,
            )
            self._outbox.put(position.channel, ended)
        self._outbox.checkpoint(name, None)

    def _found(self, order: Order, state: bytes | None) -> Parked:
        if state is not None:
            return self._parked(order, decoded(state), "its instrument is being asked")
        parked = self._parked(order, before_anything(order.channel, time.time()), "")
        self._outbox.put(order.channel, order.started)
        parked.end(RunState.FAILED, "its position was lost with the spool, or it never began")
        return parked


def _other_cell(before: str | None, order: Order) -> list[str]:
    """Say so if the channel was last told to hold another cell."""
    if before is None or before == order.cell:
        return []
    return [f"channel {order.channel} held {before} until now; from now on it holds {order.cell}"]


async def _first_attempts(recovering: list[asyncio.Task[None]]) -> None:
    """Wait a moment for the recoveries; an instrument that does not answer must not keep the core."""
    if recovering:
        await asyncio.wait(recovering, timeout=RECOVERY_SECONDS)


async def _engine(station: Station, plan: Plan, logbook: Logbook, gate: Gate, deeds: Deeds) -> Engine:
    channel = beating(journalled(await station.channel(), deeds), station.heartbeat)
    if isinstance(channel, SteppedChannel):
        guards = Guards(station.entry.guards, plan.limits, station.sample)
        return SteppedEngine(channel, station.clock, plan.limits, station.sample, logbook, gate, guards)
    sample = station.entry.sample
    guards = Guards(station.entry.guards, plan.limits, sample)
    return ProgrammedEngine(channel, plan.limits, sample, logbook, gate, guards)


def _station(name: str, bench: BenchFile, simulated: Mapping[str, Address]) -> Station:
    entry = bench.instruments[name]
    if entry.address is not None:
        return Station(entry, entry.address, None)
    if name not in simulated:
        raise ConfigurationError(f"nobody serves the simulated instrument {name}; `galvanod up` does")
    return Station(entry, *simulated[name])


def _instrument(station: Station) -> Instrument:
    return Instrument(station.name, station.entry.driver, station.address)


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
