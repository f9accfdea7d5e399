"""Checking and submitting protocols: the checker is the one of the command line, the refusals too."""

import asyncio
from typing import Annotated, Any

from fastapi import APIRouter, Header
from starlette.responses import Response

from daemon.planning import planned, with_table
from daemon.requests import Check, Submit
from daemon.web.answers import written
from daemon.web.control import Behind
from daemon.web.documents import Draft, Plan, Submission, Submitted
from daemon.web.visitor import Submitter, Viewer

router = APIRouter(tags=["submit"])


@router.post("/check", response_model=Plan)
async def check(draft: Draft, visitor: Viewer, cores: Behind) -> Response:
    """Plan a protocol for a cell; nothing runs. Every mistake is told with its line and column."""
    if draft.channel is None:
        return written(await asyncio.to_thread(_planned_here, draft))
    core = draft.core if draft.core is not None else cores.names[0]
    variables = draft.variables
    request = Check(draft.protocol, "protocol", draft.cell, "cell", draft.channel, variables, by=visitor.name)
    return written(await cores.ask(core, request))


@router.post("/runs", response_model=Submitted, status_code=201)
async def submit(
    submission: Submission,
    response: Response,
    visitor: Submitter,
    cores: Behind,
    idempotency_key: Annotated[
        str | None,
        Header(
            max_length=128, description="the same key with the same submission starts one run, however often"
        ),
    ] = None,
) -> Submitted:
    """Start a protocol on the cell in a channel, or queue it there."""
    request = Submit(
        submission.protocol,
        "protocol",
        submission.cell,
        "cell",
        submission.channel,
        submission.variables,
        submission.resume,
        key=idempotency_key or "",
        queue=submission.queue,
        by=visitor.name,
    )
    found = await cores.ask(submission.core, request)
    if found["run"] is not None:
        response.headers["location"] = f"/api/v1/runs/{found['run']}"
    else:
        response.status_code = 202
    return Submitted(
        run=found["run"],
        core=submission.core,
        channel=submission.channel,
        queued=found.get("queued"),
        warnings=found["warnings"],
        seconds=found["forecast"]["seconds"],
    )


def _planned_here(draft: Draft) -> dict[str, Any]:
    plan, cell = planned(draft.protocol, "protocol", draft.cell, "cell", None, draft.variables)
    return with_table(plan, cell)
