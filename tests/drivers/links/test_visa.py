"""What a VISA link promises, with real PyVISA on loopback."""

import asyncio

import pytest

from drivers.errors import LinkError, SilenceError
from drivers.links import Link
from drivers.links.opening import open_link
from tests.daemon.deliveries import until
from tests.drivers.links.hislip import hislip_server
from tests.drivers.servers import Server, pty, tcp_server


def echo(line: str) -> bytes:
    return f"heard {line}\n".encode()


async def opened(server: Server) -> Link:
    return await open_link(f"visa://TCPIP0::127.0.0.1::{server.port}::SOCKET")


async def test_a_query_returns_its_answer() -> None:
    async with tcp_server(echo) as server:
        link = await opened(server)
        assert await link.query("*IDN?") == "heard *IDN?"
        await link.aclose()


async def test_concurrent_queries_never_swap_answers() -> None:
    async with tcp_server(echo) as server:
        link = await opened(server)
        answers = await asyncio.gather(*(link.query(str(n)) for n in range(20)))
        assert answers == [f"heard {n}" for n in range(20)]
        await link.aclose()


async def test_a_late_answer_is_never_taken_for_the_next_one() -> None:
    async with tcp_server(lambda line: b"" if line == "slow" else echo(line)) as server:
        link = await opened(server)
        with pytest.raises(SilenceError, match=r"'slow': no answer within 0.1 s"):
            await link.query("slow", deadline=0.1)
        server.writers[0].write(b"heard slow\n")
        assert await link.query("next") == "heard next"
        await link.aclose()


async def test_a_cancelled_query_leaves_the_link_usable() -> None:
    async with tcp_server(lambda line: b"" if line == "slow" else echo(line)) as server:
        link = await opened(server)
        asking = asyncio.create_task(link.query("slow", deadline=0.5))
        await until(lambda: server.received == ["slow"])
        asking.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asking
        assert await link.query("next") == "heard next"
        await link.aclose()


async def test_half_an_answer_is_an_error_and_not_an_answer() -> None:
    async with tcp_server(lambda line: b"1.234" if line == "short" else echo(line)) as server:
        link = await opened(server)
        with pytest.raises(LinkError, match=r"half a line|no answer"):
            await link.query("short", deadline=0.02)
        assert await link.query("next") == "heard next"
        await link.aclose()


async def test_what_is_said_unasked_is_read_line_by_line() -> None:
    async with tcp_server(lambda line: b"one\ntwo\n") as server:
        link = await opened(server)
        assert await link.read_lines(0.002) == []
        await link.write("go")
        assert await link.read_lines(1.0) == ["one", "two"]
        await link.aclose()


async def test_a_lost_connection_is_an_error_and_is_mended() -> None:
    async with tcp_server(echo) as server:
        link = await opened(server)
        await link.query("one")
        server.writers[0].close()
        with pytest.raises(LinkError):
            await link.query("two", deadline=0.02)
        assert await link.query("three") == "heard three"
        await link.aclose()


async def test_a_serial_line_over_visa_drops_a_late_answer() -> None:
    async with pty() as port:
        port.answer = lambda heard: b"second\n" if heard == b"2\n" else b""
        link = await open_link(f"visa://ASRL{port.path}::INSTR")
        with pytest.raises(SilenceError):
            await link.query("1", deadline=0.01)
        port.say(b"first\n")
        assert await link.query("2", deadline=1.0) == "second"
        await link.aclose()


@pytest.mark.parametrize("resource", ["no such thing", "TCPIP0::127.0.0.1::1::SOCKET"])
async def test_nobody_there_is_a_link_error(resource: str) -> None:
    with pytest.raises(LinkError):
        await ask(f"visa://{resource}")


async def ask(address: str) -> None:
    """Open and ask: a raw socket that nobody listens to shows only when something is sent."""
    link = await open_link(address)
    try:
        await link.query("*IDN?", deadline=0.05)
    finally:
        await link.aclose()


async def test_a_message_based_instrument_is_cleared_after_silence() -> None:
    async with hislip_server(lambda line: None if line == "slow" else f"heard {line}\n") as (
        server,
        resource,
    ):
        link = await open_link(f"visa://{resource}")
        assert await link.query("*IDN?") == "heard *IDN?"
        with pytest.raises(SilenceError):
            await link.query("slow", deadline=0.05)
        assert await link.query("next") == "heard next"
        assert server.clears == 1
        await link.aclose()
