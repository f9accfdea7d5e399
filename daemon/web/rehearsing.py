"""Rehearsing a submission: the protocol on a simulated cell like this one, before the real one is asked."""

import asyncio
from typing import Annotated, Any

import msgspec
from fastapi import APIRouter, Depends, Path
from starlette.requests import HTTPConnection
from starlette.responses import Response

from daemon.rehearsals.bench import DEFAULT_FAMILY, families, require_family
from daemon.rehearsals.hosting import Hosted, Rehearsals
from daemon.rehearsals.rehearsal import Wanted
from daemon.rehearsals.stand_in import stand_in
from daemon.requests import Channels, Check
from daemon.running.planning import planned
from daemon.sources import Source
from daemon.web.answers import written
from daemon.web.control import Behind
from daemon.web.cores import Cores
from daemon.web.documents import Rehearsal
from daemon.web.problem import document
from daemon.web.sent import RehearsalWanted
from daemon.web.visitor import Submitter, Viewer
from protocols.limits import Limits

router = APIRouter(prefix="/rehearsals", tags=["submit"])

Name = Annotated[str, Path(max_length=32)]


def rehearsals_of(connection: HTTPConnection) -> Rehearsals:
    """Return the rehearsals of the application."""
    rehearsals: Rehearsals = connection.app.state.rehearsals
    return rehearsals


Hosting = Annotated[Rehearsals, Depends(rehearsals_of)]


@router.get("/families", response_model=list[str])
async def known_families(visitor: Viewer) -> Response:
    """List the drivers on whose simulated instruments can be rehearsed."""
    return written(await asyncio.to_thread(families))


@router.post("", response_model=Rehearsal, status_code=201)
async def begin(wanted: RehearsalWanted, visitor: Submitter, cores: Behind, hosting: Hosting) -> Response:
    """Begin a rehearsal, or let it wait for its turn: one runs at a time.

    It goes on as long as somebody asks for it, at least every 20 s; another one by the same person
    ends it. It touches neither the lab's instruments nor its broker nor its database.
    """
    family, window = await _where(wanted, cores, visitor.name)
    found = await asyncio.to_thread(
        planned, wanted.protocol, "protocol", wanted.cell, "cell", window, wanted.variables
    )
    stand_in(found.cell)
    sources = Source(wanted.protocol, "protocol"), Source(wanted.cell, "cell")
    one = hosting.begin(Wanted(*sources, wanted.variables, family, window, wanted.seconds), visitor.name)
    return written(_shown(one, hosting), 201, {"location": f"/api/v1/rehearsals/{one.name}"})


@router.get("/{rehearsal}", response_model=Rehearsal)
async def look(rehearsal: Name, visitor: Submitter, hosting: Hosting) -> Response:
    """Return what is known so far; asking is what keeps it going."""
    return written(_shown(hosting.look(rehearsal, visitor.name), hosting))


@router.delete("/{rehearsal}", status_code=204)
async def end(rehearsal: Name, visitor: Submitter, hosting: Hosting) -> None:
    """End a rehearsal."""
    hosting.end(rehearsal, visitor.name)


async def _where(wanted: RehearsalWanted, cores: Cores, visitor: str) -> tuple[str, Limits]:
    """Return family and window: those of the channel, which is asked whether it could run this at all."""
    if wanted.channel is None:
        family = wanted.on or DEFAULT_FAMILY
        await asyncio.to_thread(require_family, family)
        return family, Limits()
    core = cores.named(wanted.core)
    files = wanted.protocol, "protocol", wanted.cell, "cell"
    await cores.ask(core, Check(*files, wanted.channel, wanted.variables, by=visitor))
    [facts] = await cores.ask(core, Channels(wanted.channel))
    family = wanted.on or facts["driver"]
    await asyncio.to_thread(require_family, family)
    return family, msgspec.convert(facts["window"], Limits)


def _shown(one: Hosted, hosting: Rehearsals) -> dict[str, Any]:
    problem = None if one.trouble is None else document(one.trouble).model_dump(exclude_none=True)
    return {
        "rehearsal": one.name,
        "state": one.state,
        "before": hosting.place(one),
        "family": one.wanted.family,
        "problem": problem,
        "found": one.found,
    }
