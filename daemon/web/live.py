"""The live state of every channel of every core, told to all who watch: encoded once, for all the same."""

import asyncio
import contextlib
import logging
import time
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from typing import NamedTuple

import msgspec

from daemon.glance import Facts, Glance, Values
from daemon.requests import Glances
from daemon.web.cores import Cores
from protocols.errors import GalvanodError

_log = logging.getLogger(__name__)
_glances = msgspec.json.Decoder(list[Glance])

INTERVAL = 1.0
"""Seconds between looks at the cores."""

PATIENCE = 5.0
"""Seconds a core may take to answer; the page says that it does not."""

MOST_WATCHERS = 256


class Seen(NamedTuple):
    """One channel as it was last seen."""

    core: str
    facts: Facts
    values: Values


class CoreState(msgspec.Struct, frozen=True):
    """Whether a core answers; `trouble` says why not."""

    core: str
    trouble: str | None = None


class Watcher:
    """Somebody who watches. Whoever is slow misses changes, and is then told everything anew."""

    def __init__(self) -> None:
        self._waiting: asyncio.Queue[bytes] = asyncio.Queue(maxsize=2)
        self.behind = True

    def tell(self, change: bytes, everything: Callable[[], bytes]) -> None:
        """Hand on a change, or everything to who missed one; nothing where there is no room."""
        if self._waiting.full():
            self.behind = True
            return
        self._waiting.put_nowait(everything() if self.behind else change)
        self.behind = False

    async def next(self) -> bytes:
        """Return the next message."""
        return await self._waiting.get()


Notice = Callable[[Seen | None, Seen], None]
"""Hears of a channel whose facts changed: before and after."""


class Live:
    """Looks at the cores once a second and tells the watchers what changed."""

    def __init__(
        self, cores: Cores, hears: Sequence[Notice] = (), after: Callable[["Live", float], None] | None = None
    ) -> None:
        self._cores = cores
        self._hears = list(hears)
        self._after = after
        self._watchers: set[Watcher] = set()
        self._seen: dict[tuple[str, str], Seen] = {}
        self._states = {name: CoreState(name, "has not been asked yet") for name in cores.names}
        self._number = 0
        self._everything: bytes | None = None

    @property
    def channels(self) -> Mapping[tuple[str, str], Seen]:
        """Every channel by core and name."""
        return self._seen

    @property
    def cores(self) -> Mapping[str, CoreState]:
        """Every core, and whether it answers."""
        return self._states

    @property
    def watchers(self) -> int:
        """How many watch."""
        return len(self._watchers)

    @contextlib.contextmanager
    def watched(self) -> Iterator[Watcher | None]:
        """Watch while inside; None where too many do already."""
        if len(self._watchers) >= MOST_WATCHERS:
            yield None
            return
        watcher = Watcher()
        self._watchers.add(watcher)
        if self._number:
            watcher.tell(b"", self._snapshot)
        try:
            yield watcher
        finally:
            self._watchers.discard(watcher)

    def heard_by(self, hears: Notice) -> None:
        """Tell somebody more of every channel whose facts change."""
        self._hears.append(hears)

    async def run(self) -> None:
        """Look once a second until cancelled; a look that takes longer delays none of the later ones."""
        loop = asyncio.get_running_loop()
        due = loop.time()
        while True:
            await self.look()
            due = max(due + INTERVAL, loop.time())
            await asyncio.sleep(due - loop.time())

    async def look(self) -> None:
        """Look at every core once and tell the watchers."""
        found = await asyncio.gather(*(self._look_at(core) for core in self._cores.names))
        before, self._seen = (
            self._seen,
            {(seen.core, seen.facts.channel): seen for one in found for seen in one},
        )
        self._number += 1
        self._everything = None
        changed = [
            (index, earlier, seen)
            for index, (key, seen) in enumerate(self._seen.items())
            if (earlier := before.get(key)) is None or earlier.facts != seen.facts
        ]
        if self._watchers:
            change = self._change(before, [(index, seen) for index, _, seen in changed])
            for watcher in list(self._watchers):
                watcher.tell(change, self._snapshot)
        for _, earlier, seen in changed:
            for hears in self._hears:
                hears(earlier, seen)
        if self._after is not None:
            self._after(self, time.time())

    async def _look_at(self, core: str) -> list[Seen]:
        """Return the core's channels; where it does not answer, what was last seen of them."""
        try:
            found = [seen async for seen in self._glances(core)]
        except GalvanodError as error:
            if self._states[core].trouble is None:
                _log.warning("%s", error)
            self._states[core] = CoreState(core, str(error))
            return [seen for seen in self._seen.values() if seen.core == core]
        self._states[core] = CoreState(core)
        return found

    async def _glances(self, core: str) -> AsyncIterator[Seen]:
        async for raw in self._cores.events(core, Glances(), PATIENCE):
            for glance in _glances.decode(raw):
                yield Seen(core, glance.facts, glance.values)

    def _snapshot(self) -> bytes:
        if self._everything is None:
            self._everything = msgspec.json.encode(
                self._head("snapshot")
                | {
                    "channels": [told(seen) for seen in self._seen.values()],
                    "values": [_row(index, seen.values) for index, seen in enumerate(self._seen.values())],
                }
            )
        return self._everything

    def _change(self, before: Mapping[tuple[str, str], Seen], changed: Sequence[tuple[int, Seen]]) -> bytes:
        """Return what changed; other channels than before are told as a snapshot."""
        if before.keys() != self._seen.keys():
            return self._snapshot()
        pairs = enumerate(zip(before.values(), self._seen.values(), strict=True))
        values = [_row(index, new.values) for index, (old, new) in pairs if old.values != new.values]
        facts = [told(seen) | {"index": index} for index, seen in changed]
        return msgspec.json.encode(self._head("change") | {"channels": facts, "values": values})

    def _head(self, kind: str) -> dict[str, object]:
        cores = list(self._states.values())
        return {"kind": kind, "number": self._number, "at": round(time.time(), 3), "cores": cores}


def told(seen: Seen) -> dict[str, object]:
    """Return what a channel is doing, by name."""
    facts = seen.facts
    return {"core": seen.core} | {name: getattr(facts, name) for name in Facts.__struct_fields__}


def latest(values: Values) -> dict[str, float | int | None]:
    """Return a reading by name."""
    return {name: getattr(values, name) for name in Values.__struct_fields__}


def _row(index: int, values: Values) -> list[float | int | None]:
    """Return a reading as the live stream carries it: the channel's place in the snapshot, then `Values`."""
    return [
        index,
        None if values.read_at is None else round(values.read_at, 1),
        _short(values.time),
        _short(values.voltage),
        _short(values.current),
        _short(values.capacity),
        _short(values.energy),
        _short(values.temperature),
        values.step,
        values.cycle,
    ]


def _short(value: float | None) -> float | None:
    """Six digits are more than a screen shows, and a third of the bytes."""
    return None if value is None else float(f"{value:.6g}")
