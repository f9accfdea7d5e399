"""Many channels for a while: what is lost, what it costs, how long until a reading is committed."""

import asyncio
import math
import sqlite3
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from daemon.bench.laboratory import Laboratory, Racks, laboratory, load_protocol
from daemon.bench.processes import Busy, somebody_else
from daemon.bench.row import Row, Settings

_SETTLING = 4.0  # seconds after the last submission, until every channel sits among the others
_DEADLINE = 180.0


STAGES = {
    "spooled": "on the core's disk",
    "carried": "through the broker and back",
    "waited": "gathered by the recorder",
    "took": "committed",
}
"""What the parts of a delay are called here; see `daemon.delivery.outbox.Delay`."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a load came to."""

    lost: int
    rate: float
    cores: Mapping[str, float]
    median: float
    p99: float
    stages: Mapping[str, float]
    """Of each stage on a reading's way to the database the p99 in seconds."""
    resident: Mapping[str, int]
    grown: Mapping[str, int]
    """Bytes by which each process grew while it was looked at."""
    others: float
    seconds: float
    broken: int
    """Runs that did not finish."""

    @property
    def all_cores(self) -> float:
        return sum(self.cores.values())

    @property
    def note(self) -> str:
        """The processors each part used, and what else went on."""
        each = ", ".join(f"{name} {cores:.2f}" for name, cores in self.cores.items())
        broken = f"; {self.broken} runs did not finish" if self.broken else ""
        return f"cores: {each}; others kept {self.others:.2f} busy{broken}"


async def put_load(settings: Settings, folder: Path, racks: Racks, seconds: float) -> Outcome:
    """Run every channel of the racks for `seconds` and let all of them end."""
    async with laboratory(folder, racks, settings.broker) as lab:
        starting = 0.02 * len(racks.names)
        protocol = load_protocol(racks.sample, seconds + starting + 2 * _SETTLING)
        began = time.monotonic()
        await lab.submit_all(dict.fromkeys(racks.names, protocol))
        await asyncio.sleep(_SETTLING)
        found = await _measured(lab, seconds)
        passed = time.monotonic() - began
        await lab.runs_over(_DEADLINE + 2 * passed)
        await lab.delivered()
        lost, broken = _lost(lab.database)
        return replace(found, lost=lost, broken=broken)


async def _measured(lab: Laboratory, seconds: float) -> Outcome:
    usage, busy = lab.usage(), Busy()
    before = (await lab.status())["spool"]["committed"]
    began = time.monotonic()
    await asyncio.sleep(seconds)
    cores, passed = usage.cores(), time.monotonic() - began
    status = (await lab.status())["spool"]
    return Outcome(
        lost=0,
        broken=0,
        rate=(status["committed"] - before) / passed,
        cores=cores,
        median=status["delays"].get("median", math.nan),
        p99=status["delays"].get("p99", math.nan),
        stages={name: found.get("p99", math.nan) for name, found in status["stages"].items()},
        resident=usage.bytes(),
        grown=usage.grown(),
        others=somebody_else(sum(cores.values()) * passed, busy),
        seconds=passed,
    )


def _lost(database: str) -> tuple[int, int]:
    """Return how many readings the core numbered that are not there, and how many runs did not finish."""
    connection = sqlite3.connect(database.removeprefix("sqlite:///"))
    try:
        told = connection.execute("SELECT sum(readings), sum(state <> 'finished') FROM runs").fetchone()
        there = connection.execute("SELECT count(*) FROM readings").fetchone()
    finally:
        connection.close()
    return int(told[0] or 0) - int(there[0]), int(told[1] or 0)


async def thousand_channels(settings: Settings) -> list[Row]:
    """16 racks of 64 channels, ten readings a second each."""
    racks = Racks(16, 64, 0.1)
    found = await put_load(settings, settings.folder / "thousand", racks, settings.seconds)
    row = partial(Row, seconds=found.seconds, note=found.note)
    return [
        row("1024 channels x 10 Hz: lost", found.lost, "readings", 0.0),
        row("1024 channels x 10 Hz: rate", found.rate, "readings/s", 0.99 * racks.rate, racks.rate, True),
        row("1024 channels x 10 Hz: core, broker, recorder", found.all_cores, "cores", 0.5),
        row("1024 channels x 10 Hz: reading to committed, median", found.median, "s", None),
        row("1024 channels x 10 Hz: reading to committed, p99", found.p99, "s", 0.1),
        *(
            row(f"1024 channels x 10 Hz: of that, {STAGES[name]}, p99", p99, "s", None)
            for name, p99 in found.stages.items()
        ),
        row("1024 channels x 10 Hz: memory of the core", found.resident["core"] / 1e6, "MB", 150.0),
        row("1024 channels x 10 Hz: growth of the core meanwhile", found.grown["core"] / 1e6, "MB", 10.0),
    ]


async def hundred_hertz(settings: Settings) -> list[Row]:
    """The same channels, a hundred readings a second each."""
    racks = Racks(16, 64, 0.01)
    found = await put_load(settings, settings.folder / "hundred", racks, settings.seconds)
    row = partial(Row, seconds=found.seconds, note=found.note)
    return [
        row("1024 channels x 100 Hz: lost", found.lost, "readings", 0.0),
        row("1024 channels x 100 Hz: rate", found.rate, "readings/s", 0.99 * racks.rate, racks.rate, True),
        row("1024 channels x 100 Hz: core, broker, recorder", found.all_cores, "cores", None),
        *(
            row(f"1024 channels x 100 Hz: growth of the {name} meanwhile", grown / 1e6, "MB", None)
            for name, grown in found.grown.items()
        ),
    ]


async def peer_loads(settings: Settings) -> list[Row]:
    """Loads under which the closest peer loses readings: all started and ended together."""
    rows: list[Row] = []
    for channels, sample in ((32, 1.0), (64, 1.0), (128, 1.0), (32, 0.1)):
        racks = Racks(max(1, channels // 64), min(channels, 64), sample)
        name = f"{channels} channels x {1 / sample:g} Hz"
        folder = settings.folder / f"peer-{channels}-{sample:g}"
        found = await put_load(settings, folder, racks, min(settings.seconds, 30.0))
        row = partial(Row, seconds=found.seconds, note=found.note)
        rows += [
            row(f"{name}: lost", found.lost + found.broken, "readings", 0.0),
            row(f"{name}: core, broker, recorder", found.all_cores, "cores", 0.5),
            row(f"{name}: memory", sum(found.resident.values()) / 1e6, "MB", 300.0),
        ]
    return rows
