"""How fast a simulated instrument lives changes nothing of what comes out."""

import asyncio
import math
from collections.abc import Sequence
from pathlib import Path

import pytest

from daemon.reading.results import Results, StepRecord
from tests.system.conftest import LONG
from tests.system.laboratory import Place, laboratory

pytestmark = [pytest.mark.system, pytest.mark.timeout(600)]

SPEEDS = {"s1": 1.0, "s100": 100.0, "s1000": 1000.0, "smax": math.inf}
DRIVERS = ("keithley2450", "emstat4")
SEED = 51

# 1.131 cm2 of copper: 4.524 mA, and 0.006 mAh/cm2 are 0.024 430 C, passed in 5.40 s. What comes back
# ends in the rise of stripped copper, 1.7 V/s at this current.
SHORT = """
protocol: short plating
limits: {voltage: -1.0 V .. 1.5 V, current: 5 mA}
record: every 0.1 s
steps:
  - rest: 0.5 s
  - plate: 4 mA/cm2
    until: capacity >= 0.006 mAh/cm2
  - strip: 4 mA/cm2
    until: voltage >= 0.5 V or time >= 20 s
"""
AMPERES = 4.524e-3
PLATED = 0.024430
LATE = 0.05  # seconds by which an end may be seen late: half a sample interval


@LONG
async def test_the_same_run_at_any_speed_gives_the_same(tmp_path: Path) -> None:
    bench = [
        Place(f"{driver[:3]}-{name}", driver, "li_cu/pp", speed, SEED, "0.1 s")
        for driver in DRIVERS
        for name, speed in SPEEDS.items()
    ]
    file = tmp_path / "short.yaml"
    file.write_text(SHORT)
    async with laboratory(tmp_path, bench) as lab:
        runs = {place.name: await lab.submit(place.name, str(file), "li_cu_pp") for place in bench}
        ended = await asyncio.gather(*(lab.over(run) for run in runs.values()))
        await lab.delivered()
    assert [run["state"] for run in ended] == ["finished"] * len(bench), ended
    results = Results.open(lab.database)
    steps = {name: results.steps(run) for name, run in runs.items()}
    results.close()
    for driver in DRIVERS:
        found = [steps[f"{driver[:3]}-{name}"] for name in SPEEDS]
        assert_same(found)
        for _, plate, strip in found:
            assert plate.capacity == pytest.approx(-PLATED, abs=AMPERES * LATE)
            assert strip.reason == "voltage >= 0.5 V"


def assert_same(at_each_speed: Sequence[Sequence[StepRecord]]) -> None:
    """Each step took as long and passed as much as at speed 1, but for how late its end was seen."""
    first, *others = at_each_speed
    for other in others:
        for expected, found in zip(first, other, strict=True):
            assert found.duration == pytest.approx(expected.duration, abs=LATE)
            assert found.capacity == pytest.approx(expected.capacity, abs=AMPERES * LATE)
            assert found.mean_voltage == pytest.approx(expected.mean_voltage, abs=5e-3)
            assert found.reason == expected.reason
