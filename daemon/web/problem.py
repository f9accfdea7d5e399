"""Errors as the API tells them: RFC 9457 problem documents, each mistake of a file with its place."""

from collections.abc import Mapping, Sequence
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException

from daemon.client import AnswerError
from daemon.control import trouble
from daemon.requests import Trouble
from protocols.errors import GalvanodError

MEDIA_TYPE = "application/problem+json"


class Mistake(BaseModel):
    """One thing to mend, and where: a place in a file, or a JSON pointer into the request."""

    detail: str
    file: str | None = None
    line: int | None = Field(default=None, description="from 1")
    column: int | None = Field(default=None, description="from 1")
    seen: str | None = None
    wanted: str | None = None
    pointer: str | None = Field(default=None, description="JSON pointer (RFC 6901) into the request's body")


class ProblemDocument(BaseModel):
    """RFC 9457; `errors` holds each mistake that could be found at one look."""

    type: str = Field(description="urn:galvanod:problem:… or about:blank")
    title: str
    status: int
    detail: str
    errors: list[Mistake] = []


STATUS: Mapping[str, int] = {
    "ProtocolError": 422,
    "UnknownError": 404,
    "UnavailableError": 503,
    "DamagedError": 503,
    "BusyError": 409,
    "LatchedError": 409,
    "StaleError": 412,
    "KeyReusedError": 422,
    "ConfigurationError": 409,
    "ServiceError": 409,
    "LinkError": 502,
    "SilenceError": 504,
    "RefusedError": 502,
    "InstrumentError": 502,
    "RequestError": 400,
}
"""By the kind of the error; anything else is a fault of ours, 500."""

POINTERS = {"protocol": "/protocol", "cell": "/cell", "study": "/study"}
FOLDERS = ("protocols/", "cells/")
"""What the files of a study are called by; what follows is the name the study uses."""


class HttpError(Exception):
    """A problem of HTTP itself: what to answer it with."""

    def __init__(
        self, status: int, title: str, detail: str, headers: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(detail)
        self.status, self.title, self.detail, self.headers = status, title, detail, headers


def explained(app: FastAPI) -> None:
    """Have every error of the application told as a problem document."""

    @app.exception_handler(HttpError)
    async def of_http(request: Request, error: HttpError) -> JSONResponse:
        return answer(error.status, error.title, error.detail, headers=error.headers)

    @app.exception_handler(GalvanodError)
    async def of_ours(request: Request, error: GalvanodError) -> JSONResponse:
        told = error.trouble if isinstance(error, AnswerError) else trouble(error)
        return _response(document(told))

    @app.exception_handler(RequestValidationError)
    async def of_the_request(request: Request, error: RequestValidationError) -> JSONResponse:
        found = [_of_field(each, error.body) for each in error.errors()]
        detail = "; ".join(f"{each.pointer or f'line {each.line}'}: {each.detail}" for each in found)
        return answer(422, "The request cannot be read", detail, kind="RequestError", errors=found)

    @app.exception_handler(HTTPException)
    async def of_starlette(request: Request, error: HTTPException) -> JSONResponse:
        title = str(error.detail)
        return answer(error.status_code, title, _told(request, error), headers=error.headers)

    @app.exception_handler(Exception)
    async def of_nobody(request: Request, error: Exception) -> JSONResponse:
        """What it was is in the log, and tells a stranger nothing."""
        return answer(500, "A fault of ours", "something here is broken; the log of the page says what")


def _told(request: Request, error: HTTPException) -> str:
    match error.status_code:
        case 404:
            return f"there is nothing at {request.url.path[:80]!r}; /api/v1/openapi.json lists what there is"
        case 405:
            allowed = (error.headers or {}).get("Allow", "another method")
            return f"{request.method[:20]} of {request.url.path[:80]!r}; wanted {allowed}"
        case 400:
            return "the body cannot be read; wanted JSON in UTF-8"
    return str(error.detail)


def answer(
    status: int,
    title: str,
    detail: str,
    *,
    kind: str | None = None,
    errors: Sequence[Mistake] = (),
    headers: Mapping[str, str] | None = None,
) -> JSONResponse:
    """Return a problem document as a response."""
    name = "about:blank" if kind is None else _type(kind)
    found = ProblemDocument(type=name, title=title, status=status, detail=detail, errors=list(errors))
    return _response(found, headers)


def document(told: Trouble) -> ProblemDocument:
    """Return an error as a problem document; a mistake of a file points into the request that carried it."""
    return ProblemDocument(
        type=_type(told.kind),
        title=_title(told.kind),
        status=STATUS.get(told.kind, 500),
        detail=told.message,
        errors=[_mistake(problem) for problem in told.problems],
    )


def _response(found: ProblemDocument, headers: Mapping[str, str] | None = None) -> JSONResponse:
    content = found.model_dump(exclude_none=True)
    return JSONResponse(content, found.status, media_type=MEDIA_TYPE, headers=dict(headers or {}))


def _type(kind: str) -> str:
    return f"urn:galvanod:problem:{kind.removesuffix('Error').lower()}"


def _mistake(problem: Mapping[str, Any]) -> Mistake:
    seen, wanted = str(problem["seen"]), str(problem["wanted"])
    return Mistake(
        detail=f"{seen}; wanted {wanted}",
        file=str(problem["file"]),
        line=int(problem["line"]),
        column=int(problem["column"]),
        seen=seen,
        wanted=wanted,
        pointer=_pointer_to(str(problem["file"])),
    )


def _pointer_to(file: str) -> str | None:
    folder, slash, name = file.partition("/")
    if folder + slash in FOLDERS:
        return _pointer((folder, name))
    return POINTERS.get(file)


def _title(kind: str) -> str:
    return {
        "ProtocolError": "The protocol or the cell has mistakes",
        "UnknownError": "There is no such thing",
        "UnavailableError": "A part of the service is not there",
        "LatchedError": "The channel is latched",
        "BusyError": "The channel is busy",
        "StaleError": "The run has changed since it was looked at",
        "KeyReusedError": "The key was used for another submission",
    }.get(kind, "The service cannot do this")


def _of_field(error: Mapping[str, Any], body: object) -> Mistake:
    """Return what is wrong with a field; with a body that is no JSON, where that begins."""
    if error["type"] != "json_invalid":
        return Mistake(detail=str(error["msg"]), pointer=_pointer(error["loc"]))
    before = str(body)[: int(error["loc"][-1])]
    return Mistake(
        detail=f"no JSON: {error['ctx']['error']}",
        line=before.count("\n") + 1,
        column=len(before) - (before.rfind("\n") + 1) + 1,
    )


def _pointer(location: Sequence[int | str]) -> str:
    where = [str(part).replace("~", "~0").replace("/", "~1") for part in location]
    return "/" + "/".join(where[1:] if where[:1] == ["body"] else where)
