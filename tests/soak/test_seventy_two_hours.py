"""72 simulated hours of mixed faults on a stepped and on a programmed channel, with a report.

GALVANOD_HOURS makes it shorter, GALVANOD_SEED another.
"""

import asyncio
import os
from pathlib import Path
from random import Random

import pytest

from daemon.reading.results import Results
from tests.soak.adversity import BENCH, PROTOCOL, Story, harmed, late, unopened
from tests.soak.report import report_adversity
from tests.system.laboratory import laboratory
from tests.system.ledger import assert_gapless, missing, recorded

pytestmark = [pytest.mark.system, pytest.mark.timeout(7200)]

HOURS = float(os.environ.get("GALVANOD_HOURS", "72"))
SEED = os.environ.get("GALVANOD_SEED", "1")
LOOKS = 4
"""Answers of a run that are no readings of it: looks at the cell, and what was in flight when it ended."""


async def test_days_of_mixed_faults_harm_no_cell_and_lose_nothing(tmp_path: Path) -> None:
    file = tmp_path / "adversity.yaml"
    file.write_text(PROTOCOL)
    async with laboratory(tmp_path, BENCH) as lab:
        stories = [Story(lab, file, place, Random(f"{SEED} {place.name}")) for place in BENCH]
        await asyncio.gather(*(story.live(HOURS * 3600.0) for story in stories))
        await lab.delivered()
    rows = recorded(lab.database)
    runs = [episode.run for episode in stories[0].episodes]
    stepped = [rows[run][number] for run in runs for number in sorted(rows.get(run, {}))]
    left_out = missing(stepped, lab.cells["smu1"].said)
    report_adversity(stories, rows, len(lab.cells["smu1"].said), len(left_out))
    assert_gapless(rows)
    results = Results.open(lab.database)
    for run in results.runs():
        assert results.counts(run.name).missing == 0, f"{run.name} misses readings"
    results.close()
    assert len(left_out) <= LOOKS * len(runs)
    episodes = [episode for story in stories for episode in story.episodes]
    drivers = {place.name: place.driver for place in BENCH}
    assert harmed(episodes) == []
    assert unopened(episodes, drivers) == []
    assert late(episodes, drivers) == []
