"""A few kills of each process at random instants; `make soak` has the hundreds."""

from pathlib import Path
from random import Random

import pytest

from tests.chaos.mayhem import (
    BENCH,
    Mayhem,
    assert_cells_unharmed,
    assert_delivered_is_kept,
    assert_nothing_lost,
    assert_stop_records,
)
from tests.system.laboratory import laboratory

pytestmark = [pytest.mark.system]


@pytest.mark.parametrize("victim", ["core", "recorder", "broker"])
async def test_a_few_kills_lose_nothing(tmp_path: Path, victim: str) -> None:
    async with laboratory(tmp_path, BENCH) as lab:
        mayhem = Mayhem(lab, tmp_path, Random(f"few {victim}"))
        for _ in range(2):
            await mayhem.strike(victim)
        await mayhem.occupy()
        await mayhem.settle()
        print(f"{mayhem.kills} in {mayhem.starts} runs; the core ready after {lab.ready_after}")
        assert_nothing_lost(mayhem)
        assert_delivered_is_kept(mayhem)
        if victim != "core":  # the stop record of a run whose core died counts from its step's start
            assert_stop_records(mayhem)
        assert_cells_unharmed(mayhem)
