"""The announcer: what channels do and what happens, on the lab's MQTT broker, for whoever subscribes.

Topics below `galvanod/v1/CORE`, described in docs/asyncapi.yaml:
  `channel/NAME/state`   retained, when it changes
  `channel/NAME/values`  every ten seconds while it runs
  `event`                what happened
  `page`                 retained, `online` once it has connected
"""

import asyncio
import logging
from collections.abc import Callable, Iterable, Mapping

import aiomqtt
import msgspec

from daemon.delivery.connection import Backoff, BrokerAddress, connected, heed_cancellation
from daemon.notices.happening import Happening
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
    """Publishes to a broker, which it waits for; nothing waits for it."""

    def __init__(self, broker_url: str, cores: Iterable[str], channels: Callable[[], Iterable[Seen]]) -> None:
        self._address = BrokerAddress.parse(broker_url)
        self._cores = list(cores)
        self._channels = channels
        self._messages: asyncio.Queue[tuple[str, bytes, bool]] = asyncio.Queue()
        self._unsent: tuple[str, bytes, bool] | None = None
        """What was being sent when the broker went away: sent first when it is back."""

    def hear_state(self, before: Seen | None, now: Seen) -> None:
        """Announce a channel whose facts have changed."""
        self._put(topic(now.core, "channel", now.facts.channel, "state"), _state(now), retain=True)

    def hear(self, happening: Happening) -> None:
        """Announce something that happened."""
        self._put(topic(happening.core, "event"), happening.plain(), retain=False)

    async def run(self) -> None:
        """Publish until cancelled; a broker that is not there or goes away is waited for."""
        backoff = Backoff()
        while True:
            try:
                await self._serve(backoff)
            except* aiomqtt.MqttError as errors:
                _log.warning("announcements: broker %s: %s", self._address, errors.exceptions[0])
            heed_cancellation()
            await asyncio.sleep(backoff.next())

    async def _serve(self, backoff: Backoff) -> None:
        async with connected(self._address, f"galvanod-page-{self._cores[0]}") as client:
            backoff.reset()
            for core in self._cores:
                await client.publish(topic(core, "page"), b'"online"', qos=1, retain=True)
            for seen in self._channels():  # whoever subscribed to a broker that forgot is told anew
                self.hear_state(None, seen)
            async with asyncio.TaskGroup() as group:
                group.create_task(self._send(client), name="announcements")
                group.create_task(self._values(), name="values")

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

    def _put(self, name: str, content: Mapping[str, object], retain: bool) -> None:
        while self._messages.qsize() >= MOST_WAITING:
            self._messages.get_nowait()
        self._messages.put_nowait((name, msgspec.json.encode(content), retain))


def _state(seen: Seen) -> Mapping[str, object]:
    return told(seen) | {"values": latest(seen.values)}
