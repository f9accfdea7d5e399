"""The runs of one core: begun, conducted, parked, found again after a restart, closed."""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Iterator, Mapping
from datetime import UTC, datetime

from daemon.channels.chamber import BenchChamber
from daemon.channels.journalled import Deeds, Passed, journalled
from daemon.channels.latches import Latch
from daemon.channels.station import Station
from daemon.channels.surroundings import InChamber
from daemon.delivery.messages import Item, RunEnded
from daemon.delivery.outbox import Outbox
from daemon.engines.engine import Engine
from daemon.engines.gate import Gate
from daemon.engines.programmed import ProgrammedEngine
from daemon.engines.scan_table import ScanTable
from daemon.engines.sitting import Place
from daemon.engines.stepped import SteppedEngine
from daemon.engines.whole import WholeEngine
from daemon.errors import ServiceError, UnavailableError, UnknownError
from daemon.guards import Guards
from daemon.host.heartbeat import beating
from daemon.running.journal import Journal
from daemon.running.journal_file import Ending
from daemon.running.logbook import Logbook
from daemon.running.order import Order
from daemon.running.parked import Parked
from daemon.running.planning import Planned
from daemon.running.position import Position, ProgramPosition, before_anything, decoded
from daemon.running.recovery import Found, Running
from daemon.running.run import Admitted, Run, RunState, anybody
from drivers.base import SteppedChannel
from drivers.clock import WallClock
from drivers.scan import Scanner
from drivers.whole import WholeChannel
from protocols.forecast import forecast
from protocols.plan import Plan

_log = logging.getLogger(__name__)


CLOSING_SECONDS = 1.0
"""How long is waited before a run is closed whose end the disk did not take."""

REMEMBERED = 16
"""Runs that are over and still told of at once, besides the last of every channel: of older ones the
journal knows how they ended, and the database everything."""

Ended = Callable[[str, RunState, str], Awaitable[None]]
"""Told the channel, how the run ended, and its name."""


async def _nobody_waits(channel: str, state: RunState, run: str) -> None:
    """What a run's end leads to where nothing waits."""


