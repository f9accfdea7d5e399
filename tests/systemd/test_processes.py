"""The services as their units start them: the units' own command lines, without the sandbox."""

import asyncio
import os
import shlex
import shutil
import signal
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

import daemon
from tests.daemon.deliveries import until
from tests.systemd.test_broker import Installed, machine, mosquitto
from tests.systemd.test_units import sections
from tests.systemd.tree import UNITS

__all__ = ["machine"]  # the fixture

pytestmark = [
    pytest.mark.system,
    pytest.mark.skipif(shutil.which("mosquitto") is None, reason="mosquitto is not installed here"),
]

BENCH = """
bench: Lab
instruments:
  pstat1:
    driver: emstat4
    address: serial:///dev/serial/by-id/usb-nobody-has-this
"""


class Supervisor:
    """Hears what a service says, as systemd does."""

    def __init__(self, path: Path) -> None:
        self.address = str(path)
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.setblocking(False)
        self._socket.bind(self.address)
        self._heard: list[str] = []

    @property
    def heard(self) -> list[str]:
        """Every line so far."""
        try:
            while True:
                self._heard += self._socket.recv(4096).decode().splitlines()
        except BlockingIOError:
            return self._heard

    def close(self) -> None:
        self._socket.close()


@asynccontextmanager
async def service(
    machine: Installed, name: str
) -> AsyncIterator[tuple[asyncio.subprocess.Process, Supervisor]]:
    """Start a service as its unit says, with this tree in the place of the installed one."""
    unit = sections(machine.root / UNITS / f"galvanod-{name}.service")["Service"]
    supervisor = Supervisor(machine.root / f"{name}.notify")
    state = machine.root / "var/lib"
    (state / unit["StateDirectory"][0].split()[0]).mkdir(parents=True)
    given = [line.replace("%S", str(state)) for line in unit["Environment"]]
    environment = dict(line.split("=", 1) for line in given) | {
        "GALVANOD_BROKER": machine.url,  # the fixture moved the broker's socket
        "CREDENTIALS_DIRECTORY": str(machine.credentials(name)),
        "NOTIFY_SOCKET": supervisor.address,
        "WATCHDOG_USEC": "10000000",
        "PATH": os.environ["PATH"],
        "PYTHONPATH": str(Path(daemon.__file__).parent.parent),
    }
    words = shlex.split(unit["ExecStart"][0].replace("%S", str(state)))[1:]
    words = [word.replace("${GALVANOD_NAME}", environment.get("GALVANOD_NAME", "")) for word in words]
    words = [str(machine.root / word[1:]) if word.startswith("/etc/") else word for word in words]
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "daemon", *words), env=environment, stdout=asyncio.subprocess.DEVNULL
    )
    try:
        yield process, supervisor
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()
        supervisor.close()


async def test_core_and_recorder_come_up_and_end_as_their_units_expect(machine: Installed) -> None:
    (machine.root / "etc/galvanod/bench.yaml").write_text(BENCH)
    async with (
        mosquitto(machine),
        service(machine, "core") as (core, core_said),
        service(machine, "recorder") as (recorder, recorder_said),
    ):
        await until(lambda: "READY=1" in core_said.heard and "READY=1" in recorder_said.heard)
        await until(lambda: "WATCHDOG=1" in core_said.heard)
        assert (machine.root / "var/lib/galvanod-recorder/results.db").is_file()
        assert (machine.root / "var/lib/galvanod/core.sock").is_socket()
        for process in (core, recorder):
            process.send_signal(signal.SIGTERM)
        assert await asyncio.wait_for(core.wait(), 60) == 0
        assert await asyncio.wait_for(recorder.wait(), 60) == 0
        assert "STOPPING=1" in core_said.heard


async def test_a_bench_file_without_instruments_ends_with_a_status_that_is_not_tried_again(
    machine: Installed,
) -> None:
    unit = sections(machine.root / UNITS / "galvanod-core.service")["Service"]
    async with service(machine, "core") as (core, said):
        status = await asyncio.wait_for(core.wait(), 60)
        assert str(status) in unit["RestartPreventExitStatus"][0].split()
        assert "READY=1" not in said.heard
