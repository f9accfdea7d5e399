"""Everybody who is told of what happens: recipients of notices, and the lab's MQTT broker."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable, Iterator
from functools import partial

from daemon.notices.announcer import Announcer
from daemon.notices.commands import Commands
from daemon.notices.happening import Happening
from daemon.notices.home_assistant import Devices
from daemon.notices.notice_file import recipients
from daemon.notices.sender import Sender
from daemon.notices.watchman import Watchman
from daemon.web.cores import Cores
from daemon.web.live import Live
from daemon.web.seen import Seen
from daemon.web.settings import Settings
from daemon.web.tokens import Tokens

_log = logging.getLogger(__name__)

SELDOM = 3.0
"""Seconds between looks of the watchman: what he tells of can wait that long."""

PAUSE = 1.0
"""Seconds before a part that broke begins again."""


class Telling:
    """What the settings ask for, and nothing where they ask for nothing."""

    def __init__(self, settings: Settings, cores: Cores, tokens: Tokens) -> None:
        """Raises `ProtocolError` for a file of notices with mistakes in it."""
        self.live = Live(cores, [self._hear_state], self._look)
        told = recipients(settings.notices) if settings.notices is not None else []
        self._sender = Sender(told, settings.url, settings.cache / "notices.json") if told else None
        broker = settings.broker
        self._announcers = {} if broker is None else self._all_announcers(broker, cores.names, settings)
        obeys = broker is not None and settings.mqtt_commands
        self._commands = Commands(broker, cores, tokens) if broker is not None and obeys else None
        self._looked = 0.0
        self._watchman = Watchman(settings.cache / "last-seen.json", self._tell, self._keep)

    async def run(self) -> None:
        """Look at the cores and tell, until cancelled."""
        async with asyncio.TaskGroup() as group:
            group.create_task(kept_up(self.live.run, "the live stream"), name="live")
            for part in self._parts():
                name = type(part).__name__
                group.create_task(kept_up(part.run, name), name=name)

    def _all_announcers(self, broker: str, cores: Iterable[str], settings: Settings) -> dict[str, Announcer]:
        """Return one for each core: a connection has one last will."""
        found = {}
        for core in cores:
            devices = Devices(core, settings.url) if settings.home_assistant else None
            found[core] = Announcer(broker, core, partial(self._channels_of, core), devices)
        return found

    def _channels_of(self, core: str) -> list[Seen]:
        return [seen for seen in self.live.channels.values() if seen.core == core]

    def _parts(self) -> Iterator[Sender | Announcer | Commands]:
        for part in (self._sender, *self._announcers.values(), self._commands):
            if part is not None:
                yield part

    def _hear_state(self, before: Seen | None, now: Seen) -> None:
        if now.core in self._announcers:
            self._announcers[now.core].hear_state(before, now)

    def _look(self, live: Live, now: float) -> None:
        if now - self._looked < SELDOM and now > self._looked:
            return
        self._looked = now
        self._watchman.look(live.channels.values(), live.cores.values(), now)
        for announcer in self._announcers.values():
            announcer.look()

    def _tell(self, happening: Happening) -> None:
        for part in (self._sender, self._announcers.get(happening.core)):
            if part is not None:
                part.hear(happening)

    def _keep(self) -> None:
        if self._sender is not None:
            self._sender.keep()


async def kept_up(run: Callable[[], Awaitable[None]], name: str, pause: float = PAUSE) -> None:
    """Run it until cancelled; what nobody foresaw ends neither it nor those beside it, and is logged."""
    while True:
        try:
            await run()
        except Exception:
            _log.exception("%s broke, and begins again", name)
        await asyncio.sleep(pause)
