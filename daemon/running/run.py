"""One protocol on one cell on one channel, from its first look at the cell to its stop record."""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

import msgspec

from daemon.delivery.messages import RunEnded
from daemon.engines.engine import Engine
from daemon.engines.gate import Gate
from daemon.engines.progress import Tally
from daemon.errors import ServiceError, UnavailableError
from daemon.running.logbook import Emit, Logbook
from daemon.running.position import Position, StepPosition
from drivers.errors import InstrumentError
from protocols.errors import LimitError
from protocols.plan import Plan
from protocols.techniques import ChamberTemperature
from protocols.walk import Visit, Walk

_log = logging.getLogger(__name__)


class RunState(StrEnum):
    """Where a run stands; those from `finished` on are final."""

    RUNNING = "running"
    PAUSED = "paused"
    INTERRUPTED = "interrupted"  # its circuit is open; a person, or its policy, lets it go on
    FINISHED = "finished"
    STOPPED = "stopped"  # by a person
    TRIPPED = "tripped"  # a limit opened the circuit
    FAILED = "failed"  # the instrument, or we


State = Callable[[], bytes]
"""Encodes the position as of now."""

Latching = Callable[[str], Awaitable[None]]
"""Latches the run's channel for a reason; returns once that is on the disk."""


Admitted = Callable[[float], str | None]
"""Says why the cell with this open-circuit voltage is not the one that was left, or None."""


def anybody(open_circuit: float) -> str | None:
    """The `Admitted` of a run that begins, or that a person let go on."""
    return None


async def no_latch(reason: str) -> None:
    """The `Latching` of a channel that nobody else will use."""