class Runs:
    """Every run in hand, by name, and the latest of those that are over."""

    def __init__(
        self,
        core: str,
        stations: Mapping[str, Station],
        journal: Journal,
        outbox: Outbox,
        passed: Passed,
        chambers: Mapping[str, BenchChamber],
    ) -> None:
        """`chambers` are those around the channels, by the channel's name."""
        self._core = core
        self._chambers = chambers
        self._stations = stations
        self._journal = journal
        self._outbox = outbox
        self._passed = passed
        self._in_hand: dict[str, Run | Parked] = {}
        self._tasks = asyncio.TaskGroup()
        self._tables: dict[str, ScanTable] = {}
        self.over: dict[str, Ending] = {}
        """Runs that are not in hand, their stop record put, still to be closed."""
        self.unconcluded: dict[str, str] = {}
        """Runs that are over, and why the disk did not take that; it is tried again until it does."""
        self._closing: dict[str, asyncio.Task[None]] = {}
        self._endings: dict[str, Ending] = {}
        self.ended: Ended = _nobody_waits
        """Hears of every run that has ended, once it is closed."""

    def conducted_in(self, tasks: asyncio.TaskGroup) -> None:
        """Conduct runs as tasks of this group from now on."""
        self._tasks = tasks

    def __iter__(self) -> Iterator[Run | Parked]:
        return iter(list(self._in_hand.values()))

    def tasks(self) -> list[asyncio.Task[None]]:
        """Return the tasks of the runs that are conducted, and of those that are still to be closed."""
        conducted = [run.task for run in self if isinstance(run, Run) and run.task is not None]
        return [*conducted, *self._closing.values()]

    def named(self, name: str) -> Run | Parked:
        """Return a run by its name, or its number alone. Raises `UnknownError`."""
        found = self._in_hand.get(name) or self._in_hand.get(f"{self._core}-{name}")
        if found is None:
            raise UnknownError(f"this core has no run {name!r} in hand; `galvanod runs` lists all")
        return found

    def in_hand(self, name: str) -> Run | Parked:
        """Return a run that is not over. Raises `ServiceError` with how it ended."""
        run = self.named(name)
        if run.over:
            raise ServiceError(f"run {run.name} is over: {run.state.value}, {run.reason}")
        return run

    async def aclose(self) -> None:
        """End what looks at the channels of runs that are over."""
        await asyncio.gather(*(table.aclose() for table in self._tables.values()))

    async def begin(self, order: Order, found: Planned, station: Station) -> None:
        """Start a run once its order, its start record and its first position are on the disk."""
        run = await self._new_run(order.run, station, found, order)  # what can fail leaves no open run
        await self._journal.open_run(order)
        self._outbox.put(station.instrument.name, order.started)
        self._outbox.checkpoint(run.name, run.position)
        try:
            await self._outbox.flush()
        except UnavailableError as error:
            never = self._parked(order, before_anything(station.name, time.time()), "")
            never.end(RunState.FAILED, f"it was never started: {error}")
            self.over[order.run] = _ending(never)
            self._journal.begun_by_nobody(order.run)
            await self.conclude(order.run)
            raise
        self._start(run, order, anybody)

    async def launch(
        self, parked: Parked, found: Planned, why: str, admitted: Admitted, running: Found | None
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

    async def conclude(self, run: str) -> None:
        """Close a run whose stop record was put, now or as soon as the disk takes it; then it has ended."""
        if not await self._closed(run):
            again = self._tasks.create_task(self._closed_later(run), name=f"closing of {run}")
            self._closing[run] = again
            again.add_done_callback(lambda _: self._closing.pop(run))

    def unclosed(self, run: str) -> str | None:
        """Say that a run is over which the disk did not take yet; None where nothing is wrong with it."""
        why = self.unconcluded.get(run)
        return None if why is None else f"run {run} is over, which is not on the disk; tried again: {why}"

    async def _closed_later(self, run: str) -> None:
        while True:
            await asyncio.sleep(CLOSING_SECONDS)
            if await self._closed(run):
                return

    async def _closed(self, run: str) -> bool:
        """Close a run first in the spool, then in the journal; False where the disk did not take it."""
        found = self._in_hand.get(run)
        ending = self.over[run] if found is None else _ending(found)
        try:
            await self._outbox.flush()
            await self._journal.close_run(run, ending)
        except UnavailableError as error:
            if run not in self.unconcluded:
                _log.error("run %s is over, which is not on the disk; it is tried again: %s", run, error)
            self.unconcluded[run] = str(error)
            return False
        self.unconcluded.pop(run, None)
        self._endings[run] = ending
        self._outbox.checkpoint(run, None)
        if found is not None:
            await self.ended(found.channel, found.state, run)
        self._forget()
        return True

    def _forget(self) -> None:
        """Let go of runs that are long over: a core that lives for months conducts thousands."""
        shown = {station.run.name for station in self._stations.values() if station.run is not None}
        closed = [name for name in self._in_hand if name in self._endings and name not in shown]
        for name in closed[:-REMEMBERED]:
            del self._in_hand[name], self._endings[name]

    async def ending(self, run: str) -> Ending | None:
        """Return how a run ended, once that is on the disk; None while it has not."""
        if run in self._endings or run in self.over:
            return self._endings.get(run) or self.over[run]
        if run in self._in_hand:
            return None
        return await self._journal.ending(run) or Ending(RunState.FAILED, "nobody knows how it ended", 0)

    def adopt(self, states: dict[str, bytes]) -> list[Parked]:
        """Take every open run of the last core in hand; return those that have to be recovered."""
        found: list[Parked] = []
        for order in self._journal.orders:
            state = states.pop(order.run, None)
            parked = self._found(order, state)
            if parked.over:
                self.over[order.run] = _ending(parked)
            else:
                self._in_hand[order.run] = parked
                if order.channel in self._stations:
                    self._stations[order.channel].run = parked
                    self._stations[order.channel].reserve()
                    found.append(parked)
                else:
                    parked.reason = f"channel {order.channel} is no longer on this bench"
        for name, state in states.items():
            self._close_unknown(name, decoded(state))
        return found

    def _start(self, run: Run, order: Order, admitted: Admitted) -> None:
        self._stations[run.channel].run = self._in_hand[run.name] = run
        run.task = self._tasks.create_task(self._conduct(run, order, admitted), name=run.name)

    async def _conduct(self, run: Run, order: Order, admitted: Admitted) -> None:
        """Conduct a run; afterwards it is closed, or parked where it may go on later."""
        try:
            await run.conduct(admitted)
        finally:
            if run.state is RunState.INTERRUPTED and run.verified_open:
                self._park(run, order)
        if run.over:
            await self.conclude(run.name)

    def _park(self, run: Run, order: Order) -> None:
        """Let an interrupted run wait: its circuit is open, and there is no gap to tell."""
        parked = self._parked(order, decoded(run.position()), run.reason)
        parked.told(self._journal.last_action)
        self._stations[run.channel].run = self._in_hand[run.name] = parked
        self._outbox.checkpoint(run.name, parked.encoded)

    async def _new_run(
        self, name: str, station: Station, found: Planned, order: Order, running: Found | None = None
    ) -> Run:
        def emit(item: Item) -> None:
            self._outbox.put(station.instrument.name, item)
            self._outbox.checkpoint(name, run.position)

        async def latch(reason: str) -> None:
            readings = [tuple(reading) for reading in logbook.recent]
            await self._journal.latch(Latch(station.name, time.time(), name, reason, readings))

        logbook, gate = Logbook(name, emit), Gate()
        deeds = Deeds(self._journal, station.name, name, lambda: logbook.steps, self._passed)
        chamber = self._chambers.get(station.name)
        place = None if chamber is not None else await self._place(station)  # a scan has no thermometer
        engine = await _engine(station, found.plan, logbook, gate, deeds, chamber, place)
        if chamber is not None:
            engine.surroundings = InChamber(
                chamber, name, lambda kind, text: logbook.note(engine.time, kind, text)
            )
        match engine, running:
            case ProgrammedEngine(), Running():
                engine.attach(*running)
            case WholeEngine(), ProgramPosition():
                engine.attach(running)
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
            order.started.labels,
            forecast(found.plan, found.cell).seconds,
        )
        return run

    async def _place(self, station: Station) -> Place | None:
        """Return where the channel may sit among others: of an instrument that scans, in everybody's time."""
        driver = await station.opened()
        if not isinstance(driver, Scanner) or not isinstance(station.clock, WallClock):
            return None
        instrument = station.instrument.name
        if instrument not in self._tables:
            self._tables[instrument] = ScanTable(instrument, driver, list(driver.channels), self._outbox)
        place = station.entry.place or list(driver.channels)[station.entry.position]
        return Place(self._tables[instrument].at, place, station.heartbeat)

    def _parked(self, order: Order, position: Position, reason: str) -> Parked:
        def emit(item: Item) -> None:
            self._outbox.put(self._topic(order.channel), item)
            self._outbox.checkpoint(order.run, parked.encoded)

        parked = Parked(order, position, emit, reason)
        return parked

    def _topic(self, channel: str) -> str:
        """Return whose news it is: the instrument's, or the channel's own where that is gone."""
        station = self._stations.get(channel)
        return station.instrument.name if station is not None else channel

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
            self._outbox.put(self._topic(position.channel), ended)
        self._outbox.checkpoint(name, None)

    def _found(self, order: Order, state: bytes | None) -> Parked:
        if state is not None:
            return self._parked(order, decoded(state), "its instrument is being asked")
        parked = self._parked(order, before_anything(order.channel, time.time()), "")
        self._outbox.put(self._topic(order.channel), order.started)
        parked.end(RunState.FAILED, "its position was lost with the spool, or it never began")
        return parked


