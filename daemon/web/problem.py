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

POINTERS = {"protocol": "/protocol", "cell": "/cell"}


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
        found = [Mistake(detail=str(each["msg"]), pointer=_pointer(each["loc"])) for each in error.errors()]
        detail = "; ".join(f"{each.pointer}: {each.detail}" for each in found)
        return answer(422, "The request cannot be read", detail, kind="RequestError", errors=found)

    @app.exception_handler(HTTPException)
    async def of_starlette(request: Request, error: HTTPException) -> JSONResponse:
        return answer(error.status_code, str(error.detail), str(error.detail), headers=error.headers)


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
        pointer=POINTERS.get(str(problem["file"])),
    )


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


def _pointer(location: Sequence[int | str]) -> str:
    where = [str(part).replace("~", "~0").replace("/", "~1") for part in location]
    return "/" + "/".join(where[1:] if where[:1] == ["body"] else where)
