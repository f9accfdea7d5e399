"""The reference experiment, rehearsed: its whole study on simulated cells, through everything real.

Xiong et al., Nat. Commun. 12, 4184 (2021). Each run goes through its driver, its wire, the broker
and the database; what comes out is held against what the source reports and against what was put
into the simulated cells.
"""

import asyncio
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from daemon.client import ask
from daemon.errors import UnavailableError
from daemon.places import Places
from daemon.studies.files import study_source
from daemon.studies.following import Facts, came_of, followed, submission, unfinished
from daemon.up import Plan, service

PATIENCE = 1800.0
"""Seconds for the whole of it."""


async def rehearse(
    state: Path,
    bench: Path,
    study: str,
    full: bool,
    report: Callable[[Facts], None],
    say: Callable[[str], None],
) -> dict[str, Any]:
    """Conduct a study in a service of its own under `state`; return what came of it.

    Raises `UnavailableError` when it takes longer than half an hour, `ServiceError` when a run failed.
    """
    began = time.monotonic()
    places = Places(state)
    request = submission(*study_source(study), full)
    say("starting broker, simulated instruments, recorder and core")
    async with service(Plan(places, bench, core="demo")) as where:
        begun: Facts = await asyncio.to_thread(ask, places.socket, request)
        say(f"{begun['cells']} cells, each through its driver, wire, broker and database")
        try:
            async with asyncio.timeout(PATIENCE):
                async for found in followed(places.socket, begun["study"], where["database"]):
                    report(found)
        except TimeoutError as error:
            raise UnavailableError(f"the rehearsal had no end within {PATIENCE:g} s") from error
        came = await came_of(places.socket, begun["study"], where["database"])
    if (wrong := unfinished(found)) is not None:
        raise wrong
    return came | {"seconds": round(time.monotonic() - began, 2), "database": where["database"]}
