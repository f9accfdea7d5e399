"""The embedded broker: carries messages on this machine and keeps none."""

import asyncio
import ipaddress
import logging
from collections.abc import Callable

from amqtt.broker import Broker
from amqtt.contexts import BrokerConfig, ListenerConfig, ListenerType
from amqtt.errors import BrokerError

from daemon.errors import ConfigurationError, UnavailableError

SHUTDOWN = 5.0  # seconds


class _Broker(Broker):  # type: ignore[misc]  # amqtt ships no types
    """Ends every connection before itself.

    amqtt's own shutdown forgets connections without a session, and waits for ever where its
    reader loses the cancellation; a reader whose connection is gone ends by itself.
    """

    def __init__(self, config: BrokerConfig) -> None:
        super().__init__(config)
        self._connections: dict[asyncio.Task[object] | None, asyncio.StreamWriter] = {}
        self._ending = False

    async def stream_connected(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, listener_name: str
    ) -> None:
        if self._ending:  # it was accepted just before, and would talk to nobody
            writer.transport.abort()
            return
        task = asyncio.current_task()
        self._connections[task] = writer
        try:
            await super().stream_connected(reader, writer, listener_name)
        finally:
            del self._connections[task]
            writer.close()

    async def shutdown(self) -> None:
        self._ending = True
        for server in self._servers.values():
            server.instance.close()  # nobody new
        for writer in self._connections.values():
            writer.transport.abort()
        tasks = [task for task in self._connections if task is not None]
        if tasks:
            await asyncio.wait(tasks, timeout=SHUTDOWN)
        await asyncio.wait_for(super().shutdown(), SHUTDOWN)


async def serve_broker(host: str, port: int, ready: Callable[[], None]) -> None:
    """Serve MQTT 3.1.1 on a loopback address until cancelled; `ready` is called once clients may come.

    Nobody is asked for a password and nothing is kept, which is why only this machine may
    connect: other hosts raise `ConfigurationError`. A taken port raises `UnavailableError`.
    """
    for name in ("amqtt", "transitions"):  # a client that leaves is ordinary, and tells of it itself
        logging.getLogger(name).setLevel(logging.CRITICAL)
    broker = _Broker(_configuration(host, port))
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
