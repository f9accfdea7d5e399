"""The announcer: what channels do and what happens, on the lab's MQTT broker, for whoever subscribes.

Topics below `galvanod/v1/CORE`, described in docs/asyncapi.yaml:
  `channel/NAME/state`   retained, when it changes
  `channel/NAME/values`  every ten seconds while it runs
  `event`                what happened
  `page`                 retained, whether it is connected

With `devices` it also tells Home Assistant what there is.
"""

import asyncio
import logging
from collections.abc import Callable, Collection, Mapping

import aiomqtt
import msgspec

from daemon.delivery.connection import Arrived, BrokerAddress, staying_connected
from daemon.delivery.presence import page_topic, present
from daemon.notices.happening import Happening
from daemon.notices.home_assistant import DEVICES, Devices
from daemon.web.seen import Seen, latest, told

_log = logging.getLogger(__name__)

INTERVAL = 10.0
"""Seconds between values."""

MOST_PER_SECOND = 10.0
"""Values announced: of a thousand channels less often."""

MOST_WAITING = 4_096
"""Messages that may wait for a broker that is slow; beyond it the oldest are left out."""


def topic(core: str, *parts: str) -> str:
    """Return a topic of a core."""
    return "/".join(("galvanod/v1", core, *parts))


class Announcer:
    """Publishes what is to be heard of one core to a broker, which it waits for; nothing waits for it."""

    def __init__(
        self,
        broker_url: str,
        core: str,
        channels: Callable[[], Collection[Seen]],
        devices: Devices | None = None,
    ) -> None:
        self._address = BrokerAddress.parse(broker_url)
        self._core = core
        self._channels = channels
        self._devices = devices
        self._announced: set[str] = set()
        """Channels of which a state is retained."""
        self._messages: asyncio.Queue[tuple[str, bytes, bool]] = asyncio.Queue()
        self._unsent: tuple[str, bytes, bool] | None = None
        """What was being sent when the broker went away: sent first when it is back."""

    def hear_state(self, before: Seen | None, now: Seen) -> None:
        """Announce a channel whose facts have changed."""
        self._announced.add(now.facts.channel)
        self._put(self._state_topic(now.facts.channel), _state(now), retain=True)

    def hear(self, happening: Happening) -> None:
        """Announce something that happened."""
        self._put(topic(happening.core, "event"), happening.plain(), retain=False)

    def look(self) -> None:
        """Have the broker forget channels that have left the bench, and tell Home Assistant of all."""
        channels = self._channels()
        there = {seen.facts.channel for seen in channels}
        if there:  # else the core has not said anything yet
            for name in sorted(self._announced - there):
                self._queue(self._state_topic(name), b"", retain=True)
            self._announced &= there
        if self._devices is not None:
            for name, payload in self._devices.changes(channels):
                self._queue(name, payload, retain=True)

    async def run(self) -> None:
        """Publish until cancelled; a broker that is not there or goes away is waited for."""
        await staying_connected(self._address, _log, self._serve)

    async def _serve(self, arrived: Arrived) -> None:
        async with present(self._address, f"galvanod-page-{self._core}", page_topic(self._core)) as client:
            arrived()
            for seen in self._channels():  # whoever subscribed to a broker that forgot is told anew
                self.hear_state(None, seen)
            async with asyncio.TaskGroup() as group:
                group.create_task(self._send(client), name="announcements")
                group.create_task(self._values(), name="values")
                if self._devices is not None:
                    group.create_task(self._hear_devices(client, self._devices), name="devices")

    async def _hear_devices(self, client: aiomqtt.Client, devices: Devices) -> None:
        """Learn which devices the broker still knows: of channels that went while nobody announced, too."""
        devices.forget()
        await client.subscribe(DEVICES)
        async for message in client.messages:
            devices.hear(message.topic.value, message.payload if isinstance(message.payload, bytes) else b"")

    async def _send(self, client: aiomqtt.Client) -> None:
        while True:
            if self._unsent is None:
                self._unsent = await self._messages.get()
            name, payload, retain = self._unsent
            # A state that is lost is told again; the embedded broker keeps what is sent with more care
            # for clients that have gone, and hands it to whoever comes next.
            await client.publish(name, payload, qos=1 if name.endswith("/event") else 0, retain=retain)
            self._unsent = None

    async def _values(self) -> None:
        while True:
            running = sum(seen.facts.state == "running" for seen in self._channels())
            await asyncio.sleep(max(INTERVAL, running / MOST_PER_SECOND))
            for seen in self._channels():
                if seen.facts.state == "running":
                    self._put(
                        topic(seen.core, "channel", seen.facts.channel, "values"), latest(seen.values), False
                    )

    def _state_topic(self, channel: str) -> str:
        return topic(self._core, "channel", channel, "state")

    def _put(self, name: str, content: Mapping[str, object], retain: bool) -> None:
        self._queue(name, msgspec.json.encode(content), retain)

    def _queue(self, name: str, payload: bytes, retain: bool) -> None:
        while self._messages.qsize() >= MOST_WAITING:
            self._messages.get_nowait()
        self._messages.put_nowait((name, payload, retain))


def _state(seen: Seen) -> Mapping[str, object]:
    return told(seen) | {"values": latest(seen.values)}
