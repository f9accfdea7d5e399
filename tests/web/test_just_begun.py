"""A run that has just begun is there, though its recorder has not heard of it."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
from sqlalchemy import Engine

from daemon.control import listening
from daemon.recording.prepared import prepared
from daemon.recording.store import Store
from daemon.requests import Request, Study, Submit
from daemon.web.app import application
from daemon.web.settings import Settings
from daemon.web.tokens import Scope, Tokens
from tests.daemon.deliveries import batched, whole_run
from tests.web.service import submission

LISTS = ("steps", "cycles", "figures", "events", "notes", "impedance", "impedance/fits")


async def begins(request: Request, who: str) -> Any:
    """Begin what is submitted, and know of nothing else."""
    assert isinstance(request, Submit), request
    return {"run": "lab-7", "channel": request.channel, "warnings": [], "forecast": {"seconds": None}}


@asynccontextmanager
async def page(
    folder: Path, core: Callable[[Request, str], Awaitable[Any]]
) -> AsyncIterator[httpx.AsyncClient]:
    """Ask a page, without a server between, behind which there is this core and nothing recorded."""
    url = f"sqlite:///{folder / 'results.db'}"
    engine: Engine = prepared(url)
    engine.dispose()
    token = Tokens.of(folder / "tokens.json").renewed("anna", Scope.SUBMIT)
    app = application(Settings({"lab": folder / "core.sock"}, url, folder / "tokens.json", folder))
    bearer = {"authorization": f"Bearer {token}"}
    transport = httpx.ASGITransport(app)
    async with (
        listening(folder / "core.sock", core),
        httpx.AsyncClient(transport=transport, base_url="http://page/api/v1", headers=bearer) as client,
    ):
        yield client
    app.state.database.close()


async def test_what_has_begun_has_nothing_recorded_yet_and_is_known(tmp_path: Path) -> None:
    async with page(tmp_path, begins) as client:
        assert (await client.get("/runs/lab-7")).status_code == 404
        made = await client.post("/runs", json=submission("smu1"))
        assert (made.status_code, made.headers["location"]) == (201, "/api/v1/runs/lab-7")
        assert (await client.get("/runs/lab-7")).json() == {"run": "lab-7", "live": None, "revision": None}
        for part in LISTS:
            answer = await client.get(f"/runs/lab-7/{part}")
            assert (answer.status_code, answer.json()) == (200, []), part
        assert (await client.get("/runs/lab-7/trace")).json()["time"] == []
        assert (await client.get("/runs/lab-8/events")).status_code == 404
        store = Store.open(f"sqlite:///{tmp_path / 'results.db'}")
        asked = asyncio.create_task(client.get("/runs/lab-7/submission"))
        await asyncio.sleep(0)
        store.add([*batched(whole_run("lab-7"), first=1)])
        store.close()
        again = await asked
        assert (again.status_code, again.json()["channel"]) == (200, "rack-1/1")
        assert (await client.get("/runs/lab-7/steps")).json() != []


HANDS = "study: by hand\nruns:\n  - {protocol: short, cell: li_cu_pp, on: smu, variants: {PP: {}}}\n"


async def conducts(request: Request, who: str) -> Any:
    """Say of a study that its one cell has finished."""
    assert isinstance(request, Study), request
    cell = {"number": 1, "state": "finished", "reason": "", "run": "lab-9", "channel": "smu"}
    return {"study": "lab-s1", "text": HANDS, "file": "s", "full": False, "truths": {}, "each": [cell]}


async def test_of_a_studys_run_that_is_not_recorded_yet_nothing_is_measured(tmp_path: Path) -> None:
    async with page(tmp_path, conducts) as client:
        outcome = await client.get("/studies/lab-s1/outcome")
        assert (outcome.status_code, outcome.json()["lines"]) == (200, [])
        courses = await client.get("/studies/lab-s1/courses")
        assert (courses.status_code, courses.json()) == (200, [])
