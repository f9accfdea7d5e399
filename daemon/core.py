"""The core: the one process that touches instruments. It waits for them and the clock, nothing else."""

import asyncio
import logging
from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple

from daemon import requests
from daemon.answers import Answers
from daemon.channels.bench_file import BenchFile, InstrumentEntry
from daemon.channels.chamber import BenchChamber
from daemon.channels.chamber_file import ChamberEntry
from daemon.channels.instrument import Instrument
from daemon.channels.journalled import Passed, unobserved
from daemon.channels.safe import Circuit, leave
from daemon.channels.station import Station
from daemon.control import listening
from daemon.delivery.keeping import HOURS, keep_bytes
from daemon.delivery.outbox import Outbox
from daemon.delivery.publisher import Publisher
from daemon.delivery.spool import Spool
from daemon.engines.scan_positions import brought_forward
from daemon.errors import ConfigurationError, ServiceError
from daemon.host.disk import space
from daemon.host.heartbeat import SPOOL_PATIENCE, Heartbeat, feel_pulse
from daemon.host.lifetime import stay_prompt
from daemon.host.locks import owned
from daemon.host.machine import Host
from daemon.host.notify import Notifier
from daemon.host.watchdog import Watchdog, interval_of
from daemon.places import Places
from daemon.running.journal import Journal
from daemon.running.parked import Parked
from daemon.running.recovery import Recovery
from daemon.running.run import Run, RunState
from daemon.running.runs import Runs
from drivers.errors import InstrumentError

_log = logging.getLogger(__name__)

KEEPING_SECONDS = 1.0
"""How often the position of every run is committed where no reading was kept meanwhile."""

RECOVERY_SECONDS = 1.0
"""How long the core waits, before it says that it is ready, for the instruments of open runs."""

STOP_SECONDS = 60.0
"""What stopping may take at most, for the supervisor: every circuit opened, every reading on disk."""


class Address(NamedTuple):
    """Where a simulated channel of the bench can be reached, and where its time is held."""

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
        any_clock: bool = False,
        keep_hours: float = HOURS,
    ) -> None:
        """With `any_clock` runs begin whatever the wall clock says; `keep_hours` is for `keep_bytes`."""
        self._any_clock = any_clock
        self._keep_hours = keep_hours
        self._places = places
        self._name = name
        self._broker_url = broker_url
        self._bench = bench
        self._instruments = [_instrument(entry, simulated) for entry in bench.instruments.values()]
        self._stations = dict(_stations(bench, self._instruments, simulated))
        self._chambers = [_chamber(entry, simulated) for entry in bench.chambers.values()]
        self._passed = passed

    async def serve(self, ready: Callable[[], None], stopped: asyncio.Event) -> None:
        """Run until `stopped`; every cell is disconnected and every reading on disk when it returns."""
        self._places.state.mkdir(parents=True, exist_ok=True)
        with owned(self._places.lock, f"the state directory {self._places.state}"):
            leave(self._places.instruments, (_circuit(station) for station in self._stations.values()))
            self._journal = await Journal.open(self._places.journal)
            try:
                await self._serve(ready, stopped)
            finally:
                await self._journal.aclose()

    async def _serve(self, ready: Callable[[], None], stopped: asyncio.Event) -> None:
        keep = keep_bytes(self._bench.channels(), space(self._places.state).total, self._keep_hours)
        spool = await asyncio.to_thread(Spool.open, self._places.spool, keep_bytes=keep)
        self._outbox = Outbox(spool, self._name)
        self._publisher = Publisher(self._outbox, self._broker_url)
        around = {name: chamber for chamber in self._chambers for name in chamber.entry.channels}
        self._runs = Runs(self._name, self._stations, self._journal, self._outbox, self._passed, around)
        self._recovery = Recovery(
            self._journal, self._stations, self._runs.launch, self._runs.conclude, self._passed
        )
        real = any(channel.simulation is None for channel in self._bench.channels())
        self._host = Host(self._places.state, self._runs, self._any_clock, awake=real)
        self._answers = Answers(
            self._name,
            self._bench.name,
            self._stations,
            self._runs,
            self._recovery,
            self._journal,
            spool,
            self._outbox,
            self._publisher,
            around,
            self._host,
        )
        try:
            found = self._runs.adopt(brought_forward(spool.states(), spool.scan_states()))
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
                *(services.create_task(c.watch(), name=f"chamber {c.entry.name}") for c in self._chambers),
                services.create_task(self._host.watch(), name="host"),
            ]
            async with asyncio.TaskGroup() as running:
                self._runs.conducted_in(running)
                studies = self._answers.studies
                recovering, opening = self._open_all(found, running)
                await _first_attempts(recovering)
                studies.conducted_in(running)
                stay_prompt()
                ready()
                notifier.ready()
                await stopped.wait()
                notifier.stopping(STOP_SECONDS)
                for task in [*studies.tasks(), *recovering, *opening, *self._runs.tasks()]:
                    task.cancel()
            await self._runs.aclose()
            await asyncio.gather(*(_close(station) for station in self._stations.values()))
            await asyncio.gather(*(instrument.aclose() for instrument in self._instruments))
            for task in own:
                task.cancel()
        await asyncio.gather(*(chamber.aclose() for chamber in self._chambers))

    def _open_all(
        self, found: list[Parked], running: asyncio.TaskGroup
    ) -> tuple[list[asyncio.Task[None]], list[asyncio.Task[None]]]:
        """Open every channel; those of open runs by their recovery, whose tasks are the first list."""
        taken = {parked.channel for parked in found}
        recovering = [
            running.create_task(self._recovery.recover(parked), name=f"recovery of {parked.name}")
            for parked in found
        ]
        for name in self._runs.over:
            running.create_task(self._runs.conclude(name), name=f"closing of {name}")
        free = [station for name, station in self._stations.items() if name not in taken]
        return recovering, [running.create_task(_open(s), name=s.name) for s in free]

    async def answer(self, request: requests.Request, who: str = "somebody") -> Any:
        """Answer one request of the control socket."""
        return await self._answers.answer(request, who)

    async def _keep_positions(self) -> None:
        """Commit what a run has counted even while it keeps no reading."""
        while True:
            await asyncio.sleep(KEEPING_SECONDS)
            for run in self._runs:
                if isinstance(run, Run) and run.state is RunState.RUNNING and not run.scanned:
                    self._outbox.checkpoint(run.name, run.position)

    def _channel_heartbeats(self) -> Iterator[Heartbeat]:
        """Yield what must beat: a channel whose run is neither paused nor over."""
        for station in self._stations.values():
            if station.run is not None and station.run.state is RunState.RUNNING:
                yield station.heartbeat

    def _status_line(self) -> str:
        running = sum(station.busy for station in self._stations.values())
        return f"{running} of {len(self._stations)} channels busy, {self._outbox.waiting} readings in memory"


