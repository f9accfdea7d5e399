"""The embedded broker: carries messages on this machine and keeps none."""

import asyncio
import ipaddress
import logging
from collections.abc import Callable

from amqtt.broker import Broker
from amqtt.contexts import BrokerConfig, ListenerConfig, ListenerType
from amqtt.errors import BrokerError

from daemon.errors import ConfigurationError, UnavailableError


async def serve_broker(host: str, port: int, ready: Callable[[], None]) -> None:
    """Serve MQTT 3.1.1 on a loopback address until cancelled; `ready` is called once clients may come.

    Nobody is asked for a password and nothing is kept, which is why only this machine may
    connect: other hosts raise `ConfigurationError`. A taken port raises `UnavailableError`.
    """
    for name in ("amqtt", "transitions"):  # a client that leaves is ordinary, and tells of it itself
        logging.getLogger(name).setLevel(logging.CRITICAL)
    broker = Broker(_configuration(host, port))
    try:
        await broker.start()
    except BrokerError as error:
        raise UnavailableError(
            f"the embedded broker cannot listen on {host}:{port}: {error.__cause__ or error}"
        ) from error
    ready()
    try:
        await asyncio.get_running_loop().create_future()  # for ever, which cancelling ends
    finally:
        await broker.shutdown()


def _configuration(host: str, port: int) -> BrokerConfig:
    if not _is_loopback(host):
        raise ConfigurationError(f"the embedded broker listens on {host!r}; wanted a loopback address")
    return BrokerConfig(
        listeners={"default": ListenerConfig(type=ListenerType.TCP, bind=f"{host}:{port}")},
        plugins={"amqtt.plugins.authentication.AnonymousAuthPlugin": {"allow_anonymous": True}},
    )


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
