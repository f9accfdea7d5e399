"""How long a person waits: from submitting a protocol to its first reading in the database."""

import asyncio
import sqlite3
import time
from pathlib import Path
from statistics import median

import pytest

from daemon.requests import Stop
from tests.system.conftest import LONG
from tests.system.laboratory import Laboratory, Place, laboratory

pytestmark = [pytest.mark.system, LONG]  # which need not run beside others

GENEROUS = 2.0  # seconds; 0.5 is the aim on a machine that has nothing else to do
BENCH = [Place(f"smu{n}", "keithley2450", "li_cu/pp", speed=1.0, seed=n) for n in range(1, 4)]


async def test_the_first_reading_is_recorded_soon(tmp_path: Path) -> None:
    async with laboratory(tmp_path, BENCH) as lab:
        seconds = [await seconds_to_first_reading(lab, channel) for channel in lab.cells]
    print(f"submit to first reading in the database: median {median(seconds):.3f} s of {seconds}")
    assert median(seconds) < GENEROUS


async def seconds_to_first_reading(lab: Laboratory, channel: str) -> float:
    began = time.monotonic()
    run = await lab.submit(channel, "li_cu_coulombic_efficiency", "li_cu_pp")
    async with asyncio.timeout(60):
        while not await asyncio.to_thread(readings_of, lab.database, run):
            await asyncio.sleep(0.005)
    seconds = time.monotonic() - began
    await lab.ask(Stop(run))
    return seconds


def readings_of(database: str, run: str) -> int:
    connection = sqlite3.connect(f"file:{database.removeprefix('sqlite:///')}?mode=ro", uri=True, timeout=10)
    try:
        query = "SELECT count(*) FROM readings JOIN runs ON runs.id = run_id WHERE name = ?"
        return int(connection.execute(query, (run,)).fetchone()[0])
    finally:
        connection.close()
