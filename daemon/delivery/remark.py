"""A remark of a person's on a run: to the recorder, which alone writes, and back once it is committed."""

import asyncio
import secrets
from typing import Any

import aiomqtt
import msgspec

from daemon.delivery.connection import BrokerAddress, connected
from daemon.delivery.messages import Acknowledged, Batch, Noted, acknowledged_topic, data_topic
from daemon.errors import UnavailableError

SOURCE = "page"
"""What stands for the core in the topics of remarks."""

PATIENCE = 8.0
"""Seconds a recorder may take to say that it has kept one."""


def ordinal() -> int:
    """Return an ordinal for a remark: below those of a core and of repairs, and nobody else's."""
    return -secrets.randbelow(2**30) - 2**16


async def keep(broker: str, remark: Noted) -> None:
    """Hand it to the recorder, and return when it is committed; `UnavailableError` where nobody says so."""
    sequence = secrets.randbits(48)
    batch = msgspec.msgpack.encode(Batch(SOURCE, 1, sequence, "notes", [remark]))
    address = BrokerAddress.parse(broker)
    try:
        async with asyncio.timeout(PATIENCE), connected(address, f"galvanod-note-{sequence:x}") as client:
            await client.subscribe(acknowledged_topic(SOURCE), qos=1)
            await client.publish(data_topic(SOURCE, "notes"), batch, qos=1)
            async for message in client.messages:
                if _acknowledges(message, sequence):
                    return
    except (TimeoutError, aiomqtt.MqttError) as error:
        raise UnavailableError(
            f"no recorder has confirmed the {remark.kind}: it may come later; look before you write it again"
        ) from error


def _acknowledges(message: aiomqtt.Message, sequence: int) -> bool:
    payload: Any = message.payload
    try:
        return sequence in msgspec.msgpack.decode(payload, type=Acknowledged).sequences
    except (msgspec.DecodeError, TypeError):
        return False
