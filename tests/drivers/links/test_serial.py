"""What a serial link promises, with real pyserial on a real pseudo-terminal."""

import asyncio

import pytest

from drivers.errors import LinkError, SilenceError
from drivers.links import Link, LinkOptions
from drivers.links.opening import open_link
from tests.drivers.servers import Pty, pty


async def opened(port: Pty) -> Link:
    return await open_link(f"serial://{port.path}", LinkOptions(baud_rate=921_600, deadline=1.0))


async def test_a_query_returns_its_answer() -> None:
    async with pty() as port:
        port.answer = lambda heard: b"i123\n"
        link = await opened(port)
        assert await link.query("i") == "i123"
        assert port.heard == b"i\n"
        await link.aclose()


async def test_carriage_returns_and_flow_control_are_no_part_of_a_line() -> None:
    async with pty() as port:
        link = await opened(port)
        port.say(b"\x11t1500#\r\n\x13R*\n")
        assert await link.read() == "t1500#"
        assert await link.read() == "R*"
        await link.aclose()


async def test_a_line_torn_anywhere_comes_whole() -> None:
    async with pty() as port:
        link = await opened(port)
        for byte in b"Pda8000000 \n":
            port.say(bytes((byte,)))
            await asyncio.sleep(0)
        assert await link.read() == "Pda8000000 "
        await link.aclose()


async def test_a_late_answer_is_thrown_away_before_the_next_question() -> None:
    async with pty() as port:
        port.answer = lambda heard: b"second\n" if heard == b"2\n" else b""
        link = await opened(port)
        with pytest.raises(SilenceError):
            await link.query("1", deadline=0.05)
        port.say(b"first\n")
        assert await link.query("2") == "second"
        await link.aclose()


async def test_a_port_has_one_owner() -> None:
    async with pty() as port:
        link = await opened(port)
        with pytest.raises(LinkError, match="cannot open"):
            await opened(port)
        await link.aclose()


async def test_an_unplugged_port_is_a_link_error() -> None:
    async with pty() as port:
        link = await opened(port)
        port.unplug()
        with pytest.raises(LinkError, match="the port is gone"):
            await link.read()
        with pytest.raises(LinkError, match="cannot open"):
            await link.read()
        await link.aclose()


async def test_a_device_that_is_not_there_is_a_link_error() -> None:
    with pytest.raises(LinkError, match="cannot open"):
        await open_link("serial:///dev/does-not-exist")
