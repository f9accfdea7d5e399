"""Clients that arrive at a port just as it closes."""

import asyncio
import gc
import socket

import pytest

from simulators.streams import Listener, TcpStream


async def converse(stream: TcpStream) -> None:
    while await stream.read():
        pass


@pytest.mark.parametrize("turns", range(4))
@pytest.mark.parametrize("goes_first", [True, False])
async def test_a_client_that_arrives_as_the_port_closes_is_hung_up_on(turns: int, goes_first: bool) -> None:
    # what is left open warns when it is collected, and a warning is an error here
    listener = Listener(converse)
    await listener.listen()
    clients = [socket.create_connection(("127.0.0.1", listener.port)) for _ in range(3)]
    for _ in range(turns):
        await asyncio.sleep(0)
    if goes_first:
        listener.go()
    await listener.aclose()
    for client in clients:
        client.close()
    gc.collect()
