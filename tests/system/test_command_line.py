"""The commands a person types, against a whole service: what they print, and how they end."""

import asyncio
import csv
import io
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.system.command import Answer, galvanod
from tests.system.conftest import ROOT

pytestmark = [pytest.mark.system]

BENCH = """
bench: command line
instruments:
  smu1:
    driver: keithley2450
    sample: 10 s
    simulate: {cell: li_cu/pp, speed: max, seed: 41}
  slow1:
    driver: keithley2450
    simulate: {cell: li_cu/pp, speed: 1, seed: 42}
  psu1:
    driver: scpi-supply
    unattended: true
    settings: {current_step: 0.01}
    simulate: {cell: supercapacitor/100f, speed: 1, seed: 43}
"""
RUN = ("submit", "li_cu_coulombic_efficiency", "--cell", "li_cu_pp", "--json")


@pytest.fixture(scope="module")
def state(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The state directory of a service that `galvanod up` runs; SIGTERM must end it in order."""
    folder = tmp_path_factory.mktemp("up")
    bench, where = folder / "bench.yaml", folder / "state"
    bench.write_text(BENCH)
    command = [sys.executable, "-m", "daemon", "up", "--bench", str(bench), "--state", str(where), "--json"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    with subprocess.Popen(command, stdout=subprocess.PIPE, env=environment) as process:
        assert process.stdout is not None
        try:
            assert json.loads(process.stdout.readline())["channels"] == ["smu1", "slow1", "psu1"]
            yield where
        finally:
            process.send_signal(signal.SIGTERM)
            assert process.wait(timeout=90) == 0
    assert not (where / "where.json").exists()


async def test_a_run_from_submission_to_export(state: Path, tmp_path: Path) -> None:
    submitted = await galvanod(
        *RUN, "--channel", "smu1", "--var", "cycles=2", "--var", "rest=6 min", state=state
    )
    run = submitted.json["run"]
    watched = await galvanod("watch", run, "--json", state=state)
    assert watched.status == 0
    last = watched.lines[-1]
    assert (last["run"], last["state"], last["steps"]) == (run, "finished", 5)  # a rest and two cycles
    shown = await recorded(run, last["readings"], state)
    assert (shown["state"], shown["missing"], len(shown["steps"])) == ("finished", 0, 5)
    # 1 mA/cm2 and 1 mAh/cm2 on 1.131 cm2
    assert shown["steps"][1]["set_value"] == pytest.approx(-1.131e-3)
    assert shown["steps"][1]["capacity"] == pytest.approx(-1.131e-3 * 3600, rel=2e-3)
    assert [step["verb"] for step in shown["steps"]] == ["rest", "plate", "strip", "plate", "strip"]
    rows = await exported(run, tmp_path / "run.csv", state)
    assert [int(row["Record Index / 1"]) for row in rows] == list(range(1, last["readings"] + 1))
    assert rows[-1]["Step Count / 1"] == "5"
    assert float(rows[-1]["Voltage / V"]) == pytest.approx(last["latest"]["voltage"])


async def recorded(run: str, readings: int, state: Path) -> dict[str, Any]:
    """Return what `show` says once the recorder, a tick behind, has everything."""
    async with asyncio.timeout(120):
        while True:
            shown = (await galvanod("show", run, "--json", state=state)).json
            if shown["readings"] == readings and shown.get("ended"):
                return dict(shown)


async def exported(run: str, file: Path, state: Path) -> list[dict[str, str]]:
    """Return the rows of the export, which must be the same in a file and on the terminal."""
    told = await galvanod("export", run, "--output", str(file), "--json", state=state)
    printed = await galvanod("export", run, state=state)
    rows = list(csv.DictReader(io.StringIO(printed.output)))
    assert file.read_text() == printed.output
    assert told.json == {"run": run, "format": "csv", "file": str(file), "rows": len(rows)}
    return rows


async def test_pause_resume_stop_and_what_is_refused(state: Path, tmp_path: Path) -> None:
    submitted = await galvanod(*RUN, "--channel", "slow1", state=state)
    run = submitted.json["run"]
    assert_refused(await galvanod(*RUN, "--channel", "slow1", state=state), 75, "BusyError", run)
    assert_refused(await galvanod("pause", "lab-77", "--json", state=state), 66, "UnknownError", "lab-77")
    assert_refused(await galvanod("show", "lab-77", "--json", state=state), 66, "UnknownError", "lab-77")
    assert (await galvanod("pause", run, "--json", state=state)).status == 0
    assert (await states(state))[run] == "paused"
    assert (await galvanod("resume", run, "--json", state=state)).status == 0
    assert (await states(state))[run] == "running"
    stopped = await galvanod("stop", run, "--reason", "that is enough", "--json", state=state)
    assert stopped.status == 0
    last = (await galvanod("watch", run, "--json", state=state)).lines[-1]
    assert (last["state"], last["reason"]) == ("stopped", "that is enough")
    assert_refused(await galvanod("stop", run, "--json", state=state), 1, "ServiceError", "is over")
    await assert_a_broken_protocol_is_refused_with_its_line(state, tmp_path)


async def states(state: Path) -> dict[str, str]:
    return {run["run"]: run["state"] for run in (await galvanod("runs", "--json", state=state)).json}


async def assert_a_broken_protocol_is_refused_with_its_line(state: Path, tmp_path: Path) -> None:
    broken = tmp_path / "broken.yaml"
    broken.write_text(
        "protocol: broken\nsteps:\n  - rest: 5 min\n  - plate: 1 mA/cm2\n    until: volts >= 3 V\n"
    )
    submission = ("submit", str(broken), "--cell", "li_cu_pp", "--channel", "smu1")
    refused = await galvanod(*submission, "--json", state=state)
    assert_refused(refused, 65, "ProtocolError", "volts")
    assert [(p["file"], p["line"]) for p in refused.json["error"]["problems"]] == [(str(broken), 5)]
    for_people = await galvanod(*submission, state=state)
    assert (for_people.status, for_people.output) == (65, "")
    assert f"{broken}:5:" in for_people.complaints
    assert "Traceback" not in for_people.complaints


def assert_refused(answer: Answer, status: int, kind: str, word: str) -> None:
    assert answer.status == status, answer
    error = answer.json["error"]
    assert (error["kind"], error["exit_status"]) == (kind, status)
    assert word in error["message"]
    assert "Traceback" not in answer.complaints


async def test_what_an_instrument_cannot_do_is_refused_with_the_place_of_its_step(
    state: Path, tmp_path: Path
) -> None:
    cell, protocol = tmp_path / "cell.yaml", tmp_path / "between.yaml"
    cell.write_text("cell: big\nwindow: {voltage: 0 V .. 2.7 V, current: 2 A}\n")
    protocol.write_text(
        "protocol: between\nsteps:\n  - repeat: 2\n    steps:\n"
        "      - charge: 0.13 A\n        until: time >= 10 s\n"
        "      - discharge: 14 mA\n        until: time >= 10 s\n"
        "      - hold: 1.5005 V\n        until: time >= 10 s\n"
    )
    answer = await galvanod(
        *("check", str(protocol), "--cell", str(cell), "--channel", "psu1", "--json"), state=state
    )
    assert_refused(answer, 65, "ProtocolError", "between two set values")
    [problem] = answer.json["error"]["problems"]  # 1.5005 V in steps of 1 mV is 0.03 % beside 1.5 V
    assert (problem["file"], problem["line"], problem["column"]) == (str(protocol), 7, 9)
    assert "-0.014 A lies between two set values of this supply" in problem["wanted"]
    assert "steps of 0.01 A; the nearest is -0.01 A" in problem["wanted"]
    for_people = await galvanod(
        *("check", str(protocol), "--cell", str(cell), "--channel", "psu1"), state=state
    )
    assert f"{protocol}:7:9: discharge -14 mA; wanted an instrument that can" in for_people.complaints


async def test_without_a_core_every_command_says_so(tmp_path: Path) -> None:
    commands = [(*RUN, "--channel", "smu1"), ("watch", "lab-1", "--json"), ("stop", "lab-1", "--json")]
    for answer in await asyncio.gather(*(galvanod(*command, state=tmp_path) for command in commands)):
        assert_refused(answer, 69, "UnavailableError", "galvanod up")
