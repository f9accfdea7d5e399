"""The watchdog: the supervisor hears from us only while every part of the service is alive.

The limits of a cell are judged in its channel's own task, which waits for its instrument and the
clock only. What this file adds is an end to a silence of ours: systemd ends a service that pings
no more (`WatchdogSec=`), `galvanod safe` opens the circuits, and the service starts again.
"""

import asyncio
import logging
import os
import time
from collections.abc import Callable, Iterable, Mapping

from daemon.host.heartbeat import Heartbeat
from daemon.host.notify import Notifier

_log = logging.getLogger(__name__)

INTERVAL = 2.5
"""Seconds between pings where the supervisor names no limit of its own."""


class Watchdog:
    """Pings while every heartbeat is fresh. Its own task is the heartbeat of the event loop.

    `heartbeats` returns those that are expected now; one that was not expected before has its
    whole patience from here on. `status` is the line a person reads in `systemctl status`.
    """

    def __init__(
        self,
        notifier: Notifier,
        heartbeats: Callable[[], Iterable[Heartbeat]],
        status: Callable[[], str],
        interval: float = INTERVAL,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self.silent: tuple[str, ...] = ()
        """Names of the parts that gave no sign of life for too long."""
        self.lateness = 0.0
        """Seconds by which the event loop came to its last look too late."""
        self._notifier = notifier
        self._heartbeats = heartbeats
        self._status = status
        self._interval = interval
        self._now = now
        self._expected: dict[Heartbeat, float] = {}

    async def run(self) -> None:
        """Look again and again until cancelled."""
        while True:
            self.look()
            due = self._now() + self._interval
            await asyncio.sleep(self._interval)
            self.lateness = max(0.0, self._now() - due)

    def look(self) -> None:
        """Ping, or say who is silent."""
        silent = tuple(heartbeat.name for heartbeat in self._overdue())
        if silent != self.silent:
            self._tell(silent)
        self.silent = silent
        if silent:
            self._notifier.status(f"no sign of life from {', '.join(silent)}; {self._status()}")
        else:
            self._notifier.ping(self._status())

    def _overdue(self) -> list[Heartbeat]:
        now = self._now()
        self._expected = {beat: self._expected.get(beat, now) for beat in self._heartbeats()}
        return [beat for beat, since in self._expected.items() if now - max(since, beat.last) > beat.patience]

    def _tell(self, silent: tuple[str, ...]) -> None:
        if silent:
            _log.error("no sign of life from %s: the supervisor is not pinged", ", ".join(silent))
        else:
            _log.info("every part of the service gives signs of life again")


def interval_of(environment: Mapping[str, str] = os.environ) -> float:
    """Return a quarter of the time the supervisor allows between pings, in seconds."""
    allowed = environment.get("WATCHDOG_USEC", "")
    meant = environment.get("WATCHDOG_PID", str(os.getpid())) == str(os.getpid())
    return min(INTERVAL, int(allowed) * 1e-6 / 4.0) if meant and allowed.isdigit() else INTERVAL
