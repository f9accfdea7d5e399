"""The web application: its parts, put together."""

import asyncio
import contextlib
from collections import deque
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from functools import partial
from importlib.metadata import version

from fastapi import APIRouter, FastAPI

from daemon.rehearsals.hosting import Rehearsals
from daemon.web import (
    auditing,
    bench,
    comparing,
    control,
    exports,
    happenings,
    health,
    instruments,
    labelling,
    library,
    logins,
    noting,
    page,
    queueing,
    rehearsing,
    reporting,
    runs,
    streaming,
    studying,
    submitting,
)
from daemon.web.answers import PROBLEM
from daemon.web.attempts import Attempts
from daemon.web.audience import Audience
from daemon.web.checks import Checks
from daemon.web.cores import Cores
from daemon.web.database import Database
from daemon.web.door import Application, Door
from daemon.web.hour import LastHour
from daemon.web.ledger import Ledger
from daemon.web.library import Shelves
from daemon.web.problem import explained
from daemon.web.runs import LATELY
from daemon.web.sessions import Sessions
from daemon.web.settings import Settings
from daemon.web.tally import Tally
from daemon.web.telling import Telling, kept_up
from daemon.web.token_use import TokenUse
from daemon.web.tokens import Tokens
from daemon.web.visitor import Access

DESCRIPTION = """
Everything the lab's page can do, for programs. Send `Authorization: Bearer TOKEN`; `galvanod token create`
makes one. Quantities are SI; current, capacity and energy are positive on charge; moments are UTC.
Errors are problem documents (RFC 9457).
"""


def application(settings: Settings) -> FastAPI:
    """Return the application, without its door; `served` is what a server runs."""
    settings.check()
    app = FastAPI(
        title="galvanod",
        version=version("galvanod"),
        description=DESCRIPTION,
        openapi_url="/api/v1/openapi.json",
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        lifespan=_alive,
    )
    tokens, cores, tally = Tokens.of(settings.tokens), Cores(settings.cores), Tally()
    app.state.settings = settings
    app.state.access = Access(
        tokens, Sessions(tokens), Attempts(), TokenUse(settings.cache / "token-use.json")
    )
    app.state.cores = cores
    app.state.checks = Checks()
    app.state.tally = tally
    app.state.telling = Telling(settings, cores, tokens)
    app.state.live = app.state.telling.live
    app.state.audience = Audience(app.state.live)
    app.state.live.heard_by(tally.hear)
    app.state.begun = deque(maxlen=LATELY)
    app.state.hour = LastHour()
    app.state.database = Database(settings.database)
    app.state.rehearsals = Rehearsals()
    app.state.shelves = Shelves(settings.cache / "library")
    app.state.labelling = asyncio.Lock()
    app.state.plotly = None
    app.state.ledger = Ledger(settings.cache / "ledger.db")
    explained(app)
    api = APIRouter(prefix="/api/v1", responses=PROBLEM)
    looks = (bench, instruments, runs, comparing, happenings, exports, reporting, streaming)
    asks = (noting, labelling, submitting, rehearsing, studying, queueing, control, auditing, library, logins)
    for part in (*looks, *asks):
        api.include_router(part.router)
    app.include_router(api)
    app.include_router(health.router)
    page.served(app)
    _require_scopes(app.openapi()["paths"])
    return app


OPEN = {
    ("/healthz", "get"),
    ("/readyz", "get"),
    ("/api/v1/session", "get"),
    ("/api/v1/session", "post"),
    ("/api/v1/session", "delete"),
}
"""What takes no token: whether the service lives, and logging in and out."""


def _require_scopes(paths: Mapping[str, Mapping[str, Mapping[str, object]]]) -> None:
    """Raise `LookupError` for a route that would let anybody in and is not meant to."""
    for path, methods in paths.items():
        for method, operation in methods.items():
            if "security" not in operation and (path, method) not in OPEN:
                raise LookupError(f"{method} {path} asks nobody for a token")


def served(settings: Settings) -> Application:
    """Return the application behind its door."""
    app = application(settings)
    return Door(app, settings, app.state.ledger.note)


@asynccontextmanager
async def _alive(app: FastAPI) -> AsyncIterator[None]:
    """Look at the cores while the application is served."""
    hour = partial(app.state.hour.run, app.state.live)
    looking = [
        asyncio.create_task(app.state.telling.run(), name="telling"),
        asyncio.create_task(kept_up(hour, "the last hour"), name="last hour"),
    ]
    async with contextlib.AsyncExitStack() as leaving:
        leaving.callback(app.state.ledger.close)
        leaving.callback(app.state.database.close)
        leaving.push_async_callback(app.state.rehearsals.aclose)
        for task in looking:
            leaving.push_async_callback(_ended, task)
        yield


async def _ended(task: asyncio.Task[None]) -> None:
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task
