"""The live state of every channel of every core, told to all who watch: encoded once, for all the same."""

import asyncio
import contextlib
import logging
import time
from collections.abc import Callable, Iterator, Mapping, Sequence

import msgspec

from daemon.web.cores import Cores
from daemon.web.lookout import Lookout
from daemon.web.seen import CoreState, Seen, row, told

_log = logging.getLogger(__name__)

INTERVAL = 1.0
"""Seconds between looks at the cores."""

PROMPT = 0.5
"""Seconds a core is waited for; what one says that takes longer is told with the next look."""

MOST_WATCHERS = 256

Key = tuple[str, str]
"""A core and a channel of it."""


class Watcher:
    """Somebody who watches. Whoever is slow misses changes, and is then told everything anew."""

    def __init__(self) -> None:
        self._waiting: asyncio.Queue[str] = asyncio.Queue(maxsize=2)
        self.behind = True

    def tell(self, change: str, everything: Callable[[], str]) -> None:
        """Hand on a change, or everything to who missed one; nothing where there is no room."""
        if self._waiting.full():
            self.behind = True
            return
        self._waiting.put_nowait(everything() if self.behind else change)
        self.behind = False

    async def next(self) -> str:
        """Return the next message."""
        return await self._waiting.get()


Notice = Callable[[Seen | None, Seen], None]
"""Hears of a channel whose facts changed: before and after."""


class Live:
    """Looks at the cores once a second and tells the watchers what changed."""

    def __init__(
        self, cores: Cores, hears: Sequence[Notice] = (), after: Callable[["Live", float], None] | None = None
    ) -> None:
        self._lookouts = [Lookout(name, cores) for name in cores.names]
        self._looking: dict[Lookout, asyncio.Task[None]] = {}
        self._hears = list(hears)
        self._after = after
        self._watchers: set[Watcher] = set()
        self._seen: dict[Key, Seen] = {}
        self._number = 0
        self._everything: str | None = None

    @property
    def channels(self) -> Mapping[Key, Seen]:
        """Every channel by core and name."""
        return self._seen

    @property
    def cores(self) -> Mapping[str, CoreState]:
        """Every core, and whether it answers."""
        return {lookout.state.core: lookout.state for lookout in self._lookouts}

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
            watcher.tell("", self._snapshot)
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
        try:
            while True:
                await self.look()
                due = max(due + INTERVAL, loop.time())
                await asyncio.sleep(due - loop.time())
        finally:
            await self.aclose()

    async def aclose(self) -> None:
        """Wait for no core any longer."""
        for task in self._looking.values():
            task.cancel()
        await asyncio.gather(*self._looking.values(), return_exceptions=True)
        self._looking.clear()

    async def look(self) -> None:
        """Look at every core once and tell the watchers."""
        answered = self.cores
        await self._ask()
        self._warn(answered)
        before, self._seen = self._seen, {_key(each): each for one in self._lookouts for each in one.seen}
        self._number += 1
        self._everything = None
        if self._watchers:
            change = self._change(before)
            for watcher in list(self._watchers):
                watcher.tell(change, self._snapshot)
        for key, seen in self._seen.items():
            earlier = before.get(key)
            if earlier is None or earlier.facts is not seen.facts:
                for hears in self._hears:
                    hears(earlier, seen)
        if self._after is not None:
            self._after(self, time.time())

    async def _ask(self) -> None:
        """Ask every core that is not being asked already; one that hangs holds up no other."""
        for lookout in self._lookouts:
            if lookout not in self._looking:
                self._looking[lookout] = asyncio.create_task(lookout.look(), name="look")
        done, _ = await asyncio.wait(self._looking.values(), timeout=PROMPT)
        for lookout in [each for each, task in self._looking.items() if task in done]:
            self._looking.pop(lookout).result()

    def _warn(self, before: Mapping[str, CoreState]) -> None:
        """Log each core that answers no longer, once."""
        for name, state in self.cores.items():
            if state.trouble is not None and before[name].trouble is None:
                _log.warning("%s", state.trouble)

    def _snapshot(self) -> str:
        if self._everything is None:
            channels = [told(seen) for seen in self._seen.values()]
            rows = [row(index, seen.reading) for index, seen in enumerate(self._seen.values())]
            self._everything = self._message("snapshot", channels, rows)
        return self._everything

    def _change(self, before: Mapping[Key, Seen]) -> str:
        """Return what changed; other channels than before, or in another order, are told as a snapshot."""
        if list(before) != list(self._seen):
            return self._snapshot()
        channels: list[Mapping[str, object]] = []
        rows = []
        for index, (old, new) in enumerate(zip(before.values(), self._seen.values(), strict=True)):
            if old.facts is not new.facts:
                channels.append(told(new) | {"index": index})
            if old.reading != new.reading:
                rows.append(row(index, new.reading))
        return self._message("change", channels, rows)

    def _message(self, kind: str, channels: Sequence[Mapping[str, object]], rows: Sequence[bytes]) -> str:
        message = {
            "kind": kind,
            "number": self._number,
            "at": round(time.time(), 3),
            "cores": list(self.cores.values()),
            "channels": channels,
            "values": msgspec.Raw(b"[" + b",".join(rows) + b"]"),
        }
        return msgspec.json.encode(message).decode()


def _key(seen: Seen) -> Key:
    return seen.core, seen.facts.channel
