"""The reference experiment, rehearsed: its whole study on simulated cells, through everything real.

Xiong et al., Nat. Commun. 12, 4184 (2021). Each run goes through its driver, its wire, the broker
and the database; what comes out is held against what the source reports and against what was put
into the simulated cells.
"""

import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from daemon.errors import UnavailableError
from daemon.places import Places
from daemon.reading.results import Results
from daemon.studies.conductor import Conductor, Measurement, Progress, unfinished
from daemon.studies.outcome import differences, lines_of
from daemon.up import Plan, service
from protocols.study import Study, Task

PATIENCE = 1800.0
"""Seconds for the whole of it."""


async def rehearse(
    state: Path,
    bench: Path,
    study: Study,
    full: bool,
    report: Callable[[Progress], None],
    say: Callable[[str], None],
) -> dict[str, Any]:
    """Conduct the study in a service of its own under `state`; return what came of it.

    Raises `UnavailableError` when it takes longer than half an hour, `ServiceError` when a run failed.
    """
    began = time.monotonic()
    places = Places(state)
    say("starting broker, simulated instruments, recorder and core")
    conductor = Conductor(places, study, full, nobody_there)
    async with service(Plan(places, bench, core="demo")) as where:
        say(f"{len(conductor.measurements)} cells, each through its driver, wire, broker and database")
        try:
            async with asyncio.timeout(PATIENCE):
                async for progress in conductor.conduct(where["database"]):
                    report(progress)
        except TimeoutError as error:
            raise UnavailableError(f"the rehearsal had no end within {PATIENCE:g} s") from error
        found = await asyncio.to_thread(outcome, study, conductor.measurements, where["database"])
    if (wrong := unfinished(conductor.measurements)) is not None:
        raise wrong
    return found | {"seconds": round(time.monotonic() - began, 2), "database": where["database"]}


async def nobody_there(task: Task, channel: str) -> bool:
    """The answer of a rehearsal to being asked to put a real cell anywhere."""
    raise UnavailableError(f"channel {channel} is real; a rehearsal puts no cell there ({task.label})")


def outcome(study: Study, measurements: Sequence[Measurement], database: str) -> dict[str, Any]:
    """Return the lines of a study as plain data, what differs, and what is stored of what was numbered."""
    results = Results.open(database)
    try:
        lines = lines_of(study, measurements, results)
        names = [one.run for one in measurements if one.run is not None]
        counts = [results.counts(name) for name in names]
        points = sum(len(results.impedance(name)) for name in names)
    finally:
        results.close()
    return {
        "study": study.name,
        "lines": [asdict(line) for line in lines],
        "differences": differences(lines),
        "cells": [
            {"cell": one.task.label, "run": one.run, "channel": one.channel, "state": one.state}
            for one in measurements
        ],
        "readings": sum(count.stored for count in counts) + points,
        "lost": sum(count.missing for count in counts),
    }
