"""The sleep of this computer, which no run survives unharmed: kept from it, and noticed if it comes."""

import asyncio
import logging
import shutil
import time
from collections.abc import Callable

from daemon.errors import ServiceError

_log = logging.getLogger(__name__)

NOTICED = 1.0
"""Seconds; the two clocks are not read at the same instant."""


class SleepClock:
    """Tells how long the machine has slept: CLOCK_BOOTTIME goes on then, CLOCK_MONOTONIC does not."""

    def __init__(
        self,
        up: Callable[[], float] = lambda: time.clock_gettime(time.CLOCK_BOOTTIME),
        awake: Callable[[], float] = time.monotonic,
    ) -> None:
        self._up = up
        self._awake = awake
        self._slept = up() - awake()

    def slept(self) -> float:
        """Return the seconds slept since this was last asked; 0 where it was awake."""
        slept = self._up() - self._awake()
        since, self._slept = slept - self._slept, slept
        return since if since >= NOTICED else 0.0


class SleepLock:
    """Keeps the machine from being suspended, by logind's inhibitor, while runs are in hand.

    `systemd-inhibit` holds the lock for as long as its command runs: one that waits for its input,
    which ends with this process, however that ends.
    """

    COMMAND = (
        *("systemd-inhibit", "--what=sleep", "--mode=block", "--who=galvanod"),
        *("--why=cells are being cycled", "cat"),
    )

    def __init__(self) -> None:
        self.trouble: str | None = None
        """Why the lock could not be had; None when it could, or was not needed yet."""
        self._holder: asyncio.subprocess.Process | None = None

    @property
    def held(self) -> bool:
        return self._holder is not None and self._holder.returncode is None

    async def hold(self, wanted: bool) -> None:
        """Take the lock or let go of it; one that cannot be had is said once, and tried no more."""
        if wanted and not self.held and self.trouble is None:
            await self._take()
        elif self._holder is not None and not wanted:
            await self.aclose()

    async def aclose(self) -> None:
        """Let go of the lock."""
        holder, self._holder = self._holder, None
        if holder is None:
            return
        if holder.stdin is not None:
            holder.stdin.close()
        await holder.wait()

    async def _take(self) -> None:
        try:
            if self._holder is not None:  # it was there, and went by itself
                raise ServiceError(f"systemd-inhibit ended with status {self._holder.returncode}")
            if shutil.which(self.COMMAND[0]) is None:
                raise ServiceError("there is no systemd-inhibit on this machine")
            self._holder = await asyncio.create_subprocess_exec(
                *self.COMMAND,
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.DEVNULL,
                stderr=asyncio.subprocess.DEVNULL,
            )
        except (OSError, ServiceError) as error:
            self.trouble = str(error)
            _log.warning("this computer may be suspended under running cells: %s", error)
