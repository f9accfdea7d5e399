"""A cycler that was given a whole protocol outlives the cores that gave it: nothing lost, nothing twice."""

import contextlib
import json
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import pairwise
from pathlib import Path

import pytest

from daemon.errors import UnavailableError
from simulators.neware import Neware
from tests.daemon.running.test_recovery import assert_nothing_lost, order
from tests.daemon.survival import Survival
from tests.simulators.json_port import JsonPort, json_port
from tests.simulators.linear_cell import LinearCell

SPEED = 500.0

pytestmark = pytest.mark.timeout(300)

CYCLES = """protocol: there and back
record: every 10 s
steps:
  - rest: 2 min
  - repeat: 2
    steps:
      - {charge: 1 mA, until: time >= 10 min}
      - {discharge: 1 mA, until: capacity >= 100 % of charge or time >= 1 h}
"""
# 2 min, and four times 10 min of 1 mA: 0.6 C each


@asynccontextmanager
async def cycler(directory: Path) -> AsyncIterator[tuple[Survival, JsonPort]]:
    """Yield the bench and the port that holds its time, so that none passes while a core starts."""
    bench = Survival(directory, "neware", LinearCell(rest=3.7, farads=1000.0, ohms=2.0))
    async with Neware.serve(speed=SPEED, bays=[{"cell": "li_ion"}]) as served:
        rehearsal = served.bays[0].rehearsal
        (directory / "simulated.json").write_text(json.dumps({"a1": [served.address, rehearsal]}))
        (directory / "bench.yaml").write_text(
            "bench: b\ninstruments:\n"
            f"  a1: {{driver: neware, simulate: {{cell: li_ion, speed: {SPEED:g}}}, sample: 10 s}}\n"
        )
        async with json_port(rehearsal) as time:
            await time.ask({"hold": True})
            try:
                yield bench, time
            finally:
                await bench.end(signal.SIGKILL)


async def a_minute_passes(time: JsonPort) -> None:
    await time.ask({"until": await time.now() + 60.0})


def assert_it_went_on(bench: Survival) -> None:
    """One test on the cycler, every record of it once, and every step as long as it was meant to be."""
    assert_nothing_lost(bench)
    starts = [json.loads(arguments)["tag"] for kind, arguments, *_ in bench.actions() if kind == "start"]
    assert starts == ["lab-1/1"]
    times = [row.time for _, row in bench.rows()]
    assert max(later - earlier for earlier, later in pairwise(times)) <= 10.01
    steps = bench.steps()
    assert [step.duration for step in steps] == pytest.approx([120.0, *[600.0] * 4], abs=0.3)
    assert [step.capacity for step in steps] == pytest.approx([0.0, 0.6, -0.6, 0.6, -0.6], abs=1e-3)
    assert bench.notes("interrupted") == []


async def test_killed_as_it_starts_and_while_it_runs_the_record_is_whole(tmp_path: Path) -> None:
    async with cycler(tmp_path) as (bench, time):
        await bench.start("start acted", 1)  # the cycler runs, and nobody has noted it
        with contextlib.suppress(UnavailableError):
            await bench.ask(order(protocol=CYCLES))
        await bench.killed()
        for readings in (5, 40, 100):
            await a_minute_passes(time)
            await bench.start("readings kept", readings)
            await bench.killed()
        await a_minute_passes(time)
        await bench.start()
        await bench.run_is("finished")
        await bench.end(signal.SIGTERM)
        assert_it_went_on(bench)
        assert len(bench.notes("reattached")) == 4
