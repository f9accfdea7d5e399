"""Who gets in, and what is refused before anything looks at it."""

import httpx
import pytest

from daemon.web.tokens import Scope, Tokens
from tests.web.service import Service

EVERYTHING = "/api/v1/channels"


def test_nobody_gets_in_without_a_token(service: Service) -> None:
    paths = httpx.get(f"{service.url}/api/v1/openapi.json").json()["paths"]
    with httpx.Client(base_url=service.url) as client:
        for path, methods in paths.items():
            for method in methods:
                if path in ("/healthz", "/readyz") or (path, method) in OPEN:
                    continue
                answer = client.request(method, path.replace("{kind}", "cells").replace("{cycle}", "1"))
                assert answer.status_code in (401, 422), f"{method} {path}"
                assert answer.headers["content-type"] == "application/problem+json"


OPEN = [("/api/v1/session", method) for method in ("get", "post", "delete")]


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"host": "evil.example"}, 421),
        ({"host": "127.0.0.1.evil.example:8720"}, 421),
        ({"origin": "https://evil.example"}, 403),
        ({"origin": "null"}, 403),
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


def test_a_body_is_bounded_whether_it_says_its_length_or_not(service: Service) -> None:
    large = b"x" * 300_000
    with service.client() as client:
        assert client.post("/api/v1/check", content=large).status_code == 413
        with pytest.raises(httpx.TransportError):
            _streamed(client, large)


def _streamed(client: httpx.Client, content: bytes) -> None:
    pieces = (content[i : i + 10_000] for i in range(0, len(content), 10_000))
    answer = client.post("/api/v1/check", content=pieces)
    if answer.status_code >= 400:
        raise httpx.TransportError(answer.text)


def test_tokens_are_kept_as_digests_only(service: Service) -> None:
    kept = service.places.tokens.read_text()
    assert service.token not in kept
    for log in (service.places.state / "logs").iterdir():
        assert service.token not in log.read_text(), f"{log} has a secret in it"
    assert service.places.tokens.stat().st_mode & 0o007 == 0
