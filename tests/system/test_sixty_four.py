"""One of sixty-four channels hangs, or leaves its window: nobody else notices, and it is opened at once.

For how long, and how fast, `make soak` says: tests/soak/test_sixty_four.py.
"""

from pathlib import Path

import pytest

from tests.system.ledger import missing
from tests.system.sixty_four import (
    LOOKS,
    PROGRAMMED,
    SAMPLE,
    STEPPED,
    busy_laboratory,
    ended,
    lateness,
    more_readings,
    percentile_99,
    readings_by_channel,
    stopped,
)

pytestmark = [pytest.mark.system, pytest.mark.timeout(180)]


async def test_a_hung_instrument_costs_sixty_three_others_not_one_reading(tmp_path: Path) -> None:
    hung, leaving, *others = STEPPED
    async with busy_laboratory(tmp_path) as lab:
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
        for channel in [*others, *PROGRAMMED]:
            assert percentile_99(lateness(rows[channel])) < SAMPLE
        # whatever was said to it since its last answer, it was to open
        assert lab.cells[leaving].offs[-1] > lab.cells[leaving].said[-1].at
