"""What happened on all channels: trips, ends, gaps and notes, back to the beginning."""

from typing import Annotated

from fastapi import APIRouter, Query
from starlette.responses import Response

from daemon.reading.happenings import Asked, Happened, Happenings, Sort
from daemon.web.answers import written
from daemon.web.runs import Data
from daemon.web.visitor import Viewer

router = APIRouter(tags=["events"])


@router.get("/events", response_model=Happened)
async def events(
    visitor: Viewer,
    data: Data,
    cursor: Annotated[str | None, Query(max_length=200)] = None,
    limit: Annotated[int, Query(ge=1, le=500)] = 100,
    sort: Annotated[
        list[Sort], Query(max_length=4, description="only of these sorts; none is all of them")
    ] = [],  # noqa: B006
    core: Annotated[str | None, Query(max_length=64)] = None,
    channel: Annotated[str | None, Query(max_length=64)] = None,
    words: Annotated[
        str | None, Query(max_length=100, description="in run, cell, channel, kind or text")
    ] = None,
) -> Response:
    """List what happened, the latest first, a page at a time."""
    asked = Asked(sort or tuple(Sort), core, channel, words)
    return written(await data.read(lambda engine: Happenings(engine).page(asked, cursor, limit)))
