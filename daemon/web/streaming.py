"""The live stream: a WebSocket, or server-sent events where something between cannot carry one."""

import asyncio
import contextlib
from collections.abc import AsyncIterator

from fastapi import APIRouter, WebSocket, WebSocketDisconnect
from starlette.requests import HTTPConnection, Request
from starlette.responses import StreamingResponse

from daemon.web.audience import Audience
from daemon.web.live import Live, Watcher
from daemon.web.problem import HttpError
from daemon.web.tokens import Scope, Token
from daemon.web.visitor import Viewer, access_of

CLOSING = 10.0
"""Seconds a client is given to hear that it is let go; one that does not listen is cut off by the server."""

TALKATIVE = 30
"""Messages a client may send in all: it has nothing to say but that it is there."""

router = APIRouter(tags=["live"])


@router.websocket("/live")
async def live(socket: WebSocket) -> None:
    """Send a snapshot, then a change every second."""
    try:
        visitor = access_of(socket).visitor(socket)
    except HttpError:
        visitor = None
    if visitor is None or not visitor.scope.includes(Scope.VIEW):
        await socket.close(code=4401, reason="log in first")
        return
    with audience_of(socket).place(visitor, socket) as watcher:
        if watcher is None:
            await socket.close(code=1013, reason="too many watch already")
            return
        await socket.accept()
        await _converse(socket, watcher, visitor)


async def _converse(socket: WebSocket, watcher: Watcher, visitor: Token) -> None:
    """Tell until the client goes, is too slow or too talkative, or its token ends."""
    telling = asyncio.create_task(_tell(socket, watcher, visitor), name="telling")
    listening = asyncio.create_task(_listen(socket), name="listening")
    done, waiting = await asyncio.wait({telling, listening}, return_when=asyncio.FIRST_COMPLETED)
    for task in waiting:
        task.cancel()
    await asyncio.wait({telling, listening})
    why = next(iter(done)).result() if not next(iter(done)).exception() else (1011, "lost")
    if why is not None:
        with contextlib.suppress(RuntimeError, OSError, TimeoutError):
            async with asyncio.timeout(CLOSING):
                await socket.close(*why)


async def _tell(socket: WebSocket, watcher: Watcher, visitor: Token) -> tuple[int, str] | None:
    while True:
        message = await watcher.next()
        if not _still_known(socket, visitor):
            return 4401, "the token is no longer valid, or the session is over"
        try:
            await socket.send_text(message)
        except (WebSocketDisconnect, RuntimeError, OSError):
            return None


async def _listen(socket: WebSocket) -> tuple[int, str] | None:
    try:
        for _ in range(TALKATIVE):
            message = await socket.receive()
            if message["type"] == "websocket.disconnect":
                return None
    except (WebSocketDisconnect, RuntimeError, OSError):
        return None
    return 1008, "nothing needs to be said here"


@router.get(
    "/live/events",
    response_class=StreamingResponse,
    responses={200: {"content": {"text/event-stream": {"schema": {"type": "string"}}}}},
)
async def live_events(request: Request, visitor: Viewer) -> StreamingResponse:
    """The live stream as server-sent events; each carries the same JSON as the WebSocket's messages."""
    headers = {"x-accel-buffering": "no"}
    return StreamingResponse(_events(request, visitor), media_type="text/event-stream", headers=headers)


async def _events(request: Request, visitor: Token) -> AsyncIterator[str]:
    with audience_of(request).place(visitor, request) as watcher:
        if watcher is None:
            yield "event: refused\ndata: too many watch already\n\n"
            return
        while True:
            message = await watcher.next()
            if not _still_known(request, visitor):
                return
            yield f"data: {message}\n\n"


def _still_known(connection: HTTPConnection, visitor: Token) -> bool:
    """Whether who began to watch may go on; a session that is watched does not run out."""
    try:
        return access_of(connection).visitor(connection) == visitor
    except HttpError:
        return False


def audience_of(connection: HTTPConnection) -> Audience:
    """Return who follows the live stream of the application."""
    audience: Audience = connection.app.state.audience
    return audience


def live_of(connection: Request | WebSocket) -> Live:
    """Return the live state that the application keeps."""
    live: Live = connection.app.state.live
    return live
