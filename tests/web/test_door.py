"""Who gets in, and what is refused before anything looks at it."""

import contextlib
import json
import re

import httpx
import pytest

from daemon.web.attempts import ALLOWED, Attempts
from daemon.web.tokens import Scope, Tokens
from tests.web.service import PATIENCE, ROOT, Service

EVERYTHING = "/api/v1/channels"


DOCUMENT = json.loads((ROOT / "docs" / "openapi.json").read_text())
ROUTES = [
    (method, re.sub(r"\{\w+\}", "x", path), operation.get("security"))
    for path, methods in DOCUMENT["paths"].items()
    for method, operation in methods.items()
]
WANTED = [(method, path, Scope(scopes[0]["token"][0])) for method, path, scopes in ROUTES if scopes]


def test_every_route_of_the_document_is_for_who_may_and_for_nobody_else(service: Service) -> None:
    with contextlib.ExitStack() as stack:
        clients = {
            scope: stack.enter_context(service.client(service.token_for(f"only-{scope.value}", scope)))
            for scope in Scope
        }
        revoked = stack.enter_context(service.client(service.token_for("revoked", Scope.ADMIN)))
        Tokens.of(service.places.tokens).revoke("revoked")
        stranger = stack.enter_context(httpx.Client(base_url=service.url))
        for method, path, wanted in WANTED:
            told = f"{method} {path}"
            assert _status(stranger, method, path) == 401, told
            assert _status(revoked, method, path) in (401, 429), told
            for scope in Scope:
                if not scope.includes(wanted):
                    assert _status(clients[scope], method, path) == 403, f"{told} with {scope}"
    assert {path for _, path, scopes in ROUTES if not scopes} == {"/healthz", "/readyz", "/api/v1/session"}


def _status(client: httpx.Client, method: str, path: str) -> int:
    answer = client.request(method, path)
    assert answer.headers["content-type"] == "application/problem+json"
    return answer.status_code


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"host": "evil.example"}, 421),
        ({"host": "127.0.0.1.evil.example:8720"}, 421),
        ({"origin": "https://evil.example"}, 403),
        ({"origin": "null"}, 403),
        ({"origin": "ftp://127.0.0.1:8720", "host": "127.0.0.1:8720"}, 403),
        ({"sec-fetch-site": "cross-site"}, 403),
    ],
)
def test_a_foreign_page_changes_nothing(service: Service, headers: dict[str, str], status: int) -> None:
    with service.client() as client:
        assert client.post("/api/v1/safe", json={}, headers=headers).status_code == status


def test_a_session_lasts_as_long_as_its_token(service: Service) -> None:
    token = service.token_for("guest", Scope.VIEW)
    with httpx.Client(base_url=service.url) as client:
        answer = client.post("/api/v1/session", json={"token": token})
        cookie = answer.headers["set-cookie"].lower()
        assert {"httponly", "samesite=strict", "path=/"} <= {part.strip() for part in cookie.split(";")}
        assert client.get(EVERYTHING).status_code == 200
        Tokens.of(service.places.tokens).revoke("guest")
        assert client.get(EVERYTHING).status_code == 401


def test_who_guesses_waits_and_who_has_a_token_does_not(service: Service) -> None:
    with service.client("wrong") as guessing, service.client() as known:
        statuses = [guessing.get(EVERYTHING).status_code for _ in range(7)]
        assert statuses[-1] == 429
        assert int(guessing.get(EVERYTHING).headers["retry-after"]) <= 60
        assert known.get(EVERYTHING).status_code == 200


@pytest.mark.parametrize(
    ("content", "headers", "status", "told"),
    [
        (b"x" * 300_000, {}, 413, "wanted at most 196608"),
        (b"{}", {"content-type": "text/plain"}, 415, "wanted Content-Type: application/json"),
        (b"{}", {"content-encoding": "gzip"}, 415, "packed as 'gzip'"),
        (b"[" * 90_000, {}, 400, "wanted JSON"),
        (b'{"protocol": "",\n "cell": }', {}, 422, "line 2: no JSON"),
        (b'{"protocol": "\\ud800", "cell": ""}', {}, 422, "/protocol"),
    ],
)
def test_a_body_that_cannot_be_read_is_refused_with_what_was_wanted(
    service: Service, content: bytes, headers: dict[str, str], status: int, told: str
) -> None:
    with service.client() as client:
        sent = {"content-type": "application/json"} | headers
        answer = client.post("/api/v1/check", content=content, headers=sent)
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    assert told in answer.json()["detail"]


def test_a_body_without_a_length_is_refused(service: Service) -> None:
    with service.client() as client:
        assert client.post("/api/v1/check", content=iter([b"{", b"}"])).status_code == 411


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/nothing", 404),
        ("GET", "/static/..%2fapp.py", 404),
        ("GET", "/static/%00", 404),
        ("GET", "/api/v1/channels/", 404),
        ("DELETE", "/healthz", 405),
        ("TRACE", "/", 405),
        ("POST", "/api/v1/runs/lab-1/stop", 415),
    ],
)
def test_every_refusal_is_a_problem_document_that_a_browser_neither_keeps_nor_frames(
    service: Service, method: str, path: str, status: int
) -> None:
    with service.client() as client:
        answer = client.request(method, path, content=b"cell=x" if status == 415 else None)
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["detail"] not in ("", answer.json()["title"])
    assert "frame-ancestors 'none'" in answer.headers["content-security-policy"]
    assert path.startswith("/static/") or answer.headers["cache-control"] == "no-store"


def test_a_supervisor_may_ask_by_head(service: Service) -> None:
    for path in ("/", "/healthz", "/readyz"):
        answer = httpx.head(f"{service.url}{path}")
        assert (answer.status_code, answer.content) == (200, b""), path


def test_who_asks_whether_it_is_ready_uses_nothing_up(service: Service) -> None:
    with httpx.Client(base_url=service.url, timeout=PATIENCE) as stranger:
        for _ in range(40):
            assert stranger.get("/readyz").status_code == 200
    with service.client() as client:
        assert client.get("/api/v1/runs").status_code == 200


def test_failures_are_counted_by_the_network_of_who_chooses_its_address() -> None:
    attempts = Attempts()
    waits = [attempts.failed(f"2001:db8::{number:x}", 0.0) for number in range(ALLOWED + 1)]
    assert waits == [0.0] * ALLOWED + [60.0]
    assert attempts.failed("2001:db8:0:1::1", 0.0) == 0.0, "the next network is somebody else's"
    assert attempts.failed("::ffff:192.0.2.1", 0.0) == attempts.failed("192.0.2.1", 0.0) == 0.0


def test_tokens_are_kept_as_digests_only(service: Service) -> None:
    kept = service.places.tokens.read_text()
    assert service.token not in kept
    for log in (service.places.state / "logs").iterdir():
        assert service.token not in log.read_text(), f"{log} has a secret in it"
    assert service.places.tokens.stat().st_mode & 0o007 == 0
