"""Brings back the runs an earlier core left open: found running, or found open, and then by policy."""

import asyncio
import logging
import math
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import partial
from typing import Any, NamedTuple

import msgspec

from daemon.channels.instrument import Pending
from daemon.channels.journalled import Deeds, Passed, journalled
from daemon.channels.station import Station
from daemon.engines.programmed import Attached
from daemon.errors import BusyError, LatchedError, ServiceError
from daemon.running.interruption import RESUMPTION_SECONDS, Gap, largest_current, objection, unlike
from daemon.running.journal import Journal
from daemon.running.journal_file import Action
from daemon.running.order import Order, ResumePolicy
from daemon.running.parked import Parked
from daemon.running.planning import Planned, planned
from daemon.running.position import Behind, ProgramPosition
from daemon.running.run import Admitted, RunState, anybody
from drivers.base import Identity, Program
from drivers.errors import InstrumentError
from drivers.whole import Taken, WholeChannel, WholeProgram
from protocols.errors import ProtocolError
from protocols.limits import Limits
from protocols.plan import Plan, PlannedStep
from protocols.walk import Walk

_log = logging.getLogger(__name__)

RETRY_SECONDS = (1.0, 2.0, 5.0, 10.0, 30.0)
"""Waits between attempts to reach an instrument whose output nobody has verified; the last goes on."""

COMMIT_SECONDS = 2.0
"""By how much a run may have been ahead of its position on the disk: kept every second, then a tick."""


class Running(NamedTuple):
    """A program of one step found running: `began` is the moment of its start in seconds of the run."""

    attached: Attached
    began: float


Found = Running | ProgramPosition
"""A program found running: one of one step, or a whole protocol."""


Launch = Callable[[Parked, Planned, str, Admitted, Found | None], Awaitable[None]]
"""Starts the run anew from where it stood: as planned again, for a reason, if the cell is admitted."""

Conclude = Callable[[str], Awaitable[None]]
"""Closes a run that has its stop record."""


