"""Studies: checked, submitted, followed, answered; each belongs to one core, the list has those of all."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Header, Path, Query
from sqlalchemy import Engine
from starlette.responses import Response, StreamingResponse

from daemon.client import AnswerError
from daemon.errors import UnavailableError
from daemon.reading.results import Results
from daemon.requests import (
    CancelStudy,
    ConductStudy,
    ContinueStudy,
    LeaveOutCell,
    MountCell,
    PauseStudy,
    Request,
    RetryCell,
    Studies,
    Study,
    StudyDraft,
)
from daemon.studies.courses import courses
from daemon.studies.measurement import Measurement, measurements, study_in
from daemon.studies.outcome import differences, lines_of, plain
from daemon.web.answers import written
from daemon.web.control import Behind
from daemon.web.cores import Cores
from daemon.web.downloads import CSV, table
from daemon.web.matching import Seen
from daemon.web.problem import HttpError, document
from daemon.web.runs import Data
from daemon.web.study_documents import (
    Because,
    CourseOfVariant,
    Mounted,
    StudyFiles,
    StudyOutcome,
    StudyPage,
    StudySent,
    StudyStanding,
    StudySubmission,
    StudyVerdict,
    texts,
)
from daemon.web.visitor import Submitter, Viewer

CHECKING = 300.0
"""Seconds a check may take: it plans every variant, and may have to open the instruments."""

LARGEST_PAGE = 100

router = APIRouter(prefix="/studies", tags=["studies"])

StudyName = Annotated[str, Path(max_length=80, description="e.g. lab-s1")]
CellNumber = Annotated[int, Path(ge=1, le=10_000)]


async def whole_study(study: StudyName, visitor: Viewer, cores: Behind) -> Mapping[str, Any]:
    """Return a study with its files as its core keeps it."""
    found: Mapping[str, Any] = await cores.ask(cores.of_study(study), Study(study, whole=True))
    return found


Whole = Annotated[Mapping[str, Any], Depends(whole_study)]


@router.post("/check", response_model=StudyVerdict)
async def check(sent: StudySent, visitor: Viewer, cores: Behind) -> Response:
    """Check a study, its files and every plan on its channels; nothing is kept, and nothing runs.

    That there are mistakes is an answer, not an error: whoever types asks often.
    """
    request = StudyDraft(
        study=sent.study,
        study_file="study",
        protocols=texts(sent.protocols, "protocols"),
        cells=texts(sent.cells, "cells"),
        full=sent.full,
        by=visitor.name,
    )
    try:
        return written({"plan": await cores.ask(cores.named(sent.core), request, CHECKING), "problem": None})
    except AnswerError as error:
        if error.trouble.kind != "ProtocolError":
            raise
        return written({"plan": None, "problem": document(error.trouble).model_dump(exclude_none=True)})


@router.post("", response_model=StudyStanding, status_code=201)
async def submit(
    sent: StudySubmission,
    visitor: Submitter,
    cores: Behind,
    idempotency_key: Annotated[
        str | None,
        Header(max_length=128, description="the same key with the same study begins one, however often"),
    ] = None,
) -> Response:
    """Conduct a study: cells begin as channels come free, and go on doing so whoever is there.

    A study of the same title is carried on: what it has measured, and what runs, is not done again.
    """
    request = ConductStudy(
        study=sent.study,
        study_file="study",
        protocols=texts(sent.protocols, "protocols"),
        cells=texts(sent.cells, "cells"),
        full=sent.full,
        resume=sent.resume,
        anew=sent.anew,
        key=idempotency_key or "",
        by=visitor.name,
    )
    found = await cores.ask(cores.named(sent.core), request, CHECKING)
    location = {"location": f"/api/v1/studies/{found['study']}", "etag": f'"{found["revision"]}"'}
    return written(found, 201, location)


@router.get("", response_model=StudyPage)
async def list_studies(
    visitor: Viewer,
    cores: Behind,
    core: Annotated[str | None, Query(max_length=64)] = None,
    cursor: Annotated[str | None, Query(max_length=120)] = None,
    limit: Annotated[int, Query(ge=1, le=LARGEST_PAGE)] = 50,
) -> Response:
    """List the studies of all cores, the latest submitted first, a page at a time."""
    before = None if cursor is None else _place(cursor)
    asked = [core] if core is not None else cores.names
    answers = await asyncio.gather(*(_listed(cores, name, before, limit) for name in asked))
    silent = {name: told for name, told in zip(asked, answers, strict=True) if isinstance(told, str)}
    found = [study for told in answers if not isinstance(told, str) for study in told]
    found.sort(key=lambda study: (study["submitted"], study["study"]), reverse=True)
    page, more = found[:limit], len(found) > limit
    following = f"{page[-1]['submitted']!r} {page[-1]['study']}" if more else None
    return written({"studies": page, "next": following, "trouble": silent})


@router.get("/{study}", response_model=StudyStanding)
async def show_study(study: StudyName, visitor: Viewer, cores: Behind) -> Response:
    """Show a study, cell by cell: state, run, what it waits for. Its revision is also the ETag."""
    return _standing(await cores.ask(cores.of_study(study), Study(study)))


@router.get("/{study}/files", response_model=StudyFiles)
async def files(visitor: Viewer, whole: Whole) -> Response:
    """Return a study and its files as they were submitted."""
    shown = {name: whole[name] for name in ("study", "text", "file", "full", "protocols")}
    return written(shown | {"cells": whole["cell_files"]})


@router.get("/{study}/outcome", response_model=StudyOutcome)
async def outcome(visitor: Viewer, whole: Whole, data: Data) -> Response:
    """Return what has been measured so far beside what the source says, and whether variants differ."""
    return written(await data.read(lambda engine: _outcome(whole, engine)))


@router.get("/{study}/outcome.csv", response_class=StreamingResponse, responses=CSV)
async def outcome_csv(visitor: Viewer, whole: Whole, data: Data) -> StreamingResponse:
    """Return the outcome as comma-separated values, a line per variant and number."""
    found = await data.read(lambda engine: _outcome(whole, engine))
    return table(f"{whole['study']}-outcome.csv", OUTCOME, map(_row, found["lines"]))


@router.get("/{study}/courses", response_model=list[CourseOfVariant])
async def courses_of(visitor: Viewer, whole: Whole, data: Data) -> Response:
    """Return capacity and Coulombic efficiency over the cycles, variant by variant."""
    found = await data.read(lambda engine: _courses(whole, engine))
    return written(found)


@router.post("/{study}/cells/{cell}/mount", response_model=StudyStanding)
async def mount(
    study: StudyName,
    cell: CellNumber,
    sent: Mounted,
    visitor: Submitter,
    cores: Behind,
    seen: Seen,
) -> Response:
    """Say that a cell which was asked for is on a channel: its run begins there."""
    request = MountCell(study=study, cell=cell, channel=sent.channel, revision=seen, by=visitor.name)
    return await _steered(cores, study, request)


@router.post("/{study}/cells/{cell}/retry", response_model=StudyStanding)
async def retry(
    study: StudyName, cell: CellNumber, visitor: Submitter, cores: Behind, seen: Seen
) -> Response:
    """Try a cell again that went wrong, was refused or was left out."""
    request = RetryCell(study=study, cell=cell, revision=seen, by=visitor.name)
    return await _steered(cores, study, request)


@router.post("/{study}/cells/{cell}/leave-out", response_model=StudyStanding)
async def leave_out(
    study: StudyName,
    cell: CellNumber,
    sent: Because,
    visitor: Submitter,
    cores: Behind,
    seen: Seen,
) -> Response:
    """Do not measure a cell; one that is being measured has to be stopped first."""
    request = LeaveOutCell(study=study, cell=cell, reason=sent.reason, revision=seen, by=visitor.name)
    return await _steered(cores, study, request)


@router.post("/{study}/pause", response_model=StudyStanding)
async def pause(study: StudyName, visitor: Submitter, cores: Behind, seen: Seen) -> Response:
    """Begin nothing more for now; what runs goes on."""
    request = PauseStudy(study=study, revision=seen, by=visitor.name)
    return await _steered(cores, study, request)


@router.post("/{study}/go-on", response_model=StudyStanding)
async def go_on(study: StudyName, visitor: Submitter, cores: Behind, seen: Seen) -> Response:
    """Let a paused study go on."""
    request = ContinueStudy(study=study, revision=seen, by=visitor.name)
    return await _steered(cores, study, request)


@router.post("/{study}/cancel", response_model=StudyStanding)
async def cancel(study: StudyName, sent: Because, visitor: Submitter, cores: Behind, seen: Seen) -> Response:
    """Begin nothing more, for good; what runs goes on to its end."""
    request = CancelStudy(study=study, reason=sent.reason, revision=seen, by=visitor.name)
    return await _steered(cores, study, request)


async def _steered(cores: Cores, study: str, request: Request) -> Response:
    return _standing(await cores.ask(cores.of_study(study), request))


def _standing(found: Mapping[str, Any]) -> Response:
    return written(found, headers={"etag": f'"{found["revision"]}"'})


async def _listed(
    cores: Cores, core: str, before: tuple[float, str] | None, limit: int
) -> list[dict[str, Any]] | str:
    """Ask one core for one more than a page; a core that does not answer is told of by what it said."""
    request = Studies(limit=limit + 1)
    if before is not None:
        moment, last = before
        # of studies submitted at one moment those of cores with a smaller name are still to come
        number = int(last.rpartition("-s")[2]) if last.rpartition("-s")[0] == core else 0
        later = last.rpartition("-s")[0] > core
        request = Studies(before=moment, number=2**31 if later else number, limit=limit + 1)
    try:
        return list(await cores.ask(core, request))
    except (AnswerError, UnavailableError) as error:
        return str(error)


def _place(cursor: str) -> tuple[float, str]:
    moment, _, study = cursor.partition(" ")
    try:
        place = float(moment)
    except ValueError:
        place = float("nan")
    digits = study.rpartition("-s")[2]
    if not (abs(place) < 1e12 and digits.isascii() and digits.isdecimal() and len(digits) < 10):
        raise HttpError(400, "Bad cursor", f"the cursor {cursor[:80]!r} is none of a page of studies")
    return place, study


def _outcome(whole: Mapping[str, Any], engine: Engine) -> dict[str, Any]:
    study, results = study_in(whole), Results(engine)
    lines = lines_of(study, _recorded(measurements(study, whole), results), results)
    return {
        "study": whole["study"],
        "title": study.name,
        "lines": [plain(line) for line in lines],
        "differences": differences(lines),
    }


def _courses(whole: Mapping[str, Any], engine: Engine) -> list[dict[str, Any]]:
    study, results = study_in(whole), Results(engine)
    cells = _recorded(measurements(study, whole), results)
    found = courses(study, cells, results, whole["full"])
    return [course._asdict() for course in found]


def _recorded(cells: Sequence[Measurement], results: Results) -> Sequence[Measurement]:
    """Return the cells of a study; one whose run the recorder has not heard of yet is without a run."""
    return [one if one.run is None or results.has(one.run) else replace(one, run=None) for one in cells]


OUTCOME = (
    "protocol",
    "variant",
    "figure",
    "what",
    "unit",
    "source",
    "claimed",
    "mean",
    "standard_deviation",
    "standard_error",
    "low",
    "high",
    "cells",
    "put_in",
    "difference",
    "agrees",
    "values",
    "runs",
)


def _row(line: dict[str, Any]) -> list[object]:
    measured = line["measured"]
    row = line | {
        "mean": measured["mean"],
        "standard_deviation": measured["deviation"],
        "standard_error": measured["error"],
        "low": measured["low"],
        "high": measured["high"],
        "cells": measured["count"],
        "values": " ".join(repr(value) for value in line["values"]),
        "runs": " ".join(line["runs"]),
    }
    return [row[name] for name in OUTCOME]
