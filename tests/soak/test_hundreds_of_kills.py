"""300 kills of the core, 100 of the recorder, 50 of the broker; GALVANOD_KILLS scales them, in percent."""

import os
from pathlib import Path
from random import Random

import pytest

from tests.chaos.mayhem import BENCH, Mayhem, assert_in_order
from tests.soak.report import report
from tests.system.laboratory import laboratory

pytestmark = [pytest.mark.system, pytest.mark.timeout(3600)]

KILLS = {"core": 300, "recorder": 100, "broker": 50}
SHARE = float(os.environ.get("GALVANOD_KILLS", "100")) / 100
READY_WITHIN = 1.5
"""Seconds from the start of a core until it is ready, its runs found, nineteen times of twenty."""

IN_FLIGHT = 0.6
"""Seconds in which an answer may not be committed yet: a tick is 0.1 s, the disk may be busy."""

SEED = os.environ.get("GALVANOD_SEED", "1")


@pytest.mark.parametrize("victim", KILLS)
async def test_hundreds_of_kills_lose_nothing(tmp_path: Path, victim: str) -> None:
    async with laboratory(tmp_path, BENCH) as lab:
        mayhem = Mayhem(lab, tmp_path, Random(f"{SEED} {victim}"))
        while mayhem.kills.get(victim, 0) < KILLS[victim] * SHARE:
            await mayhem.strike(victim)
        await mayhem.occupy()
        await mayhem.settle()
        report(mayhem)
        assert_in_order(mayhem, IN_FLIGHT)
        if victim == "core":  # on a machine that has nothing else to do
            assert sorted(lab.ready_after)[len(lab.ready_after) * 95 // 100] <= READY_WITHIN