class Recovery:
    """`launch` and `conclude` are the core's."""

    def __init__(
        self,
        journal: Journal,
        stations: Mapping[str, Station],
        launch: Launch,
        conclude: Conclude,
        passed: Passed,
    ) -> None:
        self._journal = journal
        self._stations = stations
        self._launch = launch
        self._conclude = conclude
        self._passed = passed

    async def recover(self, parked: Parked) -> None:
        """See to it that the run goes on, or waits with its circuit verified open; tries until it can."""
        station = self._stations[parked.channel]
        for attempt in range(1 << 30):
            try:
                async with station.alone():
                    if station.run is parked and not parked.over:
                        await self._recovered(parked, station)
                return
            except (InstrumentError, ServiceError) as error:
                parked.reason = f"the circuit is not verified open: {error}"
                _log.error("run %s: %s", parked.name, parked.reason)
            await asyncio.sleep(RETRY_SECONDS[min(attempt, len(RETRY_SECONDS) - 1)])

    async def resume(self, parked: Parked, who: str) -> None:
        """Let a parked run go on because a person says so; raises what speaks against it."""
        station = self._stations[parked.channel]
        async with station.alone():
            if station.run is not parked or parked.over:
                raise BusyError(f"run {parked.name} is no longer waiting")
            latch = self._journal.latches.get(parked.channel)
            if latch is not None:
                raise LatchedError(f"channel {parked.channel} is latched: {latch.reason}; clear it first")
            held = self._journal.cells.get(parked.channel)
            if held != parked.cell:
                raise BusyError(f"channel {parked.channel} holds {held}, the run is for {parked.cell}")
            order = await self._planned(parked.order, station)
            await self._opened_circuit(parked, station, order)
            self._journal.audit(who, "resume", parked.name, "")
            await self._launch(parked, order, f"resumed by {who}", anybody, None)

    async def _recovered(self, parked: Parked, station: Station) -> None:
        order: Planned | None = None
        try:
            order = await self._planned(parked.order, station)
            running = await self._found_running(parked, station, order)
        except ProtocolError as error:
            parked.reason = f"it cannot be planned again: {error}"
            running = None
        if order is not None and running is not None:
            why = "the instrument went on by itself, and so did its own counters; "
            why += await _of_its_record(running, station)
            await self._launch(parked, order, why, anybody, running)
            return
        await self._opened_circuit(parked, station, order)
        if order is not None:
            await self._decide(parked, station, order)

    async def _decide(self, parked: Parked, station: Station, order: Planned) -> None:
        match parked.order.resume:
            case ResumePolicy.NEVER:
                parked.end(RunState.INTERRUPTED, "the core went away, and the run is not to be resumed")
                await self._conclude(parked.name)
            case ResumePolicy.CONFIRM:
                parked.reason = f"it waits for `galvanod resume {parked.name}`"
            case ResumePolicy.AUTO:
                against = await self._objection(parked, station)
                if against is not None:
                    parked.reason = f"not resumed by itself: {against}"
                    return
                self._journal.audit("galvanod", "resume by itself", parked.name, "")
                admitted = partial(unlike, position=parked.position)
                await self._launch(parked, order, "resumed by its policy", admitted, None)

    async def _objection(self, parked: Parked, station: Station) -> str | None:
        since = time.time() - RESUMPTION_SECONDS
        latch = self._journal.latches.get(parked.channel)
        return objection(
            parked.position,
            parked.seconds * station.speed,
            len(await self._journal.audited("resume by itself", parked.name, since)),
            latched=latch.reason if latch is not None else None,
            held=self._journal.cells.get(parked.channel),
            cell=parked.cell,
        )

    async def _opened_circuit(self, parked: Parked, station: Station, order: Planned | None) -> None:
        """Verify that the circuit is open and that it is the same instrument; tell the gap once."""
        await station.reattached(None)
        deeds = Deeds(self._journal, station.name, parked.name, lambda: parked.position.steps, self._passed)
        actions = await self._journal.actions(parked.name)
        await journalled(await station.channel(), deeds).off()
        if any(action.number > parked.position.told for action in actions):
            gap = _gap(parked, station, order, actions)
            parked.told(self._journal.last_action)
            parked.note("interrupted", f"the core went away; circuit open: {gap}", gap.facts())
        answers, was = (await station.opened()).identity, parked.order.started.instrument
        if (answers.maker, answers.model, answers.serial) != (was["maker"], was["model"], was["serial"]):
            raise BusyError(
                f"a {answers.model} with serial number {answers.serial} answers at {station.address}; "
                f"the run is on a {was['model']} with serial number {was['serial']}"
            )

    async def _planned(self, order: Order, station: Station) -> Planned:
        """Plan the run again from its frozen source, inside what the channel allowed then and allows now."""
        again = await asyncio.to_thread(
            planned,
            order.protocol,
            order.protocol_file,
            order.cell_source,
            order.cell_file,
            Limits.intersection([order.window, station.entry.window]),
            order.variables,
        )
        if again.plan.digest != order.started.protocol_digest:
            raise ServiceError(
                f"its protocol now reads as {again.plan.digest[:12]}, it began as "
                f"{order.started.protocol_digest[:12]}: this version understands it otherwise"
            )
        return again

    async def _found_running(self, parked: Parked, station: Station, order: Planned) -> Found | None:
        """Open the instrument; if it runs the program this run gave it last, say where that stands."""
        step, position = _step_under_way(order.plan, parked), parked.position
        start = await self._last_start(parked)
        if start is None or step is None:
            await station.reattached(None)
            return None
        if "whole" in start:
            return await self._found_whole(parked, station, order, start)
        done = Behind(*(abs(float(start[key])) for key in ("seconds_done", "coulombs_done", "joules_done")))
        program = Program(step, order.plan.limits, station.entry.sample, *done)
        origin = await station.reattached(Pending(_identity(parked), str(start["tag"]), program))
        if origin is None:
            return None
        if position.step is None:
            return Running(Attached(origin, Behind(0.0, 0.0, 0.0)), position.time)
        sign = -1.0 if position.step.coulombs < 0 else 1.0
        behind = Behind(done.seconds, sign * done.coulombs, sign * done.joules)
        return Running(Attached(origin, behind), position.time - (position.step.seconds - done.seconds))

    async def _found_whole(
        self, parked: Parked, station: Station, order: Planned, start: Mapping[str, Any]
    ) -> ProgramPosition | None:
        """The same for a whole protocol, of which the instrument keeps a record of its own."""
        program = parked.position.program
        if program is None or start["tag"] != f"{parked.name}/{program.step}":
            program = _just_begun(order.plan, parked, start)
        walk, _ = Walk.restored(order.plan, msgspec.msgpack.decode(program.walk))
        whole = WholeProgram(walk.remaining(), station.entry.sample, *map(abs, program.behind))
        pending = Pending(_identity(parked), str(start["tag"]), whole, program.taken)
        return program if await station.reattached(pending) is not None else None

    async def _last_start(self, parked: Parked) -> Mapping[str, Any] | None:
        """The program given last, if nothing was done to it since and it is the one under way."""
        actions = await self._journal.actions(parked.name)
        if not actions or actions[-1].kind not in ("start", "finish", "skip"):
            return None  # it was switched off since
        starts = [action for action in actions if action.kind == "start"]
        position = parked.position
        ordinals = {position.steps + (1 if position.step is None else 0)}
        ordinals |= {position.program.step} if position.program is not None else set()
        expected = {f"{parked.name}/{ordinal}" for ordinal in ordinals}
        return starts[-1].arguments if starts and starts[-1].arguments["tag"] in expected else None


