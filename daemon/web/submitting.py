"""Checking and submitting protocols: the checker is the one of the command line, the refusals too."""

import asyncio
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Header
from starlette.requests import HTTPConnection, Request
from starlette.responses import Response

from daemon.client import AnswerError
from daemon.control import trouble
from daemon.requests import Check, Submit
from daemon.running.planning import planned, with_table
from daemon.web.answers import written
from daemon.web.checks import Checks
from daemon.web.control import Behind
from daemon.web.cores import Cores
from daemon.web.documents import Resubmission, Submitted, Verdict, Vocabulary
from daemon.web.problem import document
from daemon.web.runs import OfRun, RunName
from daemon.web.sent import Draft, Submission
from daemon.web.visitor import Submitter, Viewer
from protocols.cell_text import cell_text
from protocols.errors import ProtocolError
from protocols.vocabulary import cell_words, protocol_words

router = APIRouter(tags=["submit"])


def checks_of(connection: HTTPConnection) -> Checks:
    """Return whose turn it is to have something checked by the page itself."""
    checks: Checks = connection.app.state.checks
    return checks


Here = Annotated[Checks, Depends(checks_of)]


@router.post("/check", response_model=Verdict)
async def check(draft: Draft, visitor: Viewer, cores: Behind, here: Here) -> Response:
    """Plan a protocol for a cell; nothing runs. Every mistake is told with its line and column.

    That there are mistakes is an answer, not an error: whoever types asks often.
    """
    try:
        return written({"plan": await _plan(draft, visitor.name, cores, here), "problem": None})
    except (ProtocolError, AnswerError) as error:
        told = error.trouble if isinstance(error, AnswerError) else trouble(error)
        if told.kind != "ProtocolError":
            raise
        return written({"plan": None, "problem": document(told).model_dump(exclude_none=True)})


async def _plan(draft: Draft, visitor: str, cores: Cores, here: Checks) -> Any:
    if draft.channel is None:
        async with here.turn(visitor):
            return await asyncio.to_thread(_planned_here, draft)
    request = Check(
        draft.protocol, "protocol", draft.cell, "cell", draft.channel, draft.variables, by=visitor
    )
    return await cores.ask(cores.named(draft.core), request)


@router.post("/runs", response_model=Submitted, status_code=201)
async def submit(
    submission: Submission,
    request: Request,
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
    wanted = Submit(
        submission.protocol,
        "protocol",
        submission.cell,
        "cell",
        submission.channel,
        submission.variables,
        submission.resume,
        submission.labels,
        key=idempotency_key or "",
        queue=submission.queue,
        by=visitor.name,
    )
    found = await cores.ask(submission.core, wanted)
    if found["run"] is not None:
        response.headers["location"] = f"/api/v1/runs/{found['run']}"
        request.app.state.begun.append(found["run"])
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


@router.get("/vocabulary", response_model=Vocabulary)
async def vocabulary(visitor: Viewer) -> Response:
    """Explain the words of protocol and cell files, for an editor."""
    return written({"protocol": list(protocol_words()), "cell": list(cell_words())})


@router.get("/runs/{run}/submission", response_model=Resubmission)
async def submission_of(run: RunName, visitor: Viewer, recorded: OfRun) -> Response:
    """Return what a run was asked, to be asked again; its cell file is written anew from what was kept."""
    found = await recorded.run(run)
    return written(
        {
            "protocol": found.protocol_source or "",
            "cell": cell_text(found.cell_facts),
            "variables": dict(found.variables),
            "core": found.core or run.rpartition("-")[0],
            "channel": found.channel,
        }
    )


def _planned_here(draft: Draft) -> dict[str, Any]:
    plan, cell = planned(draft.protocol, "protocol", draft.cell, "cell", None, draft.variables)
    return with_table(plan, cell)
