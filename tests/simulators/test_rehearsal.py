"""The rehearsal port on a real socket, holding the time of a real (simulated) 2450."""

import asyncio
import math

import pytest

from simulators.keithley2450 import Keithley2450
from tests.simulators.json_port import json_port
from tests.simulators.linear_cell import LinearCell


async def test_a_held_instrument_lives_only_as_long_as_it_is_let() -> None:
    async with (
        Keithley2450.serve(cell=LinearCell(), speed=math.inf, seed=1) as served,
        json_port(served.rehearsal) as port,
    ):
        assert await port.ask({"hold": True}) == {"now": 0.0}
        assert await port.ask({"until": 3600}) == {"now": 3600.0}
        assert await port.ask({"until": 60.0}) == {"now": 3600.0}  # has been
        assert await port.ask({"now": None}) == {"now": 3600.0}


async def test_truth_is_the_cells_and_up_to_date() -> None:
    # Fresh from the box the output is off in NORMal mode: 10 % of the 10 nA range, 1 nA, out of the cell.
    async with (
        Keithley2450.serve(cell=LinearCell(), speed=math.inf, seed=1) as served,
        json_port(served.rehearsal) as port,
    ):
        await port.ask({"until": 1000.0})
        assert (await port.ask({"truth": None}))["truth"]["charge"] == pytest.approx(-1e-6)


@pytest.mark.parametrize(
    "line",
    [
        b"",
        b"garbage",
        b"\xff\xfe",
        b"[1]",
        b"{}",
        b'{"hold": 1}',
        b'{"until": true}',
        b'{"until": NaN}',
        b'{"until": 1e400}',
        b'{"until": "soon"}',
        b'{"now": null, "hold": true}',
        b'{"fault": "fire"}',
        b'{"fault": {"fire": 1}}',
        b'{"fault": {"mute": -1}}',
        b'{"fault": {"mute": true}}',
        b'{"fault": {"mute": NaN}}',
        b'{"fault": {"mute": 1, "short": 1}}',
        b"[" * 4000,
        b"x" * 100_000,
    ],
)
async def test_anything_else_is_refused_and_the_port_goes_on(line: bytes) -> None:
    async with (
        Keithley2450.serve(cell=LinearCell(), speed=math.inf, seed=1) as served,
        json_port(served.rehearsal) as port,
    ):
        refusal = await port.ask_raw(line)
        assert list(refusal) == ["error"]
        assert "seen" in refusal["error"]
        assert await port.now() == 0.0


async def test_a_holder_that_vanishes_lets_go() -> None:
    async with Keithley2450.serve(cell=LinearCell(), speed=1e6, seed=1) as served:
        async with json_port(served.rehearsal) as port:
            await port.ask({"hold": True})
            stood = await port.now()
            assert await port.now() == stood
        async with json_port(served.rehearsal) as port, asyncio.timeout(60.0):
            while await port.now() == stood:
                pass


async def test_a_client_that_leaves_during_a_long_wait_takes_its_wait_along() -> None:
    # A day at speed 10 would be 2.4 h; the port notices within 0.1 s that nobody waits for it.
    async with Keithley2450.serve(cell=LinearCell(), speed=10.0, seed=1) as served:
        async with json_port(served.rehearsal) as port:
            await port.ask({"hold": True})
            await port.send(b'{"until": 86400}')
        async with json_port(served.rehearsal) as port, asyncio.timeout(60.0):
            stood = await port.now()
            while await port.now() == stood:
                pass
            assert await port.now() < 100.0


async def test_one_holder_leaving_does_not_free_the_others_time() -> None:
    async with (
        Keithley2450.serve(cell=LinearCell(), speed=1e6, seed=1) as served,
        json_port(served.rehearsal) as one,
        json_port(served.rehearsal) as other,
    ):
        await one.ask({"hold": True})
        await other.ask({"hold": True})
        await one.ask({"hold": False})
        stood = await one.now()
        await asyncio.sleep(0.002)  # 2000 s, were it free
        assert await one.now() == stood
