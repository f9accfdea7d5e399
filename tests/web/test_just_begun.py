"""A run that has just begun is there, though its recorder has not heard of it."""

import asyncio
from pathlib import Path
from typing import Any

import httpx
from sqlalchemy import Engine

from daemon.control import listening
from daemon.recording.prepared import prepared
from daemon.recording.store import Store
from daemon.requests import Request, Submit
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


async def test_what_has_begun_has_nothing_recorded_yet_and_is_known(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'results.db'}"
    engine: Engine = prepared(url)
    engine.dispose()
    token = Tokens.of(tmp_path / "tokens.json").renewed("anna", Scope.SUBMIT)
    app = application(Settings({"lab": tmp_path / "core.sock"}, url, tmp_path / "tokens.json", tmp_path))
    bearer = {"authorization": f"Bearer {token}"}
    transport = httpx.ASGITransport(app)
    async with (
        listening(tmp_path / "core.sock", begins),
        httpx.AsyncClient(transport=transport, base_url="http://page/api/v1", headers=bearer) as client,
    ):
        assert (await client.get("/runs/lab-7")).status_code == 404
        made = await client.post("/runs", json=submission("smu1"))
        assert (made.status_code, made.headers["location"]) == (201, "/api/v1/runs/lab-7")
        assert (await client.get("/runs/lab-7")).json() == {"run": "lab-7", "live": None, "revision": None}
        for part in LISTS:
            answer = await client.get(f"/runs/lab-7/{part}")
            assert (answer.status_code, answer.json()) == (200, []), part
        assert (await client.get("/runs/lab-7/trace")).json()["time"] == []
        assert (await client.get("/runs/lab-8/events")).status_code == 404
        asked = asyncio.create_task(client.get("/runs/lab-7/submission"))
        await asyncio.sleep(0)
        store = Store.open(url)
        store.add([*batched(whole_run("lab-7"), first=1)])
        store.close()
        again = await asked
        assert (again.status_code, again.json()["channel"]) == (200, "rack-1/1")
        assert (await client.get("/runs/lab-7/steps")).json() != []
    app.state.database.close()
