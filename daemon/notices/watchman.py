"""The watchman: compares what channels are doing with what they did, and says what is worth hearing.

What was last seen is kept in a file, so that a run that ended while nobody looked is still told of.
"""

import logging
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import NamedTuple

from daemon import small_file
from daemon.glance import Facts
from daemon.notices.happening import Happening, Kind
from daemon.web.seen import CoreState, Seen

_log = logging.getLogger(__name__)

SILENCE = 60.0
"""Seconds without a reading, or without a core's answer, after which somebody is told."""

LONGER = 5.0
"""A slow channel is given this many times the patience its values have."""

Key = tuple[str, str]


class _Known(NamedTuple):
    """What was last seen of a channel."""

    run: str | None
    latch: str | None
    cell: str | None
    last_run: str | None = None


class Watchman:
    """Tells of each happening once."""

    def __init__(
        self, file: Path, tell: Callable[[Happening], None], settled: Callable[[], None] = lambda: None
    ) -> None:
        """`settled` keeps what was told, before it is forgotten here that it was still to be told."""
        self._settled = settled
        self._file = file
        self._tell = tell
        self._known = _read(file)
        self._facts: dict[Key, Facts] = {}
        """What each channel was doing at the last look; what has not changed is the same object."""
        self._stalled: set[Key] = set()
        self._silent: dict[str, float] = {}

    def look(self, channels: Iterable[Seen], cores: Iterable[CoreState], now: float) -> None:
        """Compare; `now` is UTC seconds. What a core does not say now counts as it was."""
        silent = {core.core for core in cores if core.trouble is not None}
        changed: dict[Key, _Known] = {}
        for seen in channels:
            if seen.core in silent:
                continue
            facts, key = seen.facts, (seen.core, seen.facts.channel)
            read_at = seen.values.read_at
            if key in self._stalled or (read_at is not None and now - read_at > SILENCE):
                self._stalls(key, seen, now)
            if self._facts.get(key) is facts:
                continue  # of a thousand channels few have changed since the last look
            self._facts[key] = facts
            before = self._known.get(key)
            self._compare(before or _Known(None, None, None, facts.last_run), seen, now)
            found = _Known(facts.run, facts.latch, facts.cell, facts.last_run)
            if found != before:
                changed[key] = found
        self._cores(silent, now)
        if changed:
            self._known |= changed
            self._settled()
            small_file.write(self._file, [[*key, *value] for key, value in self._known.items()])

    def _compare(self, before: _Known, seen: Seen, now: float) -> None:
        facts = seen.facts
        tripped = facts.latch is not None and before.latch is None
        if tripped:
            self._say(
                Kind.TRIP, seen, before.run or facts.last_run, f"circuit open, latched: {facts.latch}", now
            )
        if before.run is not None and facts.run != before.run and not tripped:
            how = facts.revision.rpartition("-")[2] if facts.last_run == before.run else "over"
            self._say(Kind.END, seen, before.run, f"run {before.run} on {before.cell} is {how}", now)
        unseen = facts.last_run not in (None, before.run, before.last_run) and facts.run is None
        if unseen and not tripped:  # it began and ended between two looks
            how = facts.revision.rpartition("-")[2]
            self._say(Kind.END, seen, facts.last_run, f"run {facts.last_run} on {facts.cell} is {how}", now)

    def _stalls(self, key: Key, seen: Seen, now: float) -> None:
        patience = max(SILENCE, LONGER * seen.facts.patience)
        read_at = seen.values.read_at
        stalled = seen.facts.state == "running" and read_at is not None and now - read_at > patience
        if stalled and key not in self._stalled:
            self._stalled.add(key)
            self._say(Kind.STALL, seen, seen.facts.run, f"no reading for {now - (read_at or now):.0f} s", now)
        elif not stalled and key in self._stalled:
            self._stalled.discard(key)
            if seen.facts.state == "running":
                self._say(Kind.BACK, seen, seen.facts.run, "readings come again", now)

    def _cores(self, silent: set[str], now: float) -> None:
        for core in silent:
            since = self._silent.setdefault(core, now)
            if since >= 0.0 and now - since > SILENCE:
                self._silent[core] = -1.0  # told
                text = f"core {core} has not answered for {now - since:.0f} s; its cells may be unwatched"
                self._tell(Happening(Kind.STALL, now, core, None, None, None, text))
        for core in self._silent.keys() - silent:
            if self._silent.pop(core) < 0.0:
                text = f"core {core} answers again"
                self._tell(Happening(Kind.BACK, now, core, None, None, None, text))

    def _say(self, kind: Kind, seen: Seen, run: str | None, text: str, now: float) -> None:
        facts = seen.facts
        self._tell(Happening(kind, now, seen.core, facts.channel, run, facts.cell, text))


def _read(file: Path) -> dict[Key, _Known]:
    """Return what was last seen; nothing where the file is not there or is no such file."""
    found = small_file.read(file)
    try:
        return {(core, channel): _Known(*rest) for core, channel, *rest in _rows(found)}
    except (ValueError, TypeError) as error:
        _log.warning("what was last seen is not known (%s: %s); notices begin anew", file, error)
        return {}


def _rows(found: object) -> list[list[str]]:
    return found if isinstance(found, list) else []