class Run:
    """A run and its life.

    `checkpoint` is handed `position` before every step; whoever it is then asks for the position
    whenever readings of the run are committed, so that the two can never disagree.
    """

    def __init__(
        self,
        name: str,
        channel: str,
        plan: Plan,
        cell: str,
        engine: Engine,
        logbook: Logbook,
        gate: Gate,
        emit: Emit,
        checkpoint: Callable[[State], None],
        latching: Latching = no_latch,
        started: datetime | None = None,
        labels: Mapping[str, str] | None = None,
        expected: float | None = None,
    ) -> None:
        """`labels` is what people say of it; `expected` how many seconds it is thought to take."""
        self.name = name
        self.channel = channel
        self.plan = plan
        self.cell = cell
        self.logbook = logbook
        self.started = started or datetime.now(UTC)
        self.labels = labels or {}
        self.expected = expected
        self.state = RunState.RUNNING
        self.reason = ""
        self._engine = engine
        self._gate = gate
        self._emit = emit
        self._checkpoint = checkpoint
        self._latching = latching
        self._walk_state: bytes | None = None
        self._told = 0
        self.verified_open = False
        """Whether the circuit was opened, and read back as open, when the run was last conducted."""
        walk = Walk(plan)
        self._begin: tuple[Walk, Visit | None, StepPosition | None] = (walk, walk.advance(), None)
        self.task: asyncio.Task[None] | None = None
        """Whoever starts `conduct` leaves its task here, for `stop`."""
        self._stop_reason: str | None = None

    def restore(self, since: Position, time: float) -> None:
        """Take up the run where an earlier core left it; it goes on at `time`, in seconds of the run."""
        self._engine.time, self._told = time, since.told
        self.logbook.continued(since)
        self._begin = self._way(since)
        _, visit, _ = self._begin
        celsius = _kept_before(self.plan, visit)
        if celsius is not None:
            self._engine.surroundings.kept(celsius)

    async def conduct(self, admitted: Admitted = anybody) -> None:
        """Run the plan to its end; never raises but for cancellation.

        It leaves a stop record, unless the service is stopped, the disk takes nothing, or the cell is
        not `admitted`: then the run is interrupted, its position committed, and may go on later.
        """
        try:
            async with self._energised(), self._in_place():
                await self._walk(admitted)
            self._end(RunState.FINISHED, "every step is done")
        except LimitError as error:
            await self._latch(str(error))
            self._end(RunState.TRIPPED, str(error))
        except InstrumentError as error:
            if not self.verified_open:
                await self._latch(f"the circuit was not verified open: {error}")
            self._end(RunState.FAILED, str(error))
        except ServiceError as error:
            self._interrupt(str(error))
        except asyncio.CancelledError:
            if self._stop_reason is None:
                self._interrupt("the service was stopped")
                raise
            self._end(RunState.STOPPED, self._stop_reason)
        except Exception as error:  # a fault of ours must not take the other channels with it
            _log.exception("run %s failed", self.name)
            self._end(RunState.FAILED, f"{type(error).__name__}: {error}")

    def position(self) -> bytes:
        """Encode where the run stands, as of the last reading it took."""
        self._engine.settle()
        return Position(
            channel=self.channel,
            time=self._engine.time,
            wall=self.logbook.read_at,
            readings=self.logbook.readings,
            impedance_points=self.logbook.impedance_points,
            steps=self.logbook.steps,
            notes=self.logbook.notes,
            walk=self._walk_state,
            step=self.logbook.step_position(),
            told=self._told,
            paused=self._gate.closed,
            ended=self.over,
            program=self._engine.program,
            uptime=self.logbook.read_up,
            state=self.state.value if self.over else "",
            reason=self.reason if self.over else "",
        ).encoded()

    def note(self, kind: str, text: str, detail: Mapping[str, Any]) -> None:
        """Put a note into the run's record, at the moment of its last reading."""
        self.logbook.note(self._engine.time, kind, text, detail)

    def pause(self, reason: str = "") -> None:
        """Open the circuit before the next reading and wait there."""
        self._gate.close()
        self.state, self.reason = RunState.PAUSED, reason

    def resume(self) -> None:
        """Go on with the step the run was paused in."""
        self._gate.open()
        self.state, self.reason = RunState.RUNNING, ""

    @property
    def running(self) -> bool:
        return self.state is RunState.RUNNING

    @property
    def paused(self) -> bool:
        return self.state is RunState.PAUSED

    def give_up(self, reason: str) -> None:
        """End the run now, without waiting until it has: see `stop`."""
        self._stop_reason = reason
        if self.task is not None:
            self.task.cancel()

    async def stop(self, reason: str) -> None:
        """End the run now; returns once its circuit is open and its stop record written."""
        self.give_up(reason)
        if self.task is not None:
            await asyncio.wait({self.task})

    def snapshot(self) -> Mapping[str, Any]:
        """Return what a person watching wants to see, as plain data."""
        self._engine.settle()
        return {
            "run": self.name,
            "channel": self.channel,
            "cell": self.cell,
            "protocol": self.plan.name,
            "state": self.state.value,
            "reason": self.reason,
            "started": self.started.isoformat(),
            "steps": self.logbook.steps,
            "readings": self.logbook.readings,
            "impedance_points": self.logbook.impedance_points,
            "latest": dict(self.logbook.latest),
        }

    @property
    def autonomous(self) -> bool:
        """Whether its channel goes on safely by itself when nobody is there any more."""
        return self._engine.autonomous

    @property
    def scanned(self) -> bool:
        """Whether its position is committed with those of its neighbours."""
        return self._engine.scanned

    @property
    def interval(self) -> float | None:
        """Seconds until its instrument says more of itself: 0 where it is asked, None where nobody knows."""
        return self._engine.interval

    @property
    def latest(self) -> Mapping[str, Any]:
        """The last reading, kept or not."""
        self._engine.settle()
        return self.logbook.latest

    @property
    def read_at(self) -> float:
        """The UTC moment of the last reading, in seconds since 1970."""
        return self.logbook.read_at

    @property
    def protocol(self) -> str:
        """The name of the protocol."""
        return self.plan.name

    @property
    def begun(self) -> str:
        """When it began: UTC, ISO 8601."""
        return self.started.isoformat()

    @property
    def over(self) -> bool:
        return self.state not in (RunState.RUNNING, RunState.PAUSED, RunState.INTERRUPTED)

    @asynccontextmanager
    async def _energised(self) -> AsyncIterator[None]:
        """Whatever happens inside, the cell is disconnected outside.

        One exception: a program goes on by itself when only the service is stopped.
        """
        self.verified_open = False
        leave = False
        try:
            yield
        except asyncio.CancelledError:
            leave = self._engine.autonomous and self._stop_reason is None
            raise
        finally:
            if not leave:
                await asyncio.shield(self._engine.off())
                self.verified_open = self._engine.controls

    @asynccontextmanager
    async def _in_place(self) -> AsyncIterator[None]:
        self._engine.surroundings.occupied(self)
        try:
            yield
        finally:
            self._engine.surroundings.left()

    async def _walk(self, admitted: Admitted) -> None:
        walk, visit, behind = self._begin
        self._engine.walk = walk
        if not self._engine.attached:
            await self._engine.prepare()
            if self._engine.open_circuit is not None and (why := admitted(self._engine.open_circuit)):
                raise ServiceError(why)
        while visit is not None:
            self._walk_state = msgspec.msgpack.encode(walk.state())
            self._checkpoint(self.position)
            tally = await self._engine.run_step(visit, behind)
            behind = None
            walk.ended(abs(tally.coulombs))
            visit = walk.advance()

    def _way(self, since: Position) -> tuple[Walk, Visit | None, StepPosition | None]:
        """Return the walk, the visit to begin with, and what its step has behind it."""
        if since.walk is None:
            return self._begin
        self._walk_state = since.walk
        walk, visit = Walk.restored(self.plan, since.walk_state())
        if visit is None:
            return walk, walk.advance(), None
        if since.step is None:
            return walk, visit, None
        self.logbook.step_continued(visit, since.step, Tally.continued(None, since.step))
        if visit.step.resumable or self._engine.attached:
            return walk, visit, since.step
        self.logbook.step_ended(since.time, "interrupted; the step begins again")
        return walk, visit, None

    async def _latch(self, reason: str) -> None:
        try:
            await self._latching(reason)
        except UnavailableError as error:
            _log.error("run %s: its latch is not on the disk: %s", self.name, error)

    def _interrupt(self, reason: str) -> None:
        """Leave the run where it stands, resumable, without a stop record."""
        self.state, self.reason = RunState.INTERRUPTED, reason
        try:
            if self.verified_open:
                self.logbook.note(self._engine.time, "interrupted", f"circuit open: {reason}")
        finally:
            self._checkpoint(self.position)

    def _end(self, state: RunState, reason: str) -> None:
        if self.logbook.in_step:
            try:
                self.logbook.step_ended(self._engine.time, f"{state.value}: {reason}")
            except UnavailableError as error:
                self._interrupt(f"{reason}; and it cannot be recorded: {error}")
                return
        self.state, self.reason = state, reason
        self._emit(
            RunEnded(
                run=self.name,
                ended=datetime.now(UTC).isoformat(),
                time=self._engine.time,
                state=state.value,
                reason=reason,
                readings=self.logbook.readings,
                impedance_points=self.logbook.impedance_points,
            )
        )
        self._checkpoint(self.position)


def _kept_before(plan: Plan, visit: Visit | None) -> float | None:
    """Return the chamber temperature that the steps before a visit asked for last, if any did."""
    celsius = None
    for step in plan.each_step():
        if visit is not None and step.path == visit.step.path:
            break
        if isinstance(step.technique, ChamberTemperature):
            celsius = step.technique.celsius
    return celsius
