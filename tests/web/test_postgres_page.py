"""The page on PostgreSQL: what is read of runs there is what is read of them from a file."""

import json
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import psycopg
import pytest
from sqlalchemy import text
from websockets.sync.client import connect

from daemon.reading import traces
from daemon.recording.overview import make_overview
from daemon.recording.prepared import prepared
from daemon.recording.store import FigureRow, Store
from daemon.web.app import application
from daemon.web.settings import Settings
from daemon.web.tokens import Scope, Tokens
from tests.daemon.deliveries import batched, whole_run
from tests.postgres import binaries, cluster
from tests.web.service import CELL, LONGEST, PATIENCE, Service, ended, recorded, running, submission, until

WHERE = binaries()
pytestmark = pytest.mark.skipif(WHERE is None, reason="PostgreSQL is not installed here")

READINGS = 20_000
SPIKE = 7_777
LONG = """
INSERT INTO readings (run_id, number, time, step, cycle, voltage, current, flags)
WITH RECURSIVE numbers(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < :count)
SELECT (SELECT id FROM runs WHERE name = 'long'), n, n, 1, 0,
    CASE WHEN n = :spike THEN 4.9 ELSE 3.0 + n % 100 * 0.001 END, 0.001, 0 FROM numbers
"""


def filled(url: str) -> str:
    """Write two whole runs with a figure each, and one of twenty thousand readings with one spike."""
    store = Store.open(url)
    for name in ("one", "two"):
        store.add([*batched(whole_run(name), first=1 if name == "one" else 500)])
        store.set_figures(name, [FigureRow("capacity", 2.0, "C", 0.1, "by hand")])
    store.close()
    engine = prepared(url)
    with engine.begin() as connection:
        connection.execute(
            text("INSERT INTO runs (name, state, labels) VALUES ('long', 'running', '{\"variant\": \"µ\"}')")
        )
        connection.execute(text(LONG), {"count": READINGS, "spike": SPIKE})
    engine.dispose()
    make_overview(url, "long")
    return url


@asynccontextmanager
async def page(url: str, folder: Path) -> AsyncIterator[httpx.AsyncClient]:
    """Ask the application without a server between."""
    folder.mkdir()
    token = Tokens.of(folder / "tokens.json").renewed("anna", Scope.VIEW)
    app = application(Settings({"lab": folder / "core.sock"}, url, folder / "tokens.json", folder))
    bearer = {"authorization": f"Bearer {token}"}
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://page", headers=bearer) as client:
        yield client
    app.state.database.close()


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    assert WHERE is not None
    with cluster(WHERE) as url:
        with psycopg.connect(f"{url}/postgres", autocommit=True) as connection:
            connection.execute("CREATE DATABASE page")
            connection.execute("CREATE DATABASE live")
        yield f"{url}/page"


QUESTIONS = (
    *("runs?limit=2", "runs?order=cell", "runs?words=ONE", "runs?label=variant%3Dµ", "runs.csv?order=run"),
    *("runs-choices", "runs/one", "runs/one/cycles", "runs/one/steps", "runs/one/events", "runs/one/notes"),
    *("runs/one/figures", "runs/one/impedance", "runs/one/impedance/fits", "runs/one/trace"),
    *("runs/one/cycles/1/trace", "runs/one/cycles/1/differential", "runs/one/export/csv"),
    *("runs/long/trace?points=200", "runs/long/trace?start=7000&end=9000.5&points=100"),
    *("comparisons?run=one&run=two", "runs/none/trace", "runs/one/report"),
)


