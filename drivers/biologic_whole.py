"""A list of linked techniques under way on a channel: followed, and told to go on."""

import asyncio
import time
from collections.abc import Sequence
from dataclasses import replace

from drivers.base import ProgramState, ProgramStatus
from drivers.biologic_exits import limit_text
from drivers.biologic_linked import Linked
from drivers.biologic_port import LONGEST_PAUSE, SHORTEST_PAUSE, Port
from drivers.biologic_trace import Trace
from drivers.eclib_technique import Technique
from drivers.whole import Followed, Stretch
from protocols.limits import Limits

FOLLOW_SECONDS = 1.0

SKIPPED_SECONDS = 1e-3
"""How long a step is made that is to end now."""


class LinkedProgram:
    """`trace` tells its rows as steps of the protocol; `limits` are the protocol's window."""

    def __init__(self, port: Port, tag: str, linked: Linked, trace: Trace, limits: Limits) -> None:
        self._port, self._linked, self._trace, self._limits = port, linked, trace, limits
        self._tag = tag
        self._status = ProgramStatus(ProgramState.RUNNING, tag)
        self._skipped: int | None = None  # the technique that was made short, until it is over

    @property
    def running(self) -> bool:
        """Whether it goes on."""
        return self._status.state is ProgramState.RUNNING

    async def follow(self) -> Followed:
        """Return what is new, waiting a little for the first."""
        end, pause = time.monotonic() + FOLLOW_SECONDS, SHORTEST_PAUSE
        while self.running:
            emptied = await self._port.empty()
            stretches = list(self._trace.take(emptied))
            if emptied.over:
                stretches += await self._ended()
            await self._restore()
            if stretches or time.monotonic() > end:
                return Followed(self._status, stretches)
            await asyncio.sleep(pause)
            pause = min(2.0 * pause, LONGEST_PAUSE)
        return Followed(self._status, ())

    async def skip(self) -> None:
        """End the step under way, which a technique can only by being short; it will be itself again."""
        index = self._trace.technique
        technique = self._linked.techniques[index]
        self._skipped = index
        await self._port.change(index, _short(technique))

    async def _restore(self) -> None:
        if self._skipped is not None and self._trace.technique != self._skipped:
            await self._port.change(self._skipped, self._linked.techniques[self._skipped])
            self._skipped = None

    async def _ended(self) -> Sequence[Stretch]:
        """Say why the channel stopped; return the end of the last step where it came to that."""
        stretches, limit = self._trace.over()
        if stretches:
            self._status = ProgramStatus(ProgramState.FINISHED, self._tag)
        elif limit is not None and limit.limit:
            reason = limit_text(limit, self._trace.last, self._limits)
            self._status = ProgramStatus(ProgramState.FAULT, self._tag, reason, limit=True)
        else:
            said = await self._port.said()
            reason = f"it stopped in the middle of its techniques{': ' if said else ''}{said}"
            self._status = ProgramStatus(ProgramState.FAULT, self._tag, reason)
        return stretches


def _short(technique: Technique) -> Technique:
    """Return a technique whose step is over at once, and whose gate lets everything pass."""

    def shortened(label: str, index: int, value: float) -> float:
        if label == "Rest_time_T" or (label == "Duration_step" and index == 0):
            return SKIPPED_SECONDS
        return 0 if label.endswith("_Config") else value

    return replace(
        technique,
        parameters=tuple(
            replace(p, value=shortened(p.label, p.index, p.value)) for p in technique.parameters
        ),
    )
