"""Broker and recorder are killed in mid-run: nothing is lost, nothing is doubled."""

import asyncio
import os
import signal
from pathlib import Path

import pytest

from daemon.client import ask
from daemon.places import Places
from daemon.reading.results import Counts, Results
from daemon.requests import Runs, Submit
from daemon.sources import cell_source
from daemon.up import Plan, service
from tests.system.conftest import LONG
from tests.system.laboratory import MOSQUITTO, Laboratory, Place, laboratory, until
from tests.system.ledger import assert_gapless, recorded, unkept

pytestmark = [pytest.mark.system, pytest.mark.timeout(600)]

SMU = Place("smu1", "keithley2450", "li_cu/pp", speed=2.0, seed=31)
POTENTIOSTAT = Place("pstat1", "emstat4", "li_cu/ti087o2", speed=2.0, seed=32)

# Kept every millisecond, and the stepped channel takes two for a reading: every answer is on record.
EVERY_READING = """
protocol: every reading
limits: {voltage: -1.0 V .. 1.5 V, current: 5 mA}
record: every 1 ms
steps:
  - rest: 1 s
  - repeat: 1
    steps:
      - plate: 1 mA/cm2
        until: time >= 1.5 s
      - rest: 1.5 s
"""


async def both_running(lab: Laboratory, folder: Path) -> list[str]:
    """Start the protocol on both channels; return once readings have begun to arrive."""
    file = folder / "every_reading.yaml"
    file.write_text(EVERY_READING)
    runs = [await lab.submit(channel, str(file), "li_cu_pp") for channel in lab.cells]
    await until(lambda: some_recorded(lab))
    return runs


async def some_recorded(lab: Laboratory) -> bool:
    return len(await asyncio.to_thread(recorded, lab.database)) == len(lab.cells)


async def assert_all_arrived(lab: Laboratory, runs: list[str]) -> None:
    """Both runs finish, and what the core numbered is what is stored: all of it, once."""
    ended = [await lab.over(run) for run in runs]
    await lab.delivered()
    assert [run["state"] for run in ended] == ["finished", "finished"], ended
    results = Results.open(lab.database)
    for run in ended:
        assert run["readings"] > 100
        assert results.counts(run["run"]) == Counts(expected=run["readings"], stored=run["readings"])
        assert results.run(run["run"]).state == "finished"
        assert results.gaps(run["run"]) == []
    results.close()
    rows = recorded(lab.database)
    assert_gapless(rows)
    stepped = [row for _, row in sorted(rows[runs[0]].items())]
    said = lab.cells["smu1"].said
    assert unkept(stepped, said) == said[:1]  # the look at the cell before the run


async def test_broker_and_recorder_killed_in_mid_run_cost_nothing(tmp_path: Path) -> None:
    async with laboratory(tmp_path, [SMU, POTENTIOSTAT]) as lab:
        runs = await both_running(lab, tmp_path)
        for victim in ("broker", "recorder"):
            await lab.kill(victim)
            await asyncio.sleep(0.3)
            await lab.start(victim)
            await asyncio.sleep(0.1)
        await assert_all_arrived(lab, runs)


@LONG
@pytest.mark.skipif(MOSQUITTO is None, reason="mosquitto is not installed")
async def test_mosquitto_as_it_comes_may_forget_its_queue(tmp_path: Path) -> None:
    async with laboratory(tmp_path, [SMU, POTENTIOSTAT], mosquitto=True) as lab:
        runs = await both_running(lab, tmp_path)
        await lab.kill("broker")
        await asyncio.sleep(0.3)
        await lab.start("broker")
        await assert_all_arrived(lab, runs)


BENCH = """
bench: supervised
instruments:
  smu1:
    driver: keithley2450
    simulate: {cell: li_cu/pp, speed: 2, seed: 33}
"""


async def test_the_supervisor_brings_a_killed_broker_back_where_it_was(tmp_path: Path) -> None:
    (tmp_path / "bench.yaml").write_text(BENCH)
    cell = cell_source("li_cu_pp")
    request = Submit(EVERY_READING, "every_reading.yaml", cell.text, cell.file, "smu1")
    places = Places(tmp_path / "state")
    async with service(Plan(places, tmp_path / "bench.yaml")) as where:
        run = (await asyncio.to_thread(ask, places.socket, request))["run"]
        os.kill(where["processes"]["broker"], signal.SIGKILL)

        async def settled() -> bool:
            [known] = await asyncio.to_thread(ask, places.socket, Runs())
            if known["state"] != "finished":
                return False
            return await asyncio.to_thread(is_whole, where["database"], run, known["readings"])

        await until(settled)


def is_whole(database: str, run: str, readings: int) -> bool:
    """Whether the run has ended in the database with so many readings, all of them stored."""
    results = Results.open(database)
    try:
        ended = run in {record.name for record in results.runs() if record.state == "finished"}
        return ended and results.counts(run) == Counts(readings, readings)
    finally:
        results.close()