async def _first_attempts(recovering: list[asyncio.Task[None]]) -> None:
    """Wait a moment for the recoveries; an instrument that does not answer must not keep the core."""
    if recovering:
        await asyncio.wait(recovering, timeout=RECOVERY_SECONDS)


def _instrument(entry: InstrumentEntry, simulated: Mapping[str, Address]) -> Instrument:
    if entry.address is not None:
        return Instrument(entry, entry.address)
    for channel in entry.channels:
        if channel.name not in simulated:
            raise ConfigurationError(
                f"nobody serves the simulated instrument {channel.name}; `galvanod up` does"
            )
    return Instrument(entry, simulated[entry.channels[0].name].address)


def _chamber(entry: ChamberEntry, simulated: Mapping[str, Address]) -> BenchChamber:
    if entry.address is not None:
        return BenchChamber(entry, entry.address)
    if entry.name not in simulated:
        raise ConfigurationError(f"nobody serves the simulated chamber {entry.name}; `galvanod up` does")
    return BenchChamber(entry, *simulated[entry.name])


def _stations(
    bench: BenchFile, instruments: list[Instrument], simulated: Mapping[str, Address]
) -> Iterator[tuple[str, Station]]:
    for entry, instrument in zip(bench.instruments.values(), instruments, strict=True):
        for channel in entry.channels:
            where = simulated.get(channel.name) if entry.address is None else None
            yield channel.name, Station(channel, instrument, where.rehearsal if where else None)


def _circuit(station: Station) -> Circuit:
    entry = station.entry
    return Circuit(
        station.name,
        entry.driver,
        station.address,
        entry.place,
        entry.position,
        station.instrument.settings,
    )


async def _open(station: Station) -> None:
    """Open the channel before anybody asks for it; what fails is tried again when somebody does."""
    try:
        await station.opened()
    except (InstrumentError, ServiceError) as error:
        _log.warning("channel %s: %s", station.name, error)


async def _close(station: Station) -> None:
    try:
        await station.aclose()
    except InstrumentError as error:
        _log.error("channel %s may not be off: %s", station.name, error)
