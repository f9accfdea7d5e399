"""A few kills of each process at random instants; `make soak` has the hundreds."""

from pathlib import Path
from random import Random

import pytest

from tests.chaos.mayhem import BENCH, Mayhem, assert_in_order
from tests.system.laboratory import laboratory

pytestmark = [pytest.mark.system, pytest.mark.timeout(600)]


async def test_a_few_kills_lose_nothing(tmp_path: Path) -> None:
    async with laboratory(tmp_path, BENCH) as lab:
        mayhem = Mayhem(lab, tmp_path, Random("a few"))
        for victim in ("core", "recorder", "core", "broker", "core"):
            await mayhem.strike(victim)
        await mayhem.occupy()
        await mayhem.settle()
        print(f"{mayhem.kills} in {mayhem.starts} runs; the core ready after {lab.ready_after}")
        assert_in_order(mayhem)
