"""One protocol on one cell on one channel, from its first look at the cell to its stop record."""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from daemon.engine import Engine
from daemon.gate import Gate
from daemon.logbook import Emit, Logbook
from daemon.messages import RunEnded
from drivers.errors import InstrumentError
from protocols.errors import LimitError
from protocols.plan import Plan
from protocols.walk import Walk

_log = logging.getLogger(__name__)


class RunState(StrEnum):
    """Where a run stands; the last five are final."""

    RUNNING = "running"
    PAUSED = "paused"
    FINISHED = "finished"
    STOPPED = "stopped"  # by a person
    TRIPPED = "tripped"  # a limit opened the circuit
    FAILED = "failed"  # the instrument, or we
    INTERRUPTED = "interrupted"  # the service went away


@asynccontextmanager
async def energised(engine: Engine) -> AsyncIterator[None]:
    """Whatever happens inside, the cell is disconnected outside."""
    try:
        yield
    finally:
        await asyncio.shield(engine.off())


class Run:
    """A run and its life. `checkpoint` is told the position before every step, and None at the end."""

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
        checkpoint: Callable[[Mapping[str, Any] | None], None],
    ) -> None:
        self.name = name
        self.channel = channel
        self.plan = plan
        self.cell = cell
        self.logbook = logbook
        self.started = datetime.now(UTC)
        self.state = RunState.RUNNING
        self.reason = ""
        self._engine = engine
        self._gate = gate
        self._emit = emit
        self._checkpoint = checkpoint
        self.task: asyncio.Task[None] | None = None
        """Whoever starts `conduct` leaves its task here, for `stop`."""
        self._stop_reason: str | None = None

    async def conduct(self) -> None:
        """Run the plan to its end. Never raises but for cancellation; always leaves a stop record."""
        try:
            async with energised(self._engine):
                await self._engine.prepare()
                await self._walk()
            self._end(RunState.FINISHED, "every step is done")
        except LimitError as error:
            self._end(RunState.TRIPPED, str(error))
        except InstrumentError as error:
            self._end(RunState.FAILED, str(error))
        except asyncio.CancelledError:
            if self._stop_reason is None:
                self._end(RunState.INTERRUPTED, "the service was stopped")
                raise
            self._end(RunState.STOPPED, self._stop_reason)
        except Exception as error:  # a fault of ours must not take the other channels with it
            _log.exception("run %s failed", self.name)
            self._end(RunState.FAILED, f"{type(error).__name__}: {error}")

    def pause(self) -> None:
        """Open the circuit before the next reading and wait there."""
        self._gate.close()
        self.state = RunState.PAUSED

    def resume(self) -> None:
        """Go on with the step the run was paused in."""
        self._gate.open()
        self.state = RunState.RUNNING

    async def stop(self, reason: str) -> None:
        """End the run now; returns once its circuit is open and its stop record written."""
        self._stop_reason = reason
        if self.task is not None:
            self.task.cancel()
            await asyncio.wait({self.task})

    def snapshot(self) -> Mapping[str, Any]:
        """Return what a person watching wants to see, as plain data."""
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
    def over(self) -> bool:
        return self.state not in (RunState.RUNNING, RunState.PAUSED)

    async def _walk(self) -> None:
        walk = Walk(self.plan)
        while (visit := walk.advance()) is not None:
            self._checkpoint(
                {
                    "channel": self.channel,
                    "time": self._engine.time,
                    "readings": self.logbook.readings,
                    "impedance_points": self.logbook.impedance_points,
                    "walk": walk.state(),
                }
            )
            tally = await self._engine.run_step(visit)
            walk.ended(abs(tally.coulombs))

    def _end(self, state: RunState, reason: str) -> None:
        self.state, self.reason = state, reason
        if self.logbook.in_step:
            self.logbook.step_ended(self._engine.time, f"{state.value}: {reason}")
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
        self._checkpoint(None)
