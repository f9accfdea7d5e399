"""A run that waits with its circuit open: nothing is done to its cell until it is resumed or stopped."""

import time
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import msgspec

from daemon.delivery.messages import Noted, RunEnded
from daemon.host.uptime import seconds_since
from daemon.running.logbook import Emit
from daemon.running.order import Order
from daemon.running.position import Position
from daemon.running.run import RunState


class Parked:
    """An interrupted run: what it was asked, where it stood, and why it waits.

    What is put into its record is handed to `emit`; whoever commits that asks for `encoded`.
    """

    def __init__(self, order: Order, position: Position, emit: Emit, reason: str) -> None:
        self.order = order
        self.position = position
        self.state = RunState.INTERRUPTED
        self.reason = reason
        self._emit = emit

    @property
    def name(self) -> str:
        return self.order.run

    @property
    def channel(self) -> str:
        return self.order.channel

    @property
    def cell(self) -> str:
        return self.order.cell

    @property
    def read_at(self) -> float:
        """The UTC moment of the last reading, in seconds since 1970."""
        return self.position.wall

    @property
    def protocol(self) -> str:
        """The name of the protocol."""
        return self.order.started.protocol

    @property
    def labels(self) -> Mapping[str, str]:
        """What people say of it, such as its study."""
        return self.order.started.labels

    expected: float | None = None
    """Seconds it was thought to take: nobody has planned it anew."""

    @property
    def begun(self) -> str:
        """When it began: UTC, ISO 8601."""
        return self.order.started.started

    @property
    def over(self) -> bool:
        return self.state is not RunState.INTERRUPTED or self.position.ended

    @property
    def latest(self) -> Mapping[str, Any]:
        """The last reading that was committed."""
        step = self.position.step
        found: dict[str, Any] = {"time": self.position.time, "step": self.position.steps}
        if step is not None and step.last is not None:
            found |= {"voltage": step.last.voltage, "current": step.last.current}
        return found

    def snapshot(self) -> Mapping[str, Any]:
        """Return what a person watching wants to see, as plain data."""
        return {
            "run": self.name,
            "channel": self.channel,
            "cell": self.cell,
            "protocol": self.order.started.protocol,
            "state": self.state.value,
            "reason": self.reason,
            "started": self.order.started.started,
            "steps": self.position.steps,
            "readings": self.position.readings,
            "impedance_points": self.position.impedance_points,
            "latest": dict(self.latest),
        }

    def note(self, kind: str, text: str, detail: Mapping[str, Any]) -> None:
        """Put a note into the run's record, at the moment of its last reading."""
        self.position = msgspec.structs.replace(self.position, notes=self.position.notes + 1)
        noted = Noted(self.name, self.position.notes, self.position.time, kind, text, detail, time.time())
        self._emit(noted)

    def told(self, action: int) -> None:
        """The circuit was verified open after this action of the journal, and what it meant is noted."""
        self.position = msgspec.structs.replace(self.position, told=action)

    def end(self, state: RunState, reason: str) -> None:
        """Write the run's one stop record."""
        self.state, self.reason = state, reason
        self.position = msgspec.structs.replace(self.position, ended=True, state=state.value, reason=reason)
        self._emit(
            RunEnded(
                run=self.name,
                ended=datetime.now(UTC).isoformat(),
                time=self.position.time,
                state=state.value,
                reason=reason,
                readings=self.position.readings,
                impedance_points=self.position.impedance_points,
            )
        )

    def encoded(self) -> bytes:
        """Return the position as the spool keeps it."""
        return self.position.encoded()

    @property
    def seconds(self) -> float:
        """Seconds since its last reading, whatever was done to the wall clock meanwhile."""
        return seconds_since(self.position.uptime, self.position.wall)
