"""Whether somebody is connected to the broker, retained there: its last will says when it no longer is."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aiomqtt

from daemon.delivery.connection import BrokerAddress, connected

ONLINE, OFFLINE = b'"online"', b'"offline"'

FAREWELL = 1.0
"""Seconds a broker may take to hear that we go; where it does not, the last will says it."""


def core_topic(core: str) -> str:
    """Topic of whether a core is connected."""
    return f"galvanod/v1/{core}/core"


def page_topic(core: str) -> str:
    """Topic of whether the page that announces a core's channels is connected."""
    return f"galvanod/v1/{core}/page"


@asynccontextmanager
async def present(address: BrokerAddress, identifier: str, topic: str) -> AsyncIterator[aiomqtt.Client]:
    """Connect as `connected` does; `topic` says `"online"` while inside and `"offline"` afterwards.

    At most once (QoS 0): the embedded broker keeps what is sent with more care for clients that have
    gone, and the next connection says it anew.
    """
    will = aiomqtt.Will(topic, OFFLINE, qos=0, retain=True)
    async with connected(address, identifier, will) as client:
        await client.publish(topic, ONLINE, qos=0, retain=True)
        try:
            yield client
        finally:
            with contextlib.suppress(aiomqtt.MqttError, TimeoutError):
                async with asyncio.timeout(FAREWELL):
                    await client.publish(topic, OFFLINE, qos=0, retain=True)
