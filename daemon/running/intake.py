"""What lets a run begin: a submission is planned, begun or queued, or refused with what speaks against it."""

import asyncio
import platform
from collections.abc import Callable, Mapping
from dataclasses import asdict
from datetime import UTC, datetime
from functools import cache
from importlib.metadata import version
from typing import Any

from daemon import requests
from daemon.channels.attendance import require_deadman
from daemon.channels.chamber import BenchChamber
from daemon.channels.station import Station, named
from daemon.delivery.messages import RunStarted
from daemon.delivery.outbox import Outbox
from daemon.errors import BusyError, LatchedError
from daemon.host.machine import Host
from daemon.running.journal import Journal
from daemon.running.order import Order
from daemon.running.planning import Planned, planned, with_table
from daemon.running.programs import programs, step_by_step
from daemon.running.queues import Queues
from daemon.running.runs import Runs
from daemon.running.submissions import Submissions
from drivers.base import Channel, ProgrammedChannel
from drivers.whole import WholeChannel
from protocols.errors import Place, Problem, ProtocolError
from protocols.forecast import forecast
from protocols.plan import PlannedStep
from protocols.techniques import ChamberTemperature

Kept = Callable[[str, str], str | None]
"""Says for whom a channel is kept from the submission with a key; None where it is for everybody."""


def _for_everybody(channel: str, key: str) -> str | None:
    """The `Kept` of a bench without studies."""
    return None


class Intake:
    """The way by which every run of one core begins; `chambers` are those around the channels."""

    def __init__(
        self,
        core: str,
        stations: Mapping[str, Station],
        runs: Runs,
        journal: Journal,
        outbox: Outbox,
        chambers: Mapping[str, BenchChamber],
        host: Host,
    ) -> None:
        self._core = core
        self._stations = stations
        self._runs = runs
        self._journal = journal
        self._outbox = outbox
        self._chambers = chambers
        self._host = host
        self._submissions = Submissions(journal)
        self.queues = Queues(journal, self.submit)
        self.kept_from: Kept = _for_everybody
        self._planning = asyncio.Lock()  # one at a time: each thread that computes keeps the loop waiting

    async def check(self, request: requests.Check) -> Mapping[str, Any]:
        """Report the plan, with what a programmed instrument would be sent for each step."""
        station = named(self._stations, request.channel)
        plan, cell = await self.planned(request, station)
        found = await asyncio.to_thread(with_table, plan, cell) | {"channel": station.name}
        channel = await station.channel()
        found["warnings"] = [*found["warnings"], *step_by_step(channel, plan)]
        if isinstance(channel, ProgrammedChannel):
            found["programs"] = programs(channel, plan, station.entry.sample)
        return found

    async def submit(self, request: requests.Submit, who: str) -> Mapping[str, Any]:
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
        station = named(self._stations, request.channel)
        kept = self.kept_from(station.name, request.key)
        return station.busy or self.queues.length(station.name) > 0 or kept is not None

    async def _queued(self, request: requests.Submit, who: str) -> Mapping[str, Any]:
        """Let a submission wait that could begin now but for the channel being busy."""
        found = await self.planned(request, named(self._stations, request.channel))
        expected = forecast(found.plan, found.cell)
        return {
            "run": None,
            "queued": await self.queues.add(request, who, found.plan.name, found.cell.name),
            "channel": request.channel,
            "warnings": list(found.plan.warnings),
            "forecast": {"seconds": expected.seconds, "rows": expected.rows},
        }

    async def _begun(self, request: requests.Submit, who: str) -> Mapping[str, Any]:
        station = named(self._stations, request.channel)
        entry = station.entry
        self._host.require()
        require_deadman(entry.name, entry.driver, station.driver_class.deadman, entry.unattended)
        async with station.claimed():
            kept = self.kept_from(station.name, request.key)
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
            found = await self.planned(request, station)
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

    async def planned(self, request: requests.Submit | requests.Check, station: Station) -> Planned:
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
            Problem(
                Place(request.protocol_file, step.line, step.column),
                f"{step.verb} {step.setting}".strip(),
                reason,
            )
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
                "galvanod": our_version(),
                "python": platform.python_version(),
                "clock": self._host.label(),
            },
            simulated=station.entry.simulation is not None,
            labels=request.labels,
            accuracy=driver.accuracy.plain() if driver.accuracy is not None else {},
        )


def _other_cell(before: str | None, order: Order) -> list[str]:
    """Say so if the channel was last told to hold another cell."""
    if before is None or before == order.cell:
        return []
    return [f"channel {order.channel} held {before} until now; from now on it holds {order.cell}"]


@cache
def our_version() -> str:
    """Return ours; it is looked up in a file, and every run says it."""
    return version("galvanod")
