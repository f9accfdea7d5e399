"""The page itself: static files of our own, and the plotly.js that the plotly package carries."""

import asyncio
import gzip
import hashlib
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass
from functools import cache
from importlib.metadata import version
from importlib.resources import files
from pathlib import Path

from fastapi import APIRouter, FastAPI
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, Response, StreamingResponse
from starlette.staticfiles import StaticFiles

from daemon.errors import ConfigurationError

STATIC = Path(str(files("daemon"))) / "web" / "static"
_IMPORTED = re.compile(r"^import .* from '\./([a-z]+\.js)';$", re.MULTILINE)
_STYLED = re.compile(rb'getElementById\("([0-9a-f]{64})"\)')

FOREVER = "public, max-age=31536000, immutable"

PIECE = 64 * 1024
"""Bytes handed on together."""

router = APIRouter(include_in_schema=False)


@dataclass(frozen=True, slots=True)
class Plotly:
    """The plotly.js to serve: plain and compressed, at a path that changes with its content."""

    path: str
    plain: bytes
    compressed: bytes
    places: str
    """Elements in whose presence its parts (maps, which nobody draws here) bring no style of their own."""

    @classmethod
    def installed(cls) -> "Plotly":
        """Read it from the installed package. Raises `ConfigurationError` where it is not there."""
        try:
            plain = (files("plotly") / "package_data" / "plotly.min.js").read_bytes()
        except (OSError, ModuleNotFoundError) as error:
            raise ConfigurationError(
                f"the plotly package carries no plotly.js ({error}); wanted plotly>=6"
            ) from error
        digest = hashlib.sha256(plain).hexdigest()[:16]
        places = "".join(f'<meta id="{name.decode()}">' for name in sorted(set(_STYLED.findall(plain))))
        return cls(f"/vendor/plotly-{digest}.min.js", plain, gzip.compress(plain, 6), places)


def served(app: FastAPI) -> None:
    """Serve the page at `/`."""
    app.include_router(router)
    app.mount("/static", _Static(directory=STATIC), name="static")


@router.get("/")
async def index(request: Request) -> HTMLResponse:
    plotly: Plotly = await plotly_of(request)
    text = (STATIC / "index.html").read_text()
    filled = {
        "@plotly@": plotly.path,
        "@places@": plotly.places,
        "@modules@": _preloaded("app.js", "bench.js"),
        "@version@": version("galvanod"),
    }
    for mark, value in filled.items():
        text = text.replace(mark, value)
    return HTMLResponse(text)


@cache
def _preloaded(*names: str) -> str:
    """Return links to these modules and all they import, so that a browser asks for them all at once."""
    found: dict[str, None] = {}
    waiting = list(names)
    while waiting:
        name = waiting.pop()
        if name not in found:
            found[name] = None
            waiting += _IMPORTED.findall((STATIC / name).read_text())
    return "\n".join(f'<link rel="modulepreload" href="/static/{name}">' for name in sorted(found))


@router.get("/vendor/{name}")
async def vendor(request: Request, name: str) -> Response:
    plotly = await plotly_of(request)
    if name != plotly.path.rpartition("/")[2]:
        return PlainTextResponse("there is no such file", 404)
    packed = "gzip" in request.headers.get("accept-encoding", "")
    content = plotly.compressed if packed else plotly.plain
    headers = {"cache-control": FOREVER, "vary": "accept-encoding", "content-length": str(len(content))}
    if packed:
        headers["content-encoding"] = "gzip"
    return StreamingResponse(_pieces(content), media_type="text/javascript", headers=headers)


async def _pieces(content: bytes) -> AsyncIterator[bytes]:
    """Yield it bit by bit: who asks for megabytes and reads none of them holds only one piece."""
    for start in range(0, len(content), PIECE):
        yield content[start : start + PIECE]


@router.get("/robots.txt")
async def robots() -> PlainTextResponse:
    return PlainTextResponse("User-agent: *\nDisallow: /\n")


async def plotly_of(request: Request) -> Plotly:
    """Return the plotly.js, read once, when the first page is asked for."""
    state = request.app.state
    if state.plotly is None:
        state.plotly = asyncio.ensure_future(asyncio.to_thread(Plotly.installed))
    plotly: Plotly = await asyncio.shield(state.plotly)
    return plotly


class _Static(StaticFiles):
    """Asked for anew whenever the page is loaded, sent only when changed."""

    def file_response(self, *args: object, **kwargs: object) -> Response:
        response = super().file_response(*args, **kwargs)  # type: ignore[arg-type]
        response.headers["cache-control"] = "no-cache"
        return response
