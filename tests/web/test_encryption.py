"""The page off loopback: encrypted by its own certificate, or behind a proxy that says who asks."""

import json
import os
import socket
import ssl
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest

from daemon.web.tokens import Scope, Tokens
from tests.web.certificates import NEEDS_OPENSSL, Certificate, made_in
from tests.web.service import LONGEST, PATIENCE, ROOT

pytestmark = [pytest.mark.system, pytest.mark.timeout(LONGEST)]

ENVIRONMENT = os.environ | {"PYTHONPATH": str(ROOT)}
WEB = [sys.executable, "-m", "daemon", "web"]


@contextmanager
def page(state: Path, *options: str) -> Iterator[str]:
    """Serve the page alone while inside, with no core; yields where it is."""
    command = [*WEB, "--json", "--state", str(state), "--port", "0", *options]
    with subprocess.Popen(command, stdout=subprocess.PIPE, env=ENVIRONMENT, cwd=state) as process:
        try:
            assert process.stdout is not None
            found = urlsplit(json.loads(process.stdout.readline())["web"])
            yield f"{found.scheme}://127.0.0.1:{found.port}"
        finally:
            process.terminate()


@contextmanager
def kept_port() -> Iterator[int]:
    """Keep a port for a server while inside: nobody is given it who does not ask for it by its number."""
    with socket.socket() as keeper:
        keeper.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        keeper.bind(("127.0.0.1", 0))
        yield keeper.getsockname()[1]


def encrypted(certificate: Certificate) -> tuple[str, ...]:
    """Return the options that have it encrypt."""
    return "--certificate", str(certificate.certificate), "--key", str(certificate.key)


@NEEDS_OPENSSL
def test_with_a_certificate_nothing_is_said_in_the_clear(tmp_path: Path) -> None:
    certificate = made_in(tmp_path)
    token = Tokens(tmp_path / "tokens.json").create("anna", Scope.CONTROL)
    trusting = ssl.create_default_context(cafile=certificate.certificate)
    with (
        page(tmp_path, *encrypted(certificate)) as url,
        httpx.Client(verify=trusting, base_url=url) as client,
    ):
        answer = client.post("/api/v1/session", json={"token": token})
        cookie = answer.headers["set-cookie"]
        assert cookie.startswith("__Host-galvanod_session="), "no other host or page of this one can set it"
        assert {"Secure", "HttpOnly", "SameSite=strict", "Path=/"} <= {
            part.strip() for part in cookie.split(";")
        }
        assert answer.headers["strict-transport-security"] == "max-age=31536000"
        assert client.get("/api/v1/channels").status_code == 200
        plain = url.replace("https", "http")
        assert client.post("/api/v1/safe", json={}, headers={"origin": plain}).status_code == 403
        with pytest.raises(httpx.TransportError):
            httpx.get(f"{plain}/healthz")


def client_of(url: str, verify: ssl.SSLContext | bool = True) -> httpx.Client:
    """Return a client without a token."""
    return httpx.Client(base_url=url, verify=verify, timeout=PATIENCE)


def guesses(client: httpx.Client, forwarded: str) -> list[int]:
    """Return how six wrong tokens are answered, each said to be forwarded for somebody else."""
    return [
        client.get(
            "/api/v1/channels",
            headers={"authorization": f"Bearer no-{number}", "x-forwarded-for": forwarded.format(number)},
        ).status_code
        for number in range(6)
    ]


def test_who_asks_is_taken_from_a_proxy_and_from_nobody_else(tmp_path: Path) -> None:
    Tokens(tmp_path / "tokens.json").create("anna", Scope.VIEW)
    with page(tmp_path) as url, client_of(url) as client:
        assert guesses(client, "192.0.2.{}")[-1] == 429, "whoever is no proxy says nothing of where it is"
    with kept_port() as port:
        proxied = ("--behind-proxy", "--host-name", "localhost", "--port", str(port))
        with page(tmp_path, *proxied), client_of(f"http://127.0.0.1:{port}") as client:
            assert guesses(client, "192.0.2.{}")[-1] == 401, "each is somebody else"
            assert guesses(client, "192.0.2.{}, 198.51.100.7")[-1] == 429, "the proxy wrote only the last one"


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (["--host", "0.0.0.0"], "--certificate"),
        (["--certificate", "none.pem", "--key", "none.key"], "none.pem"),
        (["--notices", "none.yaml"], "none.yaml"),
    ],
)
def test_what_would_be_unsafe_is_refused_in_words(tmp_path: Path, options: list[str], told: str) -> None:
    command = [*WEB, "--state", str(tmp_path), "--port", "0", *options]
    done = subprocess.run(
        command, capture_output=True, text=True, env=ENVIRONMENT, cwd=tmp_path, timeout=PATIENCE
    )
    assert done.returncode in (65, 78), done.stderr
    assert told in done.stderr
    assert "Traceback" not in done.stderr
