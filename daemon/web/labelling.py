"""The labels of a run, changed afterwards: by whom is kept with the run, and what they were before."""

import asyncio
import time
from collections.abc import Mapping

from fastapi import APIRouter
from pydantic import BaseModel, Field
from starlette.requests import Request
from starlette.responses import Response

from daemon.delivery.remark import keep
from daemon.errors import StaleError, UnavailableError
from daemon.reading.results import EventRecord, Results, RunRecord
from daemon.recording.ingest import as_json, digest
from daemon.recording.labels import MOST, Change, checked, remark
from daemon.web.answers import written
from daemon.web.matching import IfMatch, seen_by
from daemon.web.noting import broker_of, moment_of
from daemon.web.problem import HttpError
from daemon.web.runs import OfRun, RunName
from daemon.web.sent import Sent, Words
from daemon.web.visitor import Submitter, Viewer

router = APIRouter(tags=["runs"])


class Labels(BaseModel):
    """What people say of a run."""

    labels: dict[str, str]


class NewLabels(Sent):
    """All the labels a run is to have from now on."""

    labels: dict[Words, Words] = Field(max_length=MOST)


@router.get("/runs/{run}/labels", response_model=Labels)
async def labels(run: RunName, visitor: Viewer, recorded: OfRun) -> Response:
    """Return a run's labels with their ETag."""
    return _answer(await recorded.run(run))


@router.put("/runs/{run}/labels", response_model=Labels)
async def set_labels(
    run: RunName,
    new: NewLabels,
    visitor: Submitter,
    recorded: OfRun,
    request: Request,
    if_match: IfMatch = None,
) -> Response:
    """Give a run other labels, with your name; those by which a study finds it stay."""
    if if_match is None:
        raise HttpError(428, "If-Match is wanted", "no If-Match; wanted the ETag of the labels you have seen")
    seen = seen_by(if_match)
    turn: asyncio.Lock = request.app.state.labelling
    async with turn:
        record = await recorded.run(run)
        if seen is not None and seen != _tag(record.labels):
            raise StaleError(f"the labels of {run} were changed meanwhile: look at them again")
        if record.started is None:
            raise UnavailableError(f"the recorder has not heard yet how {run} began; try again in a moment")
        wanted = checked(record.labels, new.labels)
        if wanted != record.labels:
            events: list[EventRecord] = await recorded.read(
                run, lambda engine: Results(engine).events(run), []
            )
            change = Change.after((event.kind for event in events), record.labels, wanted)
            at = moment_of(request, record)
            await keep(broker_of(request), remark(run, at, change, visitor.name, time.time()))
            record = await recorded.run(run)
            if record.labels != wanted:
                raise StaleError(
                    f"somebody changed the labels of {run} at the same moment: look at them again"
                )
    return _answer(record)


def _answer(record: RunRecord) -> Response:
    return written({"labels": record.labels}, headers={"etag": f'"{_tag(record.labels)}"'})


def _tag(labels: Mapping[str, str]) -> str:
    return digest(as_json(labels))[:16]