async def _of_its_record(running: Found, station: Station) -> str:
    """Say what the instrument has of the readings that nobody took."""
    channel = await station.channel()
    if not isinstance(running, ProgramPosition) or not isinstance(channel, WholeChannel):
        return "what it sent is lost"
    if channel.tells_again:
        return "it kept its own record"
    return "it kept what nobody had taken, and tells nothing twice"


def _identity(parked: Parked) -> Identity:
    """Return who the instrument was when the run began."""
    was = parked.order.started.instrument
    return Identity(*(was[name] for name in ("maker", "model", "serial", "firmware")))


def _just_begun(plan: Plan, parked: Parked, start: Mapping[str, Any]) -> ProgramPosition:
    """Return where a whole protocol stands whose beginning was the last thing its core did."""
    position = parked.position
    walk = Walk(plan)
    if position.walk is not None:
        walk, _ = Walk.restored(plan, position.walk_state())
    else:
        walk.advance()
    done = [abs(float(start[key])) for key in ("seconds_done", "coulombs_done", "joules_done")]
    sign = -1.0 if position.step is not None and position.step.coulombs < 0 else 1.0
    behind = Behind(done[0], sign * done[1], sign * done[2])
    ordinal = int(str(start["tag"]).rpartition("/")[2])
    return ProgramPosition(position.time, ordinal, msgspec.msgpack.encode(walk.state()), behind, Taken())


def _step_under_way(plan: Plan, parked: Parked) -> PlannedStep | None:
    if parked.position.walk is None:
        visit = Walk(plan).advance()
    else:
        _, visit = Walk.restored(plan, parked.position.walk_state())
    return visit.step if visit is not None else None


def _opens_within(station: Station) -> float | None:
    """Seconds from the last position on the disk until the circuit was open at the latest.

    The dead-man's time runs from the last reading, which the disk may not have seen.
    """
    seconds = station.deadman.seconds
    return None if seconds is None else seconds + COMMIT_SECONDS * station.speed


def _gap(parked: Parked, station: Station, order: Planned | None, actions: Sequence[Action]) -> Gap:
    """What may have passed between the last reading on record and now, when the circuit is open."""
    seconds = parked.seconds * station.speed
    if order is None:
        return Gap(parked.position.time, seconds, math.inf)
    within = _opens_within(station)
    exposed = seconds if within is None else min(seconds, within)
    amperes = largest_current(order.plan, actions, parked.position.wall)
    return Gap(parked.position.time, seconds, amperes * exposed)
