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

from daemon.places import Places
from daemon.web.tokens import Scope, Tokens
from protocols.library import cell_path, protocol_path

ROOT = Path(__file__).parents[2]
PATIENCE = 60.0
"""Seconds that anything here may take on a machine that has much else to do."""

REST = "protocol: rest\nlimits: {voltage: -1 V .. 4.5 V, current: 100 mA}\nsteps:\n  - rest: 24 h\n"


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
    """Run `galvanod up` while inside."""
    process = subprocess.Popen(
        [
            sys.executable,
            "-m",
            "daemon",
            "up",
            "--json",
            "--state",
            str(state),
            "--web-port",
            "0",
            *arguments,
        ],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        cwd=state.parent,
    )
    try:
        assert process.stdout is not None
        said = json.loads(process.stdout.readline())
        found = urlsplit(said["web"])
        token = found.fragment.removeprefix("token=")
        yield Service(f"{found.scheme}://{found.netloc}", token, Places(state))
    finally:
        process.send_signal(signal.SIGINT)
        try:
            process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        if process.stdout is not None:
            process.stdout.close()


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


def channel(client: httpx.Client, name: str) -> dict[str, Any]:
    """Return what the page knows of a channel."""
    found: Sequence[dict[str, Any]] = client.get("/api/v1/channels").json()
    return next(each for each in found if each["channel"] == name)
