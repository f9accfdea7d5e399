"""The door of the web process: what every request must bring before anything looks at it.

Host names are listed (a foreign page cannot reach us by renaming us, DNS rebinding); a request
that changes something, and every WebSocket, comes from our own page or from no page at all;
bodies are JSON, say their length, are bounded before they are read, and read in bounded time.
"""

import asyncio
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any
from urllib.parse import urlsplit

from daemon.requests import LARGEST_STUDY
from daemon.web.ledger import Request
from daemon.web.problem import answer
from daemon.web.settings import Settings

LARGEST_BODY = 192 * 1024
"""Bytes: two files of 64 KiB, quoted."""

LARGER = dict.fromkeys(("/api/v1/studies", "/api/v1/studies/check"), 2 * LARGEST_STUDY)
"""Bytes where a study is sent with its files: as many as it may have, each of them escaped."""

BODY_PATIENCE = 10.0
"""Seconds a body may take to arrive."""

SAFE_METHODS = ("GET", "HEAD", "OPTIONS")

LOOKED_AT = ("/", "/healthz", "/readyz")
"""What may be asked for by HEAD, as supervisors and proxies do; static files may be too."""

UNNOTED = ("/api/v1/check", "/api/v1/studies/check")
"""What changes nothing although it is sent by POST, and is asked at every letter somebody types."""

LONGEST_PATH = 200

TITLES = {
    400: "Bad request",
    403: "Forbidden",
    408: "Too slow",
    411: "Length required",
    413: "Too large",
    415: "Not JSON",
    421: "Misdirected request",
}

EMPTY_STYLE = b"'sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU='"
"""The digest of nothing: plotly.js makes an empty style element and fills it rule by rule."""

HEADERS = (
    (
        b"content-security-policy",
        b"default-src 'none'; script-src 'self'; style-src 'self' "
        + EMPTY_STYLE
        + b"; img-src 'self' data: blob:; "
        b"connect-src 'self'; font-src 'self'; manifest-src 'self'; form-action 'self'; base-uri 'none'; "
        b"frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types galvanod",
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

    def __init__(self, app: Application, settings: Settings, note: Callable[[Request], None]) -> None:
        """`note` hears of every request that would change something, once it is answered."""
        self._app = app
        self._settings = settings
        self._note = note

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        headers = {name: value.decode("latin-1") for name, value in scope["headers"]}
        refused = self._refused(scope, headers)
        if scope["type"] == "websocket":
            await (self._app(scope, receive, send) if refused is None else _hang_up(refused, send))
            return
        if scope["method"] not in SAFE_METHODS and scope["path"] not in UNNOTED:
            send = self._noting(scope, send)
        sending = _with_headers(scope, send, self._settings.encrypted)
        if refused is not None:
            await _refuse(refused, scope, receive, sending)
            return
        body = _Body(receive)
        if scope["method"] == "HEAD" and scope["path"] in LOOKED_AT:
            scope = {**scope, "method": "GET"}  # the server leaves the body out
        await self._app(scope, body.receive, _unless_late(body, scope, sending))

    def _noting(self, scope: Scope, send: Send) -> Send:
        async def sending(message: Message) -> None:
            if message["type"] == "http.response.start":
                client = scope.get("client")
                who = scope.get("state", {}).get("visitor")
                address, path = client[0] if client else "?", scope["path"][:LONGEST_PATH]
                self._note(Request(who, address, scope["method"][:20], path, message["status"]))
            await send(message)

        return sending

    def _refused(self, scope: Scope, headers: dict[bytes, str]) -> tuple[int, str] | None:
        hosts = [value for name, value in scope["headers"] if name == b"host"]
        if len(hosts) != 1 or not self._settings.answers_to(headers[b"host"]):
            return 421, f"this is not {headers.get(b'host', 'a host without a name')[:80]!r}; see --host-name"
        changes = scope["type"] == "websocket" or scope["method"] not in SAFE_METHODS
        if changes and (foreign := self._foreign(headers)) is not None:
            return 403, foreign
        return _unreadable(headers, LARGER.get(scope["path"], LARGEST_BODY))

    def _foreign(self, headers: dict[bytes, str]) -> str | None:
        """Say which page a request comes from that is not ours; None for ours, and for a program."""
        origin = headers.get(b"origin")
        if origin is not None:
            found = urlsplit(origin)
            schemes = ("https",) if self._settings.encrypted else ("http", "https")
            if found.netloc.lower() != headers[b"host"].lower() or found.scheme not in schemes:
                return f"a request from {origin[:80]!r}; wanted one from this page, or from no page"
        if headers.get(b"sec-fetch-site", "none") not in ("same-origin", "none"):
            return "a request from another site; wanted one from this page, or from no page"
        return None


def _unreadable(headers: dict[bytes, str], most: int) -> tuple[int, str] | None:
    """Say what is wrong with the body that is announced; None where there is none, or it is well."""
    if b"transfer-encoding" in headers:
        return 411, "a body without a length; wanted Content-Length"
    length = headers.get(b"content-length", "0")
    if not length.isdecimal() or int(length) > most:
        return 413, f"a body of {length[:20]} bytes; wanted at most {most}"
    kind = headers.get(b"content-type", "nothing").partition(";")[0].strip().lower()
    if int(length) and kind != "application/json":
        return 415, f"a body of type {kind[:80]!r}; wanted Content-Type: application/json"
    if headers.get(b"content-encoding", "identity").lower() != "identity":
        return 415, f"a body packed as {headers[b'content-encoding'][:40]!r}; wanted it as it is"
    return None


async def _hang_up(why: tuple[int, str], send: Send) -> None:
    await send({"type": "websocket.close", "code": 1008, "reason": why[1][:100]})


async def _refuse(why: tuple[int, str], scope: Scope, receive: Receive, send: Send) -> None:
    response = answer(why[0], TITLES[why[0]], why[1], headers={"connection": "close"})
    await response(scope, receive, send)


class _Body:
    """A body as it arrives, as long as it may take."""

    def __init__(self, receive: Receive) -> None:
        self._receive = receive
        self._ends = asyncio.get_running_loop().time() + BODY_PATIENCE
        self._over = False
        self.late = False

    async def receive(self) -> Message:
        """Return the next piece; what comes once it is over is only that the client has gone."""
        if self._over:
            return await self._receive()
        try:
            async with asyncio.timeout_at(self._ends):
                message = await self._receive()
        except TimeoutError:
            self.late = True
            return {"type": "http.disconnect"}
        if message["type"] == "http.request":
            self._over = not message.get("more_body", False)
        return message


def _unless_late(body: _Body, scope: Scope, send: Send) -> Send:
    """Answer that a body came too slowly instead of whatever was made of its beginning."""
    told = False

    async def sending(message: Message) -> None:
        nonlocal told
        if not body.late:
            await send(message)
        elif not told:
            told = True
            await _refuse((408, f"no whole body within {BODY_PATIENCE:g} s"), scope, body.receive, send)

    return sending


def _with_headers(scope: Scope, send: Send, encrypted: bool) -> Send:
    async def sending(message: Message) -> None:
        if message["type"] == "http.response.start":
            own = [*HEADERS, (b"strict-transport-security", b"max-age=31536000")] if encrypted else [*HEADERS]
            if not scope["path"].startswith(("/static/", "/vendor/")):
                own.append((b"cache-control", b"no-store"))
            given = message.get("headers", [])
            # a file to be looked at alone has a stricter policy of its own
            names = {name for name, _ in given}
            message["headers"] = [*given, *(header for header in own if header[0] not in names)]
        await send(message)

    return sending
