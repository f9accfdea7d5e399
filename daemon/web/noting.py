"""What people write beside a run: events that come from the page, by the same way as a core's.

The recorder alone writes to the results database, so a note goes to it over the broker and is
answered once it is committed. Nothing is ever erased: who withdraws a note adds that it is.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Path
from pydantic import Field
from starlette.requests import Request
from starlette.responses import Response

from daemon.delivery.messages import Noted
from daemon.delivery.remark import keep, ordinal
from daemon.errors import UnavailableError
from daemon.reading.results import EventRecord, Results, RunRecord
from daemon.web.answers import written
from daemon.web.problem import HttpError
from daemon.web.runs import Data, OfRun, RunName, in_hand
from daemon.web.sent import PLAIN, Sent
from daemon.web.visitor import Submitter, Viewer

NOTE, WITHDRAWN = "note", "note withdrawn"
LONGEST = 2_000

router = APIRouter(tags=["runs"])


class Note(Sent):
    """What somebody has to say of a run, or of a moment of it."""

    text: str = Field(min_length=1, max_length=LONGEST, pattern=PLAIN)
    time: float | None = Field(
        default=None, ge=0, allow_inf_nan=False, description="seconds since the run began; none: of the run"
    )


@dataclass(frozen=True, slots=True)
class WrittenNote:
    """A note as it stands; `time` is None where it is of the whole run, `made` UTC seconds."""

    note: int
    text: str
    time: float | None
    author: str
    made: float
    withdrawn_by: str | None


@router.get("/runs/{run}/notes", response_model=list[WrittenNote])
async def notes(run: RunName, visitor: Viewer, recorded: OfRun) -> Response:
    """List what people wrote of a run, those withdrawn too, oldest first."""
    return written(notes_of(await recorded.read(run, lambda engine: Results(engine).events(run), [])))


@router.post("/runs/{run}/notes", response_model=WrittenNote, status_code=201)
async def add_note(
    run: RunName, note: Note, visitor: Submitter, recorded: OfRun, request: Request
) -> Response:
    """Write a note beside a run; it is on disk when this answers, with your name."""
    if not (text := note.text.strip()):
        raise HttpError(422, "Nothing to note", "the note is empty; wanted some words")
    record = await recorded.run(run)
    made, number = time.time(), ordinal()
    detail = {"author": visitor.name, "made": made, "of_run": note.time is None}
    moment = moment_of(request, record) if note.time is None else note.time
    await keep(broker_of(request), Noted(run, number, moment, NOTE, text, detail, made))
    return written(WrittenNote(number, text, note.time, visitor.name, made, None), 201)


@router.delete("/runs/{run}/notes/{note}", status_code=204)
async def withdraw_note(
    run: RunName,
    note: Annotated[int, Path(ge=-(2**31), le=-1)],
    visitor: Submitter,
    data: Data,
    request: Request,
) -> Response:
    """Withdraw a note: it is shown struck out, with who did."""
    found = await data.read(lambda engine: notes_of(Results(engine).events(run)))
    if not any(each.note == note for each in found):
        raise HttpError(404, "No such note", f"run {run} has no note {note}")
    record = await data.read(lambda engine: Results(engine).run(run))
    made, number = time.time(), ordinal()
    detail = {"author": visitor.name, "made": made, "note": note}
    text = f"{visitor.name} withdrew a note"
    moment = moment_of(request, record)
    await keep(broker_of(request), Noted(run, number, moment, WITHDRAWN, text, detail, made))
    return Response(status_code=204)


def notes_of(events: Sequence[EventRecord]) -> list[WrittenNote]:
    """Return the notes among a run's events, oldest first."""
    withdrawn = {
        each.detail.get("note"): each.detail.get("author") for each in events if each.kind == WITHDRAWN
    }
    found = [
        WrittenNote(
            each.ordinal,
            each.text,
            None if each.detail.get("of_run") else each.time,
            str(each.detail.get("author", "")),
            float(each.detail.get("made", 0.0)),
            withdrawn.get(each.ordinal),
        )
        for each in events
        if each.kind == NOTE
    ]
    return sorted(found, key=lambda note: note.made)


def moment_of(request: Request, record: RunRecord) -> float:
    """Return how long the run has run."""
    live = in_hand(request, record.name)
    latest = live["latest"]["time"] if live is not None else None
    return float(latest or record.duration or 0.0)


def broker_of(request: Request) -> str:
    """Return where the broker is by which remarks go to the recorder; raises `UnavailableError` for none."""
    broker: str | None = request.app.state.settings.broker
    if broker is None:
        raise UnavailableError("the page knows no broker, by which notes go to the recorder: `--broker URL`")
    return broker
