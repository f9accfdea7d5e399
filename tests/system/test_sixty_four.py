"""One of sixty-four channels hangs, or leaves its window: nobody else notices, and it is opened at once.

For how long, and how fast, `make soak` says: tests/soak/test_sixty_four.py.
"""

from pathlib import Path

import pytest

from tests.system.ledger import missing
from tests.system.sixty_four import (
    LOOKS,
    PROGRAMMED,
    STEPPED,
    busy_laboratory,
    ended,
    more_readings,
    readings_by_channel,
    stopped,
)

pytestmark = [pytest.mark.system, pytest.mark.timeout(600)]


async def test_a_hung_instrument_costs_sixty_three_others_not_one_reading(tmp_path: Path) -> None:
    hung, leaving, *others = STEPPED
    async with busy_laboratory(tmp_path) as lab:
        before = len(lab.cells[hung].said)
        lab.faults[hung].inject("mute for 1 h")
        lab.faults[leaving].inject("offset by 1 V")
        await more_readings(lab, [*others, *PROGRAMMED], 5)
        assert "no answer" in (await ended(lab, hung))["reason"]
        left = await ended(lab, leaving)
        assert left["state"] == "tripped", left["reason"]
        await stopped(lab)
        rows = await readings_by_channel(lab)
        for channel in others:
            assert len(missing(rows[channel], lab.cells[channel].said)) <= LOOKS
        asked = lab.cells[hung].said[before].at  # what it said then nobody heard
        given_up = next(off for off in lab.cells[hung].offs if off > asked)
        meanwhile = [c for c in others if any(asked < said.at < given_up for said in lab.cells[c].said)]
        assert len(meanwhile) > len(others) // 2  # all of them, where the machine has nothing else to do
        # whatever was said to it since its last answer, it was to open
        assert lab.cells[leaving].offs[-1] > lab.cells[leaving].said[-1].at
