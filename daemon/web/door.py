"""The door of the web process: what every request must bring before anything looks at it.

Host names are listed (a foreign page cannot reach us by renaming us, DNS rebinding); a request
that changes something, and every WebSocket, comes from our own page or from no page at all;
bodies are bounded before they are read, and read in bounded time.
"""

import asyncio
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any
from urllib.parse import urlsplit

from daemon.web.problem import answer
from daemon.web.settings import Settings

LARGEST_BODY = 192 * 1024
"""Bytes: two files of 64 KiB, quoted."""

BODY_PATIENCE = 10.0
"""Seconds a body may take to arrive."""

SAFE_METHODS = ("GET", "HEAD", "OPTIONS")

EMPTY_STYLE = b"'sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU='"
"""The digest of nothing: plotly.js makes an empty style element and fills it rule by rule."""

HEADERS = (
    (
        b"content-security-policy",
        b"default-src 'none'; script-src 'self'; style-src 'self' "
        + EMPTY_STYLE
        + b"; img-src 'self' data: blob:; "
        b"connect-src 'self'; font-src 'self'; manifest-src 'self'; form-action 'self'; base-uri 'none'; "
        b"frame-ancestors 'none'",
    ),
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"permissions-policy", b"camera=(), microphone=(), geolocation=(), payment=(), usb=(), serial=()"),
    (b"x-frame-options", b"DENY"),
)

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Application = Callable[[Scope, Receive, Send], Awaitable[None]]


class Door:
    """ASGI middleware around the whole application."""

    def __init__(self, app: Application, settings: Settings) -> None:
        self._app = app
        self._settings = settings

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        headers = {name: value.decode("latin-1") for name, value in scope["headers"]}
        refused = self._refused(scope, headers)
        if refused is not None:
            await _refuse(refused, scope, receive, send)
        elif scope["type"] == "websocket":
            await self._app(scope, receive, send)
        else:
            await self._app(scope, _bounded(receive), _with_headers(scope, send, self._settings.encrypted))

    def _refused(self, scope: Scope, headers: dict[bytes, str]) -> tuple[int, str] | None:
        hosts = [value for name, value in scope["headers"] if name == b"host"]
        if len(hosts) != 1 or not self._settings.answers_to(headers[b"host"]):
            return 421, f"this is not {headers.get(b'host', 'a host without a name')[:80]!r}; see --host-name"
        changes = scope["type"] == "websocket" or scope["method"] not in SAFE_METHODS
        if changes and (foreign := _foreign(headers)) is not None:
            return 403, foreign
        length = headers.get(b"content-length", "0")
        if not length.isdecimal() or int(length) > LARGEST_BODY:
            return 413, f"a body of {length[:20]} bytes; wanted at most {LARGEST_BODY}"
        return None


def _foreign(headers: dict[bytes, str]) -> str | None:
    """Say which page a request comes from that is not ours; None for ours, and for a program."""
    origin = headers.get(b"origin")
    if origin is not None and urlsplit(origin).netloc.lower() != headers[b"host"].lower():
        return f"a request from {origin[:80]!r}; wanted one from this page, or from no page"
    if headers.get(b"sec-fetch-site", "none") not in ("same-origin", "none"):
        return "a request from another site; wanted one from this page, or from no page"
    return None


async def _refuse(why: tuple[int, str], scope: Scope, receive: Receive, send: Send) -> None:
    if scope["type"] == "websocket":
        await send({"type": "websocket.close", "code": 1008, "reason": why[1][:100]})
        return
    title = {421: "Misdirected request", 403: "Forbidden", 413: "Too large"}[why[0]]
    response = answer(*(why[0], title, why[1]), headers={"connection": "close"})
    await response(scope, receive, send)


class TooLargeError(Exception):
    """A body went on beyond what it may have."""


def _bounded(receive: Receive) -> Receive:
    """Hand a body on only as far as it may go, and only as long as it may take."""
    received, ends, over = 0, asyncio.get_running_loop().time() + BODY_PATIENCE, False

    async def bounded() -> Message:
        nonlocal received, over
        if over:  # what comes now is only that the client has gone
            return await receive()
        try:
            async with asyncio.timeout_at(ends):
                message = await receive()
        except TimeoutError:
            return {"type": "http.disconnect"}
        if message["type"] == "http.request":
            received += len(message.get("body", b""))
            over = not message.get("more_body", False)
            if received > LARGEST_BODY:
                return {"type": "http.disconnect"}
        return message

    return bounded


def _with_headers(scope: Scope, send: Send, encrypted: bool) -> Send:
    async def sending(message: Message) -> None:
        if message["type"] == "http.response.start":
            own = [*HEADERS, (b"strict-transport-security", b"max-age=31536000")] if encrypted else [*HEADERS]
            if not scope["path"].startswith(("/static/", "/vendor/")):
                own.append((b"cache-control", b"no-store"))
            given = message.get("headers", [])
            names = {
                name for name, _ in given
            }  # a file to be looked at alone has a stricter policy of its own
            message["headers"] = [*given, *(header for header in own if header[0] not in names)]
        await send(message)

    return sending
