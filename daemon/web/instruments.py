"""What is on the bench: each instrument and chamber, and all that is known of one channel."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

from fastapi import APIRouter
from starlette.requests import Request

from daemon.client import AnswerError
from daemon.errors import UnavailableError
from daemon.requests import Acknowledge, Channels, Doctor, Instruments
from daemon.web.bench_documents import Acknowledged, Attached, ChannelFacts, Examined, Hour
from daemon.web.control import Behind, Name
from daemon.web.cores import Cores
from daemon.web.hour import hour_of
from daemon.web.visitor import Controller, Submitter, Viewer

EXAMINING = 30.0
"""Seconds an examination may take; the core gives up after 20."""

router = APIRouter(tags=["bench"])


@router.get("/instruments", response_model=list[Attached])
async def instruments(visitor: Viewer, cores: Behind) -> Sequence[Attached]:
    """List the instruments and chambers of every core: whether each answers, and who it is."""
    return await asyncio.gather(*(_attached(cores, core) for core in cores.names))


@router.get("/channels/{core}/{channel}", response_model=ChannelFacts)
async def channel(core: Name, channel: Name, visitor: Viewer, cores: Behind) -> Mapping[str, Any]:
    """Show all that is known of a channel: instrument, limits with their origin, guards, chamber, latch."""
    found: Mapping[str, Any] = (await cores.ask(core, Channels(channel)))[0]
    return {"core": core, **found}


@router.post("/channels/{core}/{channel}/examine", response_model=Examined)
async def examine(core: Name, channel: Name, visitor: Submitter, cores: Behind) -> Mapping[str, Any]:
    """Examine a channel as `galvanod doctor` does: it closes no circuit, and leaves a run alone."""
    found: Mapping[str, Any] = (await cores.ask(core, Doctor(channel), EXAMINING))[0]
    return {"core": core, **found}


@router.post("/channels/{core}/{channel}/acknowledge", response_model=Acknowledged)
async def acknowledge(core: Name, channel: Name, visitor: Controller, cores: Behind) -> Mapping[str, Any]:
    """Note that you have seen what is wrong with a channel; nothing is undone by it."""
    found: Mapping[str, Any] = await cores.ask(core, Acknowledge(channel, by=visitor.name))
    return {"core": core, **found}


@router.get("/channels/hour", response_model=Hour)
async def hour(request: Request, visitor: Viewer) -> Hour:
    """Return the last hour of every channel's voltage, as the page saw it: few points, for a small curve."""
    return hour_of(request).told()


async def _attached(cores: Cores, core: str) -> Attached:
    try:
        found = await cores.ask(core, Instruments())
    except (AnswerError, UnavailableError) as error:
        return Attached(core=core, trouble=str(error), instruments=[], chambers=[])
    return Attached(core=core, trouble=None, **found)
