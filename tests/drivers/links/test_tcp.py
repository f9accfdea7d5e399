"""What a TCP link promises, against a real socket."""

import asyncio

import pytest

from drivers.errors import LinkError, SilenceError
from drivers.links.opening import open_link
from tests.daemon.deliveries import until
from tests.drivers.servers import tcp_server


def echo(line: str) -> bytes:
    return f"heard {line}\n".encode()


async def test_a_query_returns_its_answer() -> None:
    async with tcp_server(echo) as server:
        link = await open_link(f"tcp://127.0.0.1:{server.port}")
        assert await link.query("one") == "heard one"
        await link.aclose()


async def test_concurrent_queries_never_swap_answers() -> None:
    async with tcp_server(echo) as server:
        link = await open_link(f"tcp://127.0.0.1:{server.port}")
        answers = await asyncio.gather(*(link.query(str(n)) for n in range(50)))
        assert answers == [f"heard {n}" for n in range(50)]
        await link.aclose()


async def test_a_late_answer_is_never_taken_for_the_next_one() -> None:
    async with tcp_server(lambda line: b"" if line == "slow" else echo(line)) as server:
        link = await open_link(f"tcp://127.0.0.1:{server.port}")
        with pytest.raises(SilenceError, match=r"'slow': no answer within 0.05 s"):
            await link.query("slow", deadline=0.05)
        server.writers[0].write(b"heard slow\n")
        assert await link.query("next") == "heard next"
        assert server.connections == 2
        await link.aclose()


async def test_a_cancelled_query_leaves_the_link_usable() -> None:
    async with tcp_server(lambda line: b"" if line == "slow" else echo(line)) as server:
        link = await open_link(f"tcp://127.0.0.1:{server.port}")
        asking = asyncio.create_task(link.query("slow", deadline=60.0))
        await until(lambda: server.received == ["slow"])
        asking.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asking
        server.writers[0].write(b"heard slow\n")
        assert await link.query("next") == "heard next"
        await link.aclose()


async def test_an_answer_that_came_unasked_is_no_answer() -> None:
    async with tcp_server(lambda line: b"heard it\nand more\n" if line == "twice" else echo(line)) as server:
        link = await open_link(f"tcp://127.0.0.1:{server.port}")
        assert await link.query("twice") == "heard it"
        assert await link.query("next") == "heard next"
        await link.aclose()


async def test_half_a_line_is_kept_until_the_rest_has_come() -> None:
    async with tcp_server(lambda line: b"first\r\nsec") as server:
        link = await open_link(f"tcp://127.0.0.1:{server.port}")
        await link.write("go")
        assert await link.read_lines(60.0) == ["first"]
        assert await link.read_lines(0.002) == []
        server.writers[0].write(b"ond\nthird\n")
        assert await link.read_lines(60.0) == ["second", "third"]
        await link.aclose()


async def test_a_message_can_be_sent_while_somebody_listens() -> None:
    async with tcp_server(echo) as server:
        link = await open_link(f"tcp://127.0.0.1:{server.port}")
        listening = asyncio.create_task(link.read_lines(60.0))
        await asyncio.sleep(0.002)
        await link.write("stop")
        assert await listening == ["heard stop"]
        await link.aclose()


async def test_a_lost_connection_is_told_once_and_then_mended() -> None:
    async with tcp_server(echo) as server:
        link = await open_link(f"tcp://127.0.0.1:{server.port}")
        await link.query("one")
        server.writers[0].close()
        with pytest.raises(LinkError, match="the port is gone"):
            await link.query("two")
        assert await link.query("three") == "heard three"
        await link.aclose()


async def test_nobody_there_is_a_link_error() -> None:
    async with tcp_server(echo) as server:
        port = server.port
    with pytest.raises(LinkError, match="cannot connect"):
        await open_link(f"tcp://127.0.0.1:{port}")


async def test_a_closed_link_stays_closed() -> None:
    async with tcp_server(echo) as server:
        link = await open_link(f"tcp://127.0.0.1:{server.port}")
        await link.aclose()
        await link.aclose()
        with pytest.raises(LinkError, match="closed"):
            await link.query("one")


@pytest.mark.parametrize(
    ("address", "message"),
    [
        ("GPIB0::24::INSTR", "wanted visa://RESOURCE"),
        ("tcp://localhost", "wanted tcp://host:port"),
        ("tcp://localhost:port", "port"),
        ("http://localhost:80", "'http' is not one of"),
    ],
)
async def test_a_wrong_address_says_what_is_wanted(address: str, message: str) -> None:
    with pytest.raises(LinkError, match=message):
        await open_link(address)
