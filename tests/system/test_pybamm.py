"""PyBaMM as an independent cell: the same protocol as its own Experiment and through the service agree."""

import asyncio
import math
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from daemon.reading.results import Results
from daemon.requests import Runs
from tests.system.laboratory import Laboratory, Place, laboratory

PATIENCE = 500.0  # seconds: each reading is several solutions of a physical model
pytestmark = [pytest.mark.system, pytest.mark.timeout(600)]

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # its dependencies' own
    pybamm = pytest.importorskip("pybamm", reason="PyBaMM, the extra pybamm, is not installed")

EXPERIMENT = [
    "Charge at 1.5 mA until 3.95 V",
    "Hold at 3.95 V until 1 mA",
    "Rest for 5 minutes",
    "Discharge at 3 mA until 3.6 V",
]
PROTOCOL = """\
protocol: the same as an Experiment
limits: {voltage: 2.0 V .. 4.4 V, current: 10 mA}
record: every 60 s or 5 mV
steps:
""" + "".join(f'  - "{step}"\n' for step in EXPERIMENT)


class Outcome(NamedTuple):
    """One step: seconds it took, coulombs it passed (positive on charge), volts at its end."""

    seconds: float
    coulombs: float
    volts: float


def as_an_experiment() -> list[Outcome]:
    """What PyBaMM makes of it, with solver steps of its own choice and events found exactly."""
    from simulators.cells.pybamm_cell import _parameters

    simulation = pybamm.Simulation(
        pybamm.lithium_ion.SPM(),
        parameter_values=_parameters(10.8, 0.0),
        experiment=pybamm.Experiment(EXPERIMENT, period="10 seconds"),
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        steps = simulation.solve(initial_soc=0.5).cycles
    return [_outcome(step) for step in steps]


def _outcome(step: Any) -> Outcome:
    time, volts = step["Time [s]"].entries, step["Voltage [V]"].entries
    passed = step["Discharge capacity [A.h]"].entries
    return Outcome(float(time[-1] - time[0]), -3600.0 * float(passed[-1] - passed[0]), float(volts[-1]))


async def through_the_service(folder: Path) -> Sequence[Outcome]:
    """What comes out of the database when an EmStat4 runs it on the same cell."""
    file = folder / "protocol.yaml"
    file.write_text(PROTOCOL)
    async with laboratory(folder, [Place("ps1", "emstat4", "pybamm/spm", math.inf, 1, "1 s")]) as lab:
        run = await lab.submit("ps1", str(file), "li_ion")
        async with asyncio.timeout(PATIENCE):
            while not (ended := await finished(lab, run)):
                await asyncio.sleep(0.2)
        assert ended["state"] == "finished", ended
        await lab.delivered()
    results = Results.open(lab.database)
    try:
        return [
            Outcome(step.duration or 0.0, step.capacity or 0.0, step.end_voltage or 0.0)
            for step in results.steps(run)
        ]
    finally:
        results.close()


async def finished(lab: Laboratory, run: str) -> Mapping[str, Any] | None:
    for known in await lab.ask(Runs()):
        if known["run"] == run and known["state"] not in ("running", "paused"):
            return dict(known)
    return None


async def test_an_experiment_and_a_protocol_agree(tmp_path: Path) -> None:
    theirs, ours = as_an_experiment(), await through_the_service(tmp_path)
    assert len(ours) == len(theirs)
    for mine, their in zip(ours, theirs, strict=True):
        # The instrument looks once a second and to 0.2 mV: a step may end 2 s later, at 3 mA 0.006 C.
        assert mine.coulombs == pytest.approx(their.coulombs, rel=0.005, abs=0.006)
        assert mine.seconds == pytest.approx(their.seconds, rel=0.005, abs=2.0)
        assert mine.volts == pytest.approx(their.volts, abs=0.002)