def _ending(run: Run | Parked) -> Ending:
    """Return how a run that is over ended; one found at the start says it by its last position."""
    if isinstance(run, Parked):
        where = run.position
        return Ending(
            where.state or run.state.value,
            where.reason or run.reason,
            where.readings + where.impedance_points,
        )
    kept = run.logbook.readings + run.logbook.impedance_points
    return Ending(run.state.value, run.reason, kept)


async def _engine(
    station: Station,
    plan: Plan,
    logbook: Logbook,
    gate: Gate,
    deeds: Deeds,
    chamber: BenchChamber | None,
    place: Place | None,
) -> Engine:
    interlocks = [] if chamber is None else [chamber.interlock]
    channel = beating(journalled(await station.channel(), deeds), station.heartbeat)
    if isinstance(channel, SteppedChannel):
        guards = Guards(station.entry.guards, plan.limits, station.sample, interlocks)
        return SteppedEngine(
            channel, station.clock, plan.limits, station.sample, logbook, gate, guards, place
        )
    sample = station.entry.sample
    guards = Guards(station.entry.guards, plan.limits, sample, interlocks)
    if isinstance(channel, WholeChannel) and not channel.unheld(plan):
        return WholeEngine(channel, plan.limits, sample, station.clock, logbook, gate, guards)
    return ProgrammedEngine(channel, plan.limits, sample, logbook, gate, guards)
