"""What happens to an instrument's port and power, at the moments it was asked to."""

import asyncio
from collections.abc import Coroutine
from typing import Any

from simulators.clock import SimulatedClock
from simulators.faults import Fault, FaultKind
from simulators.mains import Mains
from simulators.ports import Port
from simulators.streams import cancelled


class Outages:
    """Lets faults of the port happen, each as a task of its own.

    What several of them took away stays away until the last of them is over.
    """

    def __init__(self, clock: SimulatedClock, mains: Mains, port: Port) -> None:
        self._clock = clock
        self._mains = mains
        self._port = port
        self._tasks: set[asyncio.Task[None]] = set()
        self._turn = asyncio.Lock()
        self._there = True
        self._away = self._unpowered = 0

    def happens(self, fault: Fault) -> None:
        """Let it happen when it is time; at once if it is."""
        if fault.begin <= self._clock.now() and fault.kind is FaultKind.RESET:
            self._port.reset()
            return
        task = asyncio.create_task(self._await(fault), name=f"fault {fault.kind.value}")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def clear(self) -> None:
        """End what is under way, and forget what is still to come."""
        for task in self._tasks:
            if not task.cancelling():  # one that is bringing things back is left to it
                task.cancel()

    async def aclose(self) -> None:
        """End everything, and wait until it is over."""
        await cancelled(self._tasks)

    async def _await(self, fault: Fault) -> None:
        await self._clock.when(fault.begin)
        match fault.kind:
            case FaultKind.RESET:
                self._port.reset()
            case FaultKind.DEFAULTS:
                self._mains.off()
                self._mains.on()
            case FaultKind.GONE:
                await self._gone(fault)
            case FaultKind.POWER:
                await self._without_power(fault)

    async def _gone(self, fault: Fault) -> None:
        self._away += 1
        try:
            await self._agree()
            await self._clock.when(fault.end)
        finally:
            self._away -= 1
            await self._agree()

    async def _without_power(self, fault: Fault) -> None:
        self._unpowered += 1
        self._away += 1
        try:
            await self._agree()
            await self._clock.when(fault.end)
        finally:
            self._unpowered -= 1
            self._away -= 1
            await self._agree()

    async def _agree(self) -> None:
        """Bring power and port to where the faults under way say they are; one at a time."""
        async with self._turn:
            if self._unpowered:
                self._mains.off()
            else:
                self._mains.on()
            if self._away and self._there:
                self._there = False
                self._port.go()
            elif not self._away and not self._there:
                self._there = True
                await _done(self._port.come())


async def _done(work: Coroutine[Any, Any, None]) -> None:
    """Do it to its end, which is some turns away, even for somebody who is cancelled meanwhile.

    A port half brought back would stay away for ever.
    """
    task = asyncio.create_task(work, name="port")
    cancelled_meanwhile = False
    while not task.done():
        try:
            await asyncio.wait([task])
        except asyncio.CancelledError:
            cancelled_meanwhile = True
    task.result()
    if cancelled_meanwhile:
        raise asyncio.CancelledError
