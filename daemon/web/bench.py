"""The bench: every channel of every core, and the live stream's fallback for who only asks once."""

from typing import Annotated

from fastapi import APIRouter, Query
from starlette.requests import Request
from starlette.responses import Response

from daemon.web.answers import written
from daemon.web.documents import Channel
from daemon.web.seen import latest, told
from daemon.web.streaming import live_of
from daemon.web.visitor import Viewer

router = APIRouter(tags=["bench"])


@router.get("/channels", response_model=list[Channel])
async def channels(
    request: Request,
    visitor: Viewer,
    core: Annotated[str | None, Query(max_length=64)] = None,
    state: Annotated[str | None, Query(max_length=32)] = None,
) -> Response:
    """List every channel with its run and its last reading."""
    return written(
        [
            told(seen) | {"latest": latest(seen.values)}
            for seen in live_of(request).channels.values()
            if core in (None, seen.core) and state in (None, seen.facts.state)
        ]
    )
