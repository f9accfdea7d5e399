"""The last hour of every channel's voltage, seen from the page: a few points, for a small curve."""

import asyncio
import time
from collections.abc import Mapping

from starlette.requests import HTTPConnection

from daemon.web.bench_documents import Hour
from daemon.web.live import Live
from daemon.web.seen import Seen

POINTS = 120
"""Kept of each channel; when they are full, every other one goes and the next come half as often."""

SECONDS = 3600.0
"""What they reach back at most."""

DIGITS = 5

EARLY = 0.25
"""Seconds by which a look may come too soon and still be the one that is due."""


class LastHour:
    """Looks at the live values now and then; what nobody read at a moment is None."""

    def __init__(self) -> None:
        self._interval = 1.0
        self._times: list[float] = []
        self._voltages: dict[tuple[str, str], list[float | None]] = {}

    async def run(self, live: Live) -> None:
        """Look until cancelled."""
        while True:
            self.look(live.channels, time.time())
            await asyncio.sleep(self._interval)

    def look(self, channels: Mapping[tuple[str, str], Seen], now: float) -> None:
        """Keep every channel's voltage as of `now` (UTC seconds); a channel that is new was unread before."""
        if self._times and now - self._times[-1] < self._interval - EARLY:
            return
        for key, seen in channels.items():
            column = self._voltages.get(key)
            if column is None:
                column = self._voltages[key] = [None] * len(self._times)
            column.append(_voltage(seen, now))
        self._times.append(now)
        for key in self._voltages.keys() - channels.keys():
            del self._voltages[key]
        if len(self._times) >= POINTS:
            self._thin()

    def told(self) -> Hour:
        """Return it for a page."""
        voltages: dict[str, dict[str, list[float | None]]] = {}
        for (core, channel), column in self._voltages.items():
            if any(value is not None for value in column):
                voltages.setdefault(core, {})[channel] = [_shown(value) for value in column]
        return Hour(times=self._times, voltages=voltages)

    def _thin(self) -> None:
        """Make room: by dropping every other point, or the oldest once they reach back an hour."""
        whole = self._interval * POINTS >= SECONDS
        keep = slice(1, None) if whole else slice(None, None, 2)
        if not whole:
            self._interval *= 2
        self._times = self._times[keep]
        for key, column in self._voltages.items():
            self._voltages[key] = column[keep]


def _voltage(seen: Seen, now: float) -> float | None:
    """Return a voltage somebody read just now: what was last seen of a core that is silent is none."""
    read_at = seen.values.read_at
    if seen.facts.state != "running" or read_at is None or now - read_at > seen.facts.patience:
        return None
    return seen.values.voltage


def _shown(value: float | None) -> float | None:
    """Round only when somebody looks: a thousand voltages are kept every second, and seldom shown."""
    return None if value is None else float(f"{value:.{DIGITS}g}")


def hour_of(connection: HTTPConnection) -> LastHour:
    """Return the last hour that the application keeps."""
    hour: LastHour = connection.app.state.hour
    return hour