async def test_every_question_has_the_same_answer_as_from_a_file(
    server: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(traces, "WHOLE", 1_000)
    file = filled(f"sqlite:///{tmp_path / 'results.db'}")
    filled(server)
    async with page(file, tmp_path / "a") as ours, page(server, tmp_path / "b") as theirs:
        for question in QUESTIONS:
            mine, other = [await client.get(f"/api/v1/{question}") for client in (ours, theirs)]
            assert (mine.status_code, other.status_code) == 2 * ((404 if "none" in question else 200),), (
                question
            )
            assert plain(mine) == plain(other), question
        long = (await theirs.get("/api/v1/runs/long/trace?points=200")).json()
        assert (long["basis"], max(long["voltage"]), long["overview"]) == ("extremes", 4.9, 1.0)
        first = (await theirs.get("/api/v1/runs?limit=2")).json()
        rest = (await theirs.get(f"/api/v1/runs?limit=2&cursor={first['next']}")).json()
        names = [run["run"] for run in first["runs"] + rest["runs"]]
        assert (sorted(names), rest["next"]) == (["long", "one", "two"], None)


def plain(answer: httpx.Response) -> Any:
    """Return what was answered but for cursors, which tell the numbers a database made up."""
    if "json" not in answer.headers["content-type"]:
        return answer.text if "csv" in answer.headers["content-type"] else answer.status_code
    found = answer.json()
    if isinstance(found, dict) and found.get("next"):
        found["next"] = "…"
    return found


BENCH = "bench: b\ninstruments:\n" + "".join(
    f"  smu{number}: {{driver: keithley2450, simulate: {{cell: li_cu/pp, speed: 100}}}}\n"
    for number in (1, 2, 3)
)


@pytest.mark.system
@pytest.mark.timeout(LONGEST)
def test_runs_are_followed_noted_labelled_and_found_while_they_are_recorded(
    server: str, tmp_path: Path
) -> None:
    (tmp_path / "bench.yaml").write_text(BENCH)
    database = f"{server.removesuffix('page')}live"
    options = ("--bench", str(tmp_path / "bench.yaml"), "--database", database)
    with running(tmp_path / "state", *options) as service, service.client() as client:
        asked = [submission(f"smu{number}", labels={"batch": str(number % 2)}) for number in (1, 2, 3)]
        runs = [client.post("/api/v1/runs", json=each).json()["run"] for each in asked]
        followed(service, set(runs))
        assert [recorded(client, run)["run"] for run in runs] == runs
        at = f"/api/v1/runs/{runs[0]}"
        until(lambda: len(client.get(f"{at}/trace").json()["voltage"]) > 5)
        for part in ("steps", "cycles", "figures", "impedance", "report", "export/csv"):
            assert client.get(f"{at}/{part}").status_code == 200, part
        assert client.post(f"{at}/notes", json={"text": "µ <b>", "time": 1.5}).status_code == 201
        assert [(each["text"], each["time"]) for each in client.get(f"{at}/notes").json()] == [("µ <b>", 1.5)]
        tag = client.get(f"{at}/labels").headers["etag"]
        new = {"labels": {"batch": "9", "who": "Ada"}}
        assert client.put(f"{at}/labels", json=new, headers={"if-match": tag}).json() == new
        assert client.put(f"{at}/labels", json=new, headers={"if-match": tag}).status_code == 412
        assert found(client, label="batch=9") == [runs[0]]
        assert found(client, label="batch=1", state="running") == [runs[2]]
        for order in ("run", "-started", "-duration"):
            assert sorted(found(client, order=order, limit=1)) == sorted(runs), order
        client.post(f"{at}/stop", json={"cell": CELL, "reason": "done"})
        ended(client, runs[0])
        assert found(client, state="stopped") == [runs[0]]


def found(client: httpx.Client, **asked: object) -> list[str]:
    """Return the runs that are found, page by page."""
    names: list[str] = []
    while True:
        answer = client.get("/api/v1/runs", params={name: str(value) for name, value in asked.items()})
        assert answer.status_code == 200, answer.text
        names += [run["run"] for run in answer.json()["runs"]]
        if answer.json()["next"] is None:
            return names
        asked["cursor"] = answer.json()["next"]


def followed(service: Service, runs: set[str]) -> None:
    """Follow the live stream until it has said that all of them run."""
    bearer = {"authorization": f"Bearer {service.token}"}
    seen: set[str] = set()
    with connect(f"ws{service.url.removeprefix('http')}/api/v1/live", additional_headers=bearer) as stream:
        while seen != runs:
            told = json.loads(stream.recv(PATIENCE))["channels"]
            seen |= {each["run"] for each in told if each["state"] == "running"}
