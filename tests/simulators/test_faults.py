"""Faults on the wire of a real (simulated) 2450, asked for over its rehearsal port."""

import asyncio
import math
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from simulators.keithley2450 import Keithley2450
from tests.simulators.json_port import JsonPort, json_port
from tests.simulators.linear_cell import LinearCell


class Client:
    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    async def ask(self, line: bytes = b"*IDN?") -> bytes:
        self.writer.write(line + b"\n")
        return await self.reader.readline()


@asynccontextmanager
async def bench() -> AsyncIterator[tuple[Client, JsonPort]]:
    async with (
        Keithley2450.serve(cell=LinearCell(), speed=math.inf, seed=1) as served,
        json_port(served.rehearsal) as port,
    ):
        reader, writer = await asyncio.open_connection("127.0.0.1", int(served.address.split("::")[2]))
        try:
            yield Client(reader, writer), port
        finally:
            writer.close()


async def test_a_mute_instrument_says_nothing_but_does_what_it_is_told() -> None:
    async with bench() as (client, port):
        assert "now" in await port.ask({"fault": {"mute": 2}})
        client.writer.write(b"*IDN?\n:SOUR:CURR 0.5;CURR?\n")
        assert await client.ask(b":SOUR:CURR?;*LANG?") == b"5.000000E-01;SCPI\n"


async def test_a_short_answer_runs_into_the_next() -> None:
    async with bench() as (client, port):
        identity = await client.ask()
        await port.ask({"fault": {"short": 1}})
        client.writer.write(b"*IDN?\n")
        assert await client.ask() == identity[: len(identity) // 2] + identity


async def test_a_garbled_answer_keeps_its_length_and_end() -> None:
    async with bench() as (client, port):
        identity = await client.ask()
        await port.ask({"fault": {"garbled": 1}})
        garbled = await client.ask()
        assert len(garbled) == len(identity)
        assert garbled.endswith(b"\n")
        assert garbled != identity
        assert await client.ask() == identity


async def test_a_late_answer_comes_before_the_one_asked_for_meanwhile() -> None:
    async with bench() as (client, port):
        identity = await client.ask()
        await port.ask({"fault": {"late": 0.1}})
        client.writer.write(b"*IDN?\n")
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(client.reader.readline(), 0.002)
        assert await client.ask(b"*LANG?") == identity
        assert await client.reader.readline() == b"SCPI\n"


async def test_a_reset_hangs_up_and_the_instrument_lives_on() -> None:
    async with bench() as (client, port):
        await client.ask(b":SOUR:CURR 0.5;*IDN?")
        await port.ask({"fault": {"reset": 1}})
        with pytest.raises(ConnectionResetError):
            await client.reader.readexactly(1)
        assert await port.now() == 0.0


async def test_a_deaf_instrument_does_nothing_it_is_told() -> None:
    async with bench() as (client, port):
        await client.ask()  # lets time begin, at 0 s, where it stands
        await port.ask({"fault": "deaf"})
        client.writer.write(b":SOUR:CURR 0.5;CURR?\n")
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(client.reader.readline(), 0.05)
        await port.ask({"fault": {"clear": True}})
        assert await client.ask(b":SOUR:CURR?") == b"0.000000E+00\n"


async def test_a_slow_answer_dribbles_in_whole() -> None:
    async with bench() as (client, port):
        identity = await client.ask()
        await port.ask({"fault": "slow by 0.1 s 1 times"})
        began = asyncio.get_running_loop().time()
        client.writer.write(b"*IDN?\n")
        first = await client.reader.read(1000)
        rest = await client.reader.readline()
        assert first + rest == identity
        assert len(first) < len(identity) / 2
        assert asyncio.get_running_loop().time() - began >= 0.09


async def test_answers_that_are_one_behind_come_in_the_place_of_the_next() -> None:
    async with bench() as (client, port):
        identity = await client.ask()
        await port.ask({"fault": {"fault": "behind", "times": 2}})
        client.writer.write(b"*IDN?\n")
        assert await client.ask(b"*LANG?") == identity
        assert await client.ask(b":SOUR:CURR?") == b"SCPI\n"
        assert await client.reader.readline() == b"0.000000E+00\n"


async def test_a_fault_of_the_wire_acts_from_its_moment_to_its_moment() -> None:
    async with bench() as (client, port):
        await client.ask()
        await port.ask({"fault": {"fault": "mute", "at": 30, "for": 5}})
        for moment, hears in ((29.9, True), (30.0, False), (34.9, False), (35.0, True)):
            await port.ask({"until": moment})
            client.writer.write(b"*LANG?\n")
            try:
                assert await asyncio.wait_for(client.reader.readline(), 60.0 if hears else 0.02) == b"SCPI\n"
            except TimeoutError:
                assert not hears
            else:
                assert hears


async def test_what_is_no_fault_is_refused_and_the_instrument_goes_on() -> None:
    async with bench() as (client, port):
        refusal = await port.ask({"fault": "fire for 5 s"})
        assert "wanted KIND" in refusal["error"]
        assert (await client.ask()).startswith(b"KEITHLEY")
