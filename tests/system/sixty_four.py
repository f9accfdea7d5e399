"""Sixty-four channels on one core, half of them stepped and half programmed, one reading a second each."""

import contextlib
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from itertools import pairwise
from pathlib import Path
from statistics import quantiles
from typing import Any

from daemon.requests import Clear, Runs, Stop
from tests.system.laboratory import Laboratory, Place, laboratory, until
from tests.system.ledger import Row, recorded

SAMPLE = 1.0  # seconds between readings, as the bench file asks for by default
HIGH = 4.3  # V, the protocol's window
STEPPED = [f"smu{n}" for n in range(1, 33)]
PROGRAMMED = [f"pstat{n}" for n in range(1, 33)]
BENCH = [
    *(Place(name, "keithley2450", "li_ion/generic", speed=1.0, seed=n) for n, name in enumerate(STEPPED, 1)),
    *(Place(name, "emstat4", "li_ion/generic", speed=1.0, seed=n) for n, name in enumerate(PROGRAMMED, 101)),
]

# A nanovolt is less than the noise: a reading that differs from the one before is kept.
PROTOCOL = f"""
protocol: busy
limits: {{voltage: 2.5 V .. {HIGH} V, current: 5 mA}}
record: every 1 s or 1 nV
steps:
  - charge: 0.3 mA
    until: time >= 1 h
"""

LOOKS = 3
"""Answers of an instrument that are no readings of a run: looks at the cell before anything is done."""


@asynccontextmanager
async def busy_laboratory(folder: Path) -> AsyncIterator[Laboratory]:
    """Run all channels while inside."""
    (folder / "busy.yaml").write_text(PROTOCOL)
    async with laboratory(folder, BENCH) as lab:
        for channel in lab.cells:
            await started(lab, folder, channel)
        await more_readings(lab, list(lab.cells), 2)
        yield lab


async def started(lab: Laboratory, folder: Path, channel: str) -> str:
    """Start the protocol on a channel, cleared where it was latched; return the run."""
    with contextlib.suppress(Exception):
        await lab.ask(Clear(channel, "the next round"))
    return await lab.submit(channel, str(folder / "busy.yaml"), "li_ion")


async def more_readings(lab: Laboratory, channels: Sequence[str], more: int) -> None:
    """Return once each of these channels has taken so many readings more; they must all be running."""
    before = {run["channel"]: run["readings"] for run in await running(lab)}

    async def have() -> bool:
        now = {run["channel"]: run["readings"] for run in await running(lab)}
        assert now.keys() >= set(channels), f"no longer running: {set(channels) - now.keys()}"
        return all(now[channel] >= before[channel] + more for channel in channels)

    await until(have)


async def running(lab: Laboratory) -> list[Mapping[str, Any]]:
    return [run for run in await lab.ask(Runs()) if run["state"] == "running"]


async def ended(lab: Laboratory, channel: str) -> Mapping[str, Any]:
    """Wait until the channel's latest run is over and return it."""
    latest = [run for run in await lab.ask(Runs()) if run["channel"] == channel][-1]
    return await lab.over(latest["run"])


async def stopped(lab: Laboratory) -> None:
    """Stop every run and wait until everything is recorded."""
    for run in await running(lab):
        await lab.ask(Stop(run["run"]))
    await lab.delivered()


async def readings_by_channel(lab: Laboratory) -> Mapping[str, list[Row]]:
    """Return what is on record of each channel's one run, in order."""
    channels = {run["run"]: run["channel"] for run in await lab.ask(Runs())}
    return {
        channels[run]: [rows[number] for number in sorted(rows)]
        for run, rows in recorded(lab.database).items()
    }


def lateness(rows: Sequence[Row]) -> list[float]:
    """Return by how much each reading came later after the one before than it should, in seconds."""
    return [max(0.0, after.time - before.time - SAMPLE) for before, after in pairwise(rows)]


def percentile_99(values: Sequence[float]) -> float:
    return quantiles(values, n=100, method="inclusive")[98]
