"""A core that is killed, and what its cell sees of it: instrument, core and command are processes."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from daemon.client import AnswerError, ask
from daemon.places import Places
from daemon.requests import Channels, Runs, Submit
from drivers.keithley2450 import Keithley2450
from protocols import library
from tests.daemon.host.test_watchdog import Supervisor
from tests.simulators.json_port import json_port

pytestmark = pytest.mark.system

TREE = Path(__file__).parents[3]
PATIENCE = 90.0  # seconds that anything here may take on a machine that has much else to do

PROTOCOL = """
protocol: plating for as long as it takes
limits: {voltage: -1.0 V .. 3 V, current: 5 mA}
steps:
  - plate: 1 mA/cm2
    until: time >= 1 h
"""


@contextmanager
def process(*arguments: str, **environment: str) -> Iterator[tuple[subprocess.Popen[str], dict[str, Any]]]:
    """Run a `galvanod` command of this tree; yield it and the first line it said."""
    settings = os.environ | {"PYTHONPATH": str(TREE)} | environment
    command = [sys.executable, "-m", "daemon", *arguments, "--json"]
    running = subprocess.Popen(
        command, cwd=TREE, env=settings, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    try:
        assert running.stdout is not None
        yield running, json.loads(running.stdout.readline())
    finally:
        running.kill()
        running.communicate()


class Bench:
    """A simulated Keithley at speed 1 on an address of its own, and a core that plates on it."""

    def __init__(self, state: Path, visa: str) -> None:
        self.places = Places(state)
        self.address = f"visa://{visa}"
        self._port = int(visa.split("::")[2])
        self.file = state / "bench.yaml"
        self.file.write_text(
            f'bench: here\ninstruments:\n  smu1: {{driver: keithley2450, address: "{self.address}"}}\n'
        )

    def output(self) -> str:
        with socket.create_connection(("127.0.0.1", self._port), 5.0) as cable:
            cable.sendall(b":OUTP?\n")
            return cable.recv(100).decode().strip()

    def core_arguments(self) -> tuple[str, ...]:
        state = str(self.places.state)
        return ("serve", "--bench", str(self.file), "--state", state, "--broker", "mqtt://127.0.0.1:9")

    def plate(self) -> None:
        """Start the run and return once it has plated for a moment."""
        cell = library.cell_path("li_cu_pp").read_text()
        ask(self.places.socket, Submit(PROTOCOL, "plating.yaml", cell, "li_cu_pp.yaml", "smu1"))
        wait_until(lambda: ask(self.places.socket, Runs())[0]["readings"] > 2)
        assert self.output() == "1"

    def safe(self, *options: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "daemon", "safe", "--state", str(self.places.state), *options]
        settings = os.environ | {"PYTHONPATH": str(TREE)}
        return subprocess.run(
            command, cwd=TREE, env=settings, text=True, capture_output=True, timeout=PATIENCE
        )


def wait_until(happened: Callable[[], bool]) -> None:
    end = time.monotonic() + PATIENCE
    while not happened():
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.02)


def stopped(pid: int) -> bool:
    """Whether the process stands still."""
    state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    return state == "T"


@pytest.fixture(scope="module")
def instrument() -> Iterator[Mapping[str, Any]]:
    with process("simulate", "keithley2450", "--cell", "li_cu/pp", "--speed", "1") as (_, said):
        yield said


@pytest.fixture
def bench(tmp_path: Path, instrument: Mapping[str, Any]) -> Bench:
    return Bench(tmp_path, instrument["address"])


async def test_after_a_killed_core_the_circuit_opens_within_the_dead_man_time(
    bench: Bench, instrument: Mapping[str, Any]
) -> None:
    """The instrument's time is held, so that it is this time and not the machine's that tells."""
    assert Keithley2450.deadman.seconds == 5.0
    with process(*bench.core_arguments()) as (core, _):
        [channel] = ask(bench.places.socket, Channels())
        assert channel["deadman"] == "instrument, 5 s"
        bench.plate()
        async with json_port(instrument["rehearsal"]) as time:
            await time.ask({"hold": True})
            core.send_signal(signal.SIGKILL)
            core.wait()
            killed = await time.now()
            assert bench.output() == "1"
            await time.ask({"until": killed + 1.0})
            assert bench.output() == "1"
            await time.ask({"until": killed + 5.0})
            assert bench.output() == "0"


def test_safe_opens_what_a_killed_core_left_closed(bench: Bench) -> None:
    with process(*bench.core_arguments()) as (core, _):
        bench.plate()
        core.send_signal(signal.SIGKILL)
        core.wait()
        done = bench.safe("--json")
        assert done.returncode == 0, done.stderr
        [outcome] = json.loads(done.stdout)
        assert (outcome["channel"], outcome["off"]) == ("smu1", True)
        assert bench.output() == "0"


def test_safe_asks_a_core_that_lives_which_ends_the_run(bench: Bench) -> None:
    with process(*bench.core_arguments()):
        bench.plate()
        done = bench.safe()
        assert done.returncode == 0, done.stderr
        assert done.stdout.startswith("smu1: off (KEITHLEY INSTRUMENTS 2450")
        assert bench.output() == "0"
        [run] = ask(bench.places.socket, Runs())
        assert (run["state"], run["reason"]) == ("stopped", "made safe by `galvanod safe`")


def test_safe_takes_over_from_a_core_that_hangs(bench: Bench) -> None:
    with process(*bench.core_arguments()) as (core, _):
        bench.plate()
        core.send_signal(signal.SIGSTOP)
        done = bench.safe("--deadline", "3")  # the dead-man would take 5 s
        assert done.returncode == 0, done.stderr
        assert bench.output() == "0"


def test_safe_says_so_where_it_cannot_confirm(bench: Bench) -> None:
    bench.file.write_text(
        bench.file.read_text().replace(bench.address, "visa://TCPIP0::127.0.0.1::9::SOCKET")
    )
    done = bench.safe("--bench", str(bench.file))
    assert done.returncode == 1
    assert done.stdout.startswith("smu1: NOT CONFIRMED OFF")


def test_two_services_share_neither_a_state_directory_nor_an_instrument(bench: Bench, tmp_path: Path) -> None:
    settings = os.environ | {"PYTHONPATH": str(TREE)}
    with process(*bench.core_arguments()) as (core, _):
        bench.plate()
        command = [sys.executable, "-m", "daemon", *bench.core_arguments()]
        second = subprocess.run(
            command, cwd=TREE, env=settings, text=True, capture_output=True, timeout=PATIENCE
        )
        assert second.returncode == 75
        assert f"process {core.pid}" in second.stderr
        (tmp_path / "other").mkdir()
        other = Bench(tmp_path / "other", bench.address.removeprefix("visa://"))
        with process(*other.core_arguments()):
            wait_until(lambda: ask(other.places.socket, Channels())[0]["state"] == "unreachable")
            assert f"process {core.pid}" in ask(other.places.socket, Channels())[0]["trouble"]
            cell = library.cell_path("li_cu_pp").read_text()
            with pytest.raises(AnswerError) as refused:
                ask(other.places.socket, Submit(PROTOCOL, "plating.yaml", cell, "li_cu_pp.yaml", "smu1"))
            assert refused.value.exit_status == 75
        before = ask(bench.places.socket, Runs())[0]["readings"]
        wait_until(lambda: ask(bench.places.socket, Runs())[0]["readings"] > before)
        assert bench.output() == "1"


def test_a_real_core_tells_its_supervisor_and_dumps_its_stacks_when_aborted(
    bench: Bench, tmp_path: Path
) -> None:
    supervisor = Supervisor(str(tmp_path / "notify"))
    settings = {"NOTIFY_SOCKET": supervisor.address, "WATCHDOG_USEC": "80000"}
    with process(*bench.core_arguments(), **settings) as (core, _):
        heard: list[str] = []

        def pinged() -> bool:
            heard.extend(supervisor.heard())
            return sum(message.startswith("WATCHDOG=1") for message in heard) > 5 and "READY=1" in heard

        wait_until(pinged)
        core.send_signal(signal.SIGSTOP)
        wait_until(lambda: stopped(core.pid))
        supervisor.heard()
        core.send_signal(signal.SIGCONT)
        wait_until(lambda: any("WATCHDOG=1" in message for message in supervisor.heard()))
        core.send_signal(signal.SIGABRT)
        _, errors = core.communicate(timeout=PATIENCE)
        assert "Fatal Python error: Aborted" in errors
    supervisor.close()


def test_a_core_that_stops_says_so(bench: Bench, tmp_path: Path) -> None:
    supervisor = Supervisor(str(tmp_path / "notify"))
    with process(*bench.core_arguments(), NOTIFY_SOCKET=supervisor.address) as (core, _):
        core.terminate()
        core.wait(PATIENCE)
        assert "STOPPING=1\nEXTEND_TIMEOUT_USEC=60000000" in supervisor.heard()
    supervisor.close()
