"""What people do to runs and channels; the core decides, and keeps who it was."""

import asyncio
from typing import Annotated

from fastapi import APIRouter, Depends, Path
from starlette.requests import HTTPConnection

from daemon.client import AnswerError
from daemon.errors import UnavailableError
from daemon.requests import Clear, Pause, Resume, Safe, Stop
from daemon.web import documents
from daemon.web.cores import Cores
from daemon.web.documents import Cleared, Done, Opened
from daemon.web.matching import Seen
from daemon.web.runs import RunName
from daemon.web.sent import Clearing, Everything, Stopping
from daemon.web.visitor import Controller

SAFE_DEADLINE = 15.0
"""Seconds each channel may take to confirm that its circuit is open."""

router = APIRouter(tags=["control"])


def cores_of(connection: HTTPConnection) -> Cores:
    """Return the cores behind the application."""
    cores: Cores = connection.app.state.cores
    return cores


Behind = Annotated[Cores, Depends(cores_of)]
Name = Annotated[str, Path(max_length=64)]


@router.post("/runs/{run}/pause", response_model=Done)
async def pause(run: RunName, visitor: Controller, cores: Behind, seen: Seen) -> Done:
    """Open the circuit before the next reading and wait; light, and undone by resuming."""
    request = Pause(run, seen, by=visitor.name)
    return Done(run=run, done="paused", revision=await cores.ask(cores.of_run(run), request))


@router.post("/runs/{run}/resume", response_model=Done)
async def resume(run: RunName, visitor: Controller, cores: Behind, seen: Seen) -> Done:
    """Go on with a run that was paused or interrupted."""
    request = Resume(run, seen, by=visitor.name)
    return Done(run=run, done="resumed", revision=await cores.ask(cores.of_run(run), request))


@router.post("/runs/{run}/stop", response_model=Done)
async def stop(run: RunName, stopping: Stopping, visitor: Controller, cores: Behind, seen: Seen) -> Done:
    """End a run now, its cell disconnected. There is no way back, so the cell has to be named."""
    request = Stop(run, stopping.reason, seen, stopping.cell, by=visitor.name)
    return Done(run=run, done="stopped", revision=await cores.ask(cores.of_run(run), request))


@router.post("/channels/{core}/{channel}/clear", response_model=Cleared)
async def clear(core: Name, channel: Name, clearing: Clearing, visitor: Controller, cores: Behind) -> Cleared:
    """Undo the latch that a limit put on a channel, having looked at its cell."""
    answer = await cores.ask(core, Clear(channel, clearing.reason, clearing.latch, by=visitor.name))
    return Cleared(channel=channel, cleared_by=answer["cleared_by"], reason=answer["reason"])


@router.post("/safe", response_model=documents.Safe)
async def safe(wanted: Everything, visitor: Controller, cores: Behind) -> documents.Safe:
    """Open the circuit of every channel of every core at once, and have each confirm it."""
    request = Safe(wanted.everything, SAFE_DEADLINE, by=visitor.name)
    parts = await asyncio.gather(*(_made_safe(cores, core, request) for core in cores.names))
    opened = [one for part in parts for one in part]
    return documents.Safe(safe=all(one.off for one in opened), channels=opened)


async def _made_safe(cores: Cores, core: str, request: Safe) -> list[Opened]:
    """A core that does not answer is one line that says so: nobody may think that it is safe."""
    try:
        outcomes = await cores.ask(core, request, SAFE_DEADLINE + 5.0)
    except (AnswerError, UnavailableError) as error:
        return [Opened(core=core, channel="every channel", off=False, told=str(error))]
    return [
        Opened(core=core, channel=each["channel"], off=each["off"], told=each["told"]) for each in outcomes
    ]
