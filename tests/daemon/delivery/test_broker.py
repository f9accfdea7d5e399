"""The embedded broker serves this machine, quietly, and nobody else."""

import asyncio
import sys

import aiomqtt
import pytest

from daemon.delivery.broker import serve_broker
from daemon.errors import ConfigurationError, UnavailableError
from tests.daemon.deliveries import free_port, running_broker


async def test_a_message_goes_through() -> None:
    port = free_port()
    async with running_broker(port), aiomqtt.Client("127.0.0.1", port) as client:
        await client.subscribe("here/#", qos=1)
        await client.publish("here/now", b"\x00\xff", qos=1)
        async with asyncio.timeout(60):
            message = await anext(client.messages)
        assert (message.topic.value, message.payload, message.retain) == ("here/now", b"\x00\xff", False)


@pytest.mark.parametrize("host", ["0.0.0.0", "192.168.1.5", "lab.example", ""])
async def test_only_this_machine_may_connect(host: str) -> None:
    with pytest.raises(ConfigurationError, match="wanted a loopback address"):
        await serve_broker(host, free_port(), lambda: None)


async def test_a_taken_port_is_named() -> None:
    port = free_port()
    async with running_broker(port):
        with pytest.raises(UnavailableError, match=f"cannot listen on 127.0.0.1:{port}"):
            await serve_broker("127.0.0.1", port, lambda: None)


async def test_in_a_process_of_its_own_it_prints_nothing() -> None:
    port = free_port()
    program = (
        "import asyncio; from daemon.delivery.broker import serve_broker\n"
        f"asyncio.run(serve_broker('127.0.0.1', {port}, lambda: None))"
    )
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", program, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
    )
    try:
        async with asyncio.timeout(60):
            while True:
                try:
                    async with aiomqtt.Client("127.0.0.1", port) as client:
                        await client.publish("any", b"thing", qos=1)
                    break
                except aiomqtt.MqttError:
                    await asyncio.sleep(0.02)
    finally:
        process.terminate()
        printed, _ = await process.communicate()
    assert printed == b""
