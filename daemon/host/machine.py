"""The computer under the core: whether it may sleep, how full its disk is, what its clock says."""

import asyncio
import logging
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from pathlib import Path

from daemon.errors import UnavailableError
from daemon.host.disk import Room, Space, space
from daemon.host.sleep import SleepClock, SleepLock
from daemon.host.wall_clock import doubt
from daemon.running.parked import Parked
from daemon.running.run import Run, RunState

_log = logging.getLogger(__name__)

INTERVAL = 1.0
"""Seconds between looks."""


class Host:
    """Looks after the runs in hand; `folder` is where the core keeps its files.

    With `any_clock` a run may begin whatever the wall clock says, and its record says so. With `awake`
    the computer is kept from sleeping while a run is conducted: on a bench with real cells.
    """

    def __init__(
        self,
        folder: Path,
        runs: Iterable[Run | Parked],
        any_clock: bool = False,
        awake: bool = True,
        measured: Callable[[Path], Space] = space,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
        sleep_clock: SleepClock | None = None,
    ) -> None:
        self.room = Room.ENOUGH
        self._folder = folder
        self._runs = runs
        self._any_clock = any_clock
        self._awake = awake
        self._measured = measured
        self._clock = clock
        self._sleep_clock = sleep_clock or SleepClock()
        self._lock = SleepLock()
        self._space: Space | None = None

    async def watch(self) -> None:
        """Look again and again until cancelled."""
        try:
            while True:
                await self.look()
                await asyncio.sleep(INTERVAL)
        finally:
            await self._lock.aclose()

    async def look(self) -> None:
        """Look once: note a sleep, keep from the next one, and pause what the disk cannot hold."""
        slept = self._sleep_clock.slept()
        for run in self._running():
            if slept:
                run.note("suspended", f"this computer slept for {slept:.0f} s", {"seconds": slept})
        await self._lock.hold(self._awake and bool(self._running()))
        await self._look_at_disk()

    def require(self) -> None:
        """Raise `UnavailableError` where no run should begin now."""
        if self.room >= Room.NO_NEW_RUNS:
            raise UnavailableError(f"the disk of {self._folder} is too full to begin a run: {self._space}")
        wrong = doubt(self._clock())
        if wrong is not None and not self._any_clock:
            raise UnavailableError(f"{wrong} Set it, or serve with --any-clock to record wrong dates")

    def label(self) -> str:
        """Return what a run's record says of the clock it was begun by."""
        return "plausible" if doubt(self._clock()) is None else "unsynced"

    def facts(self) -> dict[str, object]:
        """Return what a person wants to know of the computer, as plain data."""
        return {
            "disk": str(self._space) if self._space is not None else None,
            "room": self.room.name.lower().replace("_", " "),
            "kept awake": self._lock.held,
            "trouble": self._lock.trouble,
            "clock": doubt(self._clock()),
        }

    def _running(self) -> list[Run]:
        return [run for run in self._runs if isinstance(run, Run) and run.state is RunState.RUNNING]

    async def _look_at_disk(self) -> None:
        try:
            self._space = await asyncio.to_thread(self._measured, self._folder)
        except OSError as error:
            _log.warning("how full the disk of %s is cannot be told: %s", self._folder, error)
            return
        room = self._space.room
        if room is not self.room:
            _log.log(logging.WARNING if room else logging.INFO, "disk of %s: %s", self._folder, self._space)
        self.room = room
        if room is Room.REST:
            for run in self._running():
                run.note("disk full", f"paused, its circuit open: {self._space}", {"free": self._space.free})
                run.pause(f"the disk is full: {self._space}")
