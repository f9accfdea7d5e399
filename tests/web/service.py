"""The whole service as `galvanod up` runs it, and clients of its page."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx

from daemon.client import ask
from daemon.places import Places
from daemon.requests import Channels
from daemon.web.tokens import Scope, Tokens
from protocols.library import cell_path, protocol_path

ROOT = Path(__file__).parents[2]
PATIENCE = 120.0
"""Seconds that anything here may take on a machine that has much else to do."""

LONGEST = 300.0
"""Seconds a test with services may take, their start included."""

CELL = "Li||Cu, PP"
"""The name in the ready cell of a submission."""

REST = "protocol: rest\nlimits: {voltage: -1 V .. 4.5 V, current: 100 mA}\nsteps:\n  - rest: 24 h\n"
TRIPS = (
    REST.replace("rest\n", "trips\n", 1)
    .replace("-1 V", "1.2 V")
    .replace("rest: 24 h", "plate: 1 mA/cm2\n    until: capacity >= 1 mAh/cm2")
)
"""Plating leaves 1.2 V at once."""


@dataclass(frozen=True, slots=True)
class Service:
    """A running service: where its page is, and its state directory."""

    url: str
    token: str
    places: Places

    def client(self, token: str | None = None) -> httpx.Client:
        """Return a client with a token; by default that of an administrator."""
        bearer = {"authorization": f"Bearer {self.token if token is None else token}"}
        return httpx.Client(base_url=self.url, headers=bearer, timeout=PATIENCE)

    def token_for(self, name: str, scope: Scope) -> str:
        """Make a token, anew if there is one."""
        return Tokens.of(self.places.tokens).renewed(name, scope)


@contextmanager
def running(state: Path, *arguments: str) -> Iterator[Service]:
    """Run `galvanod up` while inside; it starts, and ends when it is told to."""
    command = [sys.executable, "-m", "daemon", "up", "--json", "--state", str(state), "--web-port", "0"]
    complaints = state.with_name(f"{state.name}.said")
    with (
        complaints.open("wb") as said,
        subprocess.Popen(
            [*command, *arguments],
            stdout=subprocess.PIPE,
            stderr=said,
            env=os.environ | {"PYTHONPATH": str(ROOT)},
            cwd=state.parent,
        ) as process,
    ):
        try:
            assert process.stdout is not None
            line = process.stdout.readline()
            assert line, complaints.read_text()
            found = urlsplit(json.loads(line)["web"])
            token = found.fragment.removeprefix("token=")
            yield Service(f"{found.scheme}://{found.netloc}", token, Places(state))
        finally:
            process.send_signal(signal.SIGINT)
            try:
                process.wait(PATIENCE)
            except subprocess.TimeoutExpired:
                process.kill()
                raise


def until(true: Callable[[], Any]) -> Any:
    """Wait until something holds; return what it was."""
    ends = time.monotonic() + PATIENCE
    while not (found := true()):
        assert time.monotonic() < ends, "it never came to be"
        time.sleep(0.05)
    return found


def submission(
    channel: str, cell: str = "li_cu_pp", protocol: str | None = None, **more: object
) -> dict[str, object]:
    """Return the body of a submission of a ready protocol, or of one that rests for a day."""
    text = REST if protocol is None else protocol_path(protocol).read_text()
    body = {"protocol": text, "cell": cell_path(cell).read_text(), "core": "lab", "channel": channel}
    return body | more


@contextmanager
def begun(client: httpx.Client, name: str, **more: object) -> Iterator[str]:
    """Have a run on a channel while inside; afterwards the channel is free, whatever happened."""
    made = client.post("/api/v1/runs", json=submission(name) | more)
    assert made.status_code == 201, made.text
    run: str = made.json()["run"]
    try:
        yield run
    finally:
        client.post(f"/api/v1/runs/{run}/stop", json={"cell": CELL})


def recorded(client: httpx.Client, run: str) -> dict[str, Any]:
    """Return a run once the recorder has it: whoever began it knew its name a little earlier."""
    found: dict[str, Any] = until(lambda: _having("started", client.get(f"/api/v1/runs/{run}").json()))
    return found


def ended(client: httpx.Client, run: str) -> dict[str, Any]:
    """Return a run once the recorder has its end."""
    found: dict[str, Any] = until(lambda: _having("ended", client.get(f"/api/v1/runs/{run}").json()))
    return found


def _having(name: str, found: dict[str, Any]) -> dict[str, Any] | None:
    return found if found.get(name) else None


def channel(client: httpx.Client, name: str) -> dict[str, Any]:
    """Return what the page knows of a channel: what the core said a moment ago."""
    found: Sequence[dict[str, Any]] = client.get("/api/v1/channels").json()
    return next(each for each in found if each["channel"] == name)


def of_core(service: Service, name: str) -> dict[str, Any]:
    """Return what the core itself says of a channel, as of now."""
    found: Sequence[dict[str, Any]] = ask(service.places.socket, Channels(name))
    return next(each for each in found if each["channel"] == name)
