"""Faults from the bench file and from the command line, as far as the simulated instrument itself."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import pyvisa
from pyvisa.resources import MessageBasedResource
from typer.testing import CliRunner

from daemon.channels.bench_file import BenchFile
from daemon.cli import app
from protocols.errors import ProtocolError
from tests.simulators.json_port import JsonPort, json_port

ROOT = Path(__file__).parents[2]

BENCH = """
bench: faults
instruments:
  smu1:
    driver: keithley2450
    simulate:
      cell: li_cu/pp
      speed: max
      faults:
        - {at: 30 s, fault: mute, for: 5 s}
        - {at: 1 min, fault: late, by: 500 ms, times: 2}
        - open after 2 h
"""


def test_the_bench_file_says_faults_in_words_and_as_mappings() -> None:
    simulation = BenchFile.parse(BENCH, "bench.yaml").instruments["smu1"].simulation
    assert simulation is not None
    assert simulation.faults == ("mute at 30 s for 5 s", "late by 500 ms at 60 s 2 times", "open after 2 h")


@pytest.mark.parametrize(
    ("faults", "line"),
    [
        ("[{at: 30 kg, fault: mute}]", "30 kg"),
        ("[{at: 30 s}]", "no `fault` here"),
        ("[{fault: mute, until: 30 s}]", "until"),
        ("{fault: mute}", "a mapping"),
        ("[[mute]]", "a list"),
    ],
)
def test_what_is_no_fault_is_refused_with_its_place(faults: str, line: str) -> None:
    text = (
        f"bench: b\ninstruments:\n  a:\n    driver: emstat4\n    simulate: {{cell: li_s, faults: {faults}}}\n"
    )
    with pytest.raises(ProtocolError, match=r"bench.yaml:5") as refusal:
        BenchFile.parse(text, "bench.yaml")
    assert line in str(refusal.value)


@contextmanager
def simulated(*arguments: str) -> Iterator[dict[str, Any]]:
    """Run `galvanod simulate` as a process; yield the first line it says."""
    process = subprocess.Popen(
        [sys.executable, "-m", "daemon", "simulate", *arguments, "--json"],
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    try:
        assert process.stdout is not None
        yield json.loads(process.stdout.readline())
    finally:
        process.terminate()
        process.communicate(timeout=90.0)


async def level_after(told: dict[str, Any], moment: float) -> str:
    """Set a level, let time pass, ask for it."""
    manager = pyvisa.ResourceManager("@py")
    smu = manager.open_resource(told["address"], read_termination="\n", write_termination="\n")
    assert isinstance(smu, MessageBasedResource)
    assert smu.query(":SOUR:CURR 0.5;CURR?") == "5.000000E-01"
    smu.close()
    async with json_port(told["rehearsal"]) as port:
        await port.ask({"until": moment})
        answer = await asked_once_it_is_back(manager, told["address"], port)
    manager.close()
    return answer


async def asked_once_it_is_back(manager: pyvisa.ResourceManager, address: str, port: JsonPort) -> str:
    """Ask for the level as often as it takes: a port that comes back takes some turns of the loop."""
    for _ in range(100):
        try:
            smu = manager.open_resource(address, read_termination="\n", write_termination="\n")
            assert isinstance(smu, MessageBasedResource)
            return str(smu.query(":SOUR:CURR?"))
        except OSError:
            await port.now()
    raise AssertionError("it never came back")


async def test_the_command_line_takes_faults_one_by_one() -> None:
    faults = ("--fault", "power after 30 s for 5 s", "--fault", "mute after 100 s")
    with simulated("keithley2450", "--speed", "max", *faults) as told:
        assert await level_after(told, 40.0) == "0.000000E+00"  # switched off and on meanwhile


async def test_so_does_a_bench_file(tmp_path: Path) -> None:
    bench = tmp_path / "bench.yaml"
    bench.write_text(BENCH.replace("{at: 30 s, fault: mute, for: 5 s}", "{at: 30 s, fault: power, for: 5 s}"))
    with simulated("--bench", str(bench)) as told:
        assert await level_after(told, 40.0) == "0.000000E+00"


def test_a_fault_nobody_knows_is_answered_with_those_there_are() -> None:
    ended = subprocess.run(
        [sys.executable, "-m", "daemon", "simulate", "keithley2450", "--fault", "fire"],
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=90.0,
        check=False,
    )
    assert ended.returncode == 66
    assert "KIND one of mute, deaf, slow" in " ".join(ended.stderr.split())
    assert "Traceback" not in ended.stderr


def test_a_fault_beside_a_bench_file_is_a_mistake() -> None:
    result = CliRunner().invoke(app, ["simulate", "--bench", "x.yaml", "--fault", "mute"])
    assert result.exit_code == 2
    assert "--fault goes with an instrument" in result.output
