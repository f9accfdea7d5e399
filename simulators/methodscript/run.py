"""One run of a script, paced by the instrument's clock and heard by whoever listens."""

import asyncio
from collections.abc import Awaitable, Callable

from simulators.clock import Clock
from simulators.methodscript.errors import Code, ScriptError
from simulators.methodscript.machine import Machine

AHEAD = 0.005
"""How many seconds of everybody's time the script may run ahead of the clock before it waits."""


class Run:
    """Runs a machine to its end.

    The script never gets more than `AHEAD` before the clock: a point that is further away is
    waited for before the cell lives through it, so that an abort finds the cell where it is.
    While output is not taken, the script stands still.
    """

    def __init__(
        self, machine: Machine, clock: Clock, send: Callable[[str], Awaitable[None]], greeting: str
    ) -> None:
        self._machine = machine
        self._clock = clock
        self._send = send
        self._replies = [greeting]
        self._waiting: asyncio.Timeout | None = None
        self._heard = asyncio.Event()
        self._abort = self._skip = self._halted = False

    def hear(self, command: str) -> None:
        """Take a command sent while the script runs; its reply goes out between two lines."""
        self._replies.append(self._answer(command) + "\n")
        self._heard.set()
        if self._waiting is not None:
            self._waiting.reschedule(asyncio.get_running_loop().time())
            self._waiting = None

    def _answer(self, command: str) -> str:
        refusal = f"{command[0]}!{Code.MODE_INVALID:04X}"
        measurement = self._machine.measurement
        match command:
            case "Z":
                self._abort = True
            case "Y" if measurement is not None:
                self._skip = True
            case "R" if measurement is not None and measurement.reverse():
                pass
            case "h":
                self._halted = True
            case "H" if self._halted:
                self._halted = False
            case _:
                return refusal
        return command

    async def finish(self) -> ScriptError | None:
        """Run to the end, say everything but the last line, and return what went wrong."""
        machine = self._machine
        ahead = AHEAD * self._clock.speed
        await self._flush()
        machine.run(machine.potentiostat.time + ahead)
        while not machine.ended:
            await self._wait_for(machine.potentiostat.time)
            await self._flush()
            await self._wait_for(machine.target)
            machine.run(machine.target + ahead)
        while not await self._until(machine.potentiostat.time):
            await self._flush()
        while machine.output or self._replies:
            await self._flush()
        return machine.error

    async def _wait_for(self, moment: float) -> None:
        """Return at `moment`, or earlier if a command sends the script elsewhere."""
        while not self._diverted():
            if self._halted:
                await self._stand_still()
            elif await self._until(moment):
                return
            else:
                self._machine.potentiostat.live_until(min(self._clock.now(), moment))
                await self._flush()

    async def _until(self, moment: float) -> bool:
        """Return True at `moment`, False if a command came in between."""
        if not self._heard.is_set():
            try:
                async with asyncio.timeout(None) as self._waiting:
                    await self._clock.reach(moment)
                return True
            except TimeoutError:
                pass
            finally:
                self._waiting = None
        self._heard.clear()
        return False

    def _diverted(self) -> bool:
        """Do what a command asked for, and say whether the script goes on elsewhere."""
        machine = self._machine
        if self._abort:
            machine.go_to_clean_up()
        elif self._skip and machine.measurement is not None:
            machine.skip_measurement()
        else:
            return False
        self._abort = self._skip = self._halted = False
        machine.target = machine.potentiostat.time
        return True

    async def _stand_still(self) -> None:
        """Do nothing while halted; the cell lives on."""
        while self._halted and not self._abort:
            await self._flush()
            await self._heard.wait()
            self._heard.clear()
        await self._flush()
        self._machine.potentiostat.live_until(self._clock.now())

    async def _flush(self) -> None:
        text = self._machine.spoken() + "".join(self._replies)
        self._replies.clear()
        if text:
            await self._send(text)
