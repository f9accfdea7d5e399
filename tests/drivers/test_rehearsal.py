"""What the clock of a rehearsal promises, against a small server that holds a number."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from drivers.errors import LinkError
from drivers.rehearsal import RehearsalClock
from tests.daemon.deliveries import until
from tests.drivers.servers import Server, tcp_server


class Instrument:
    """Time that moves only when it is let; `speed` of an answer is up to `release`."""

    def __init__(self) -> None:
        self.time = 5.0
        self.asked: list[object] = []

    def answer(self, line: str) -> bytes:
        question = json.loads(line)
        self.asked.append(question)
        if "truth" in question:
            return b'{"truth": {"capacity": 3.6}}\n'
        if question.get("until") is not None:
            if question["until"] > 1e6:
                return b""  # takes for ever
            self.time = max(self.time, question["until"])
        return json.dumps({"now": self.time}).encode() + b"\n"


@asynccontextmanager
async def rehearsal() -> AsyncIterator[tuple[RehearsalClock, Instrument, Server]]:
    instrument = Instrument()
    async with tcp_server(instrument.answer) as server:
        clock = await RehearsalClock.connect(f"tcp://127.0.0.1:{server.port}")
        try:
            yield clock, instrument, server
        finally:
            await clock.aclose()


async def test_the_clock_is_held_first() -> None:
    async with rehearsal() as (_, instrument, _server):
        assert instrument.asked == [{"hold": True}]


async def test_time_passes_only_as_far_as_asked() -> None:
    async with rehearsal() as (clock, _, _server):
        assert await clock.now() == 5.0
        assert await clock.sleep_until(12.5) == 12.5
        assert await clock.sleep_until(3.0) == 12.5
        assert await clock.now() == 12.5


async def test_the_truth_comes_as_plain_data() -> None:
    async with rehearsal() as (clock, _, _server):
        assert await clock.truth() == {"capacity": 3.6}


async def test_the_answer_of_a_cancelled_sleep_is_not_taken_for_the_next() -> None:
    async with rehearsal() as (clock, instrument, server):
        sleeping = asyncio.create_task(clock.sleep_until(2e6))
        await until(lambda: {"until": 2e6} in instrument.asked)
        sleeping.cancel()
        with pytest.raises(asyncio.CancelledError):
            await sleeping
        server.writers[0].write(b'{"now": 2000000.0}\n')
        assert await clock.now() == 5.0


async def test_a_lost_connection_is_a_link_error() -> None:
    async with rehearsal() as (clock, _, server):
        server.writers[0].close()
        with pytest.raises(LinkError, match="gone"):
            await clock.sleep_until(6.0)


@pytest.mark.parametrize("answer", [b"nonsense\n", b"[1]\n", b'{"now": "soon"}\n', b'{"now": true}\n'])
async def test_nonsense_is_a_link_error(answer: bytes) -> None:
    async with tcp_server(lambda line: answer) as server:
        with pytest.raises(LinkError):
            await RehearsalClock.connect(f"tcp://127.0.0.1:{server.port}")
