"""Tokens: made, rotated and revoked by whoever may, kept whole, and no use to who only reads them."""

import json
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import msgspec
import pytest
from typer.testing import CliRunner

from daemon.cli import app
from daemon.errors import ConfigurationError
from daemon.web.sessions import IDLE, LONGEST, Sessions
from daemon.web.token_use import TokenUse
from daemon.web.tokens import Scope, Tokens
from tests.web.service import Service, submission

NOW = datetime(2027, 1, 15, 12, tzinfo=UTC)


def told(state: Path, *words: str) -> str:
    """Run `galvanod token` and return what it printed."""
    done = CliRunner().invoke(app, ["token", *words, "--state", str(state)], catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return done.stdout


def test_a_token_was_not_used_when_one_before_it_was_that_had_its_name(tmp_path: Path) -> None:
    tokens, use = Tokens(tmp_path / "tokens.json"), TokenUse(tmp_path / "token-use.json")
    tokens.create("anna", Scope.VIEW)
    [first] = tokens.all()
    made = datetime.fromisoformat(first.created)
    use.note("anna", made + timedelta(hours=1))
    assert use.last(first) == (made + timedelta(hours=1)).isoformat(timespec="seconds")
    later = msgspec.structs.replace(first, created=(made + timedelta(hours=2)).isoformat())
    assert use.last(later) is None  # revoked by the command, and made anew
    use.forget("anna")
    assert use.last(first) is None
    assert TokenUse(tmp_path / "token-use.json").last(first) is None


def test_a_token_is_made_listed_rotated_and_revoked_by_the_command(tmp_path: Path) -> None:
    first = told(tmp_path, "create", "anna", "--scope", "control", "--days", "30").strip()
    tokens = Tokens.of(tmp_path / "tokens.json")
    held = tokens.holder(first, datetime.now(UTC))
    assert held is not None
    assert held.scope is Scope.CONTROL
    second = json.loads(told(tmp_path, "rotate", "anna", "--json"))["token"]
    assert tokens.holder(first, datetime.now(UTC)) is None
    rotated = tokens.holder(second, datetime.now(UTC))
    assert rotated is not None
    assert (rotated.scope, rotated.expires) == (held.scope, held.expires)
    assert tokens.holder(second, datetime.now(UTC) + timedelta(days=31)) is None, "it expires with the first"
    [listed] = json.loads(told(tmp_path, "list", "--json"))
    assert (listed["name"], listed["last_used"]) == ("anna", None)
    told(tmp_path, "revoke", "anna")
    assert tokens.holder(second, datetime.now(UTC)) is None


def test_of_tokens_made_at_the_same_time_none_is_lost(tmp_path: Path) -> None:
    def make(number: int) -> str:
        return Tokens.of(tmp_path / "tokens.json").create(f"t{number}", Scope.VIEW)

    with ThreadPoolExecutor(8) as pool:
        secrets = list(pool.map(make, range(32)))
    tokens = Tokens.of(tmp_path / "tokens.json")
    assert all(tokens.holder(secret, NOW) is not None for secret in secrets)
    assert tmp_path.joinpath("tokens.json").stat().st_mode & 0o037 == 0, "nobody else may read or write it"


@pytest.mark.parametrize("damage", ["", "[{", '[{"name": "x"}]', "null"])
def test_a_damaged_file_takes_nobodys_token_away_and_begins_no_service(tmp_path: Path, damage: str) -> None:
    path = tmp_path / "tokens.json"
    tokens = Tokens(path)
    secret = tokens.create("anna", Scope.CONTROL)
    assert tokens.holder(secret, NOW) is not None
    path.write_text(damage)
    assert tokens.holder(secret, NOW) is not None, "she can still stop a run"
    with pytest.raises(ConfigurationError):
        Tokens.of(path)
    path.unlink()
    assert tokens.holder(secret, NOW) is None, "a file that is gone holds no token"


def test_a_session_ends_when_it_is_not_used_and_at_the_latest_after_a_week(tmp_path: Path) -> None:
    tokens = Tokens(tmp_path / "tokens.json")
    tokens.create("anna", Scope.VIEW)
    sessions = Sessions(tokens)
    idle, busy = sessions.begin(tokens.all()[0], NOW), sessions.begin(tokens.all()[0], NOW)
    moment = NOW
    while moment < NOW + LONGEST:
        assert sessions.holder(busy, moment) is not None
        moment += IDLE
    assert sessions.holder(busy, moment) is None
    assert sessions.holder(idle, NOW + IDLE + timedelta(seconds=1)) is None


def test_logging_in_ends_the_session_of_before_and_takes_no_cookie_that_was_brought(service: Service) -> None:
    token = service.token_for("guest", Scope.VIEW)

    def log_in(cookie: str) -> str:
        headers = {"cookie": f"galvanod_session={cookie}"}
        answer = httpx.post(f"{service.url}/api/v1/session", json={"token": token}, headers=headers)
        return answer.cookies["galvanod_session"]

    def status(cookie: str) -> int:
        headers = {"cookie": f"galvanod_session={cookie}"}
        return httpx.get(f"{service.url}/api/v1/channels", headers=headers).status_code

    first = log_in("chosen-by-somebody-else")
    assert first != "chosen-by-somebody-else"
    assert status(first) == 200
    second = log_in(first)
    assert (status("chosen-by-somebody-else"), status(first), status(second)) == (401, 401, 200)


def test_whatever_would_change_something_is_in_the_ledger_done_or_refused(service: Service) -> None:
    viewer = service.token_for("curious", Scope.VIEW)
    with service.client() as client, service.client(viewer) as curious, service.client("guess") as stranger:
        client.post("/api/v1/runs/lab-9999/stop", json={"cell": "x"})
        curious.post("/api/v1/runs", json=submission("smu10"))
        stranger.post("/api/v1/safe", json={})
        client.post("/api/v1/check", json=submission("smu10"))
        entries = client.get("/api/v1/ledger", params={"limit": 3}).json()["entries"]
        found = [(each["who"], each["method"], each["path"], each["status"]) for each in entries]
        assert found == [
            (None, "POST", "/api/v1/safe", entries[0]["status"]),
            ("curious", "POST", "/api/v1/runs", 403),
            ("up", "POST", "/api/v1/runs/lab-9999/stop", 404),
        ]
        assert entries[0]["status"] in (401, 429)
        assert {each["address"] for each in entries} == {"127.0.0.1"}
        page = client.get("/api/v1/ledger", params={"limit": 1}).json()
        older = client.get("/api/v1/ledger", params={"limit": 1, "cursor": page["next"]}).json()
        assert older["entries"] == entries[1:2]
        lines = client.get("/api/v1/ledger.csv").text.splitlines()
        assert lines[0] == "number,time,who,address,method,path,status"
        assert lines[2].endswith("curious,127.0.0.1,POST,/api/v1/runs,403")
        used = {each["name"]: each["last_used"] for each in client.get("/api/v1/tokens").json()}
        assert used["curious"] is not None
        assert client.get("/api/v1/audit.csv", params={"core": "lab"}).text.startswith("number,time,who,what")
