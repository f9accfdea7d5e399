"""The packages are ours, and the demonstration shows what the reference experiment found."""

import asyncio
import sys
from importlib import import_module
from pathlib import Path

import pytest

from tests.system.command import galvanod
from tests.system.conftest import ROOT

pytestmark = [pytest.mark.system]

PACKAGES = ("daemon", "drivers", "protocols", "simulators")
BESIDE_THE_TRUTH = {  # lab units: how far a figure may be from what was put into its cell
    "specific_capacity": 0.002 * 980,
    "coulombic_efficiency": 0.05,
    "ionic_conductivity": 0.005 * 0.305,
    "transference_number": 0.02 * 0.36,
}


@pytest.mark.parametrize("package", PACKAGES)
def test_the_package_of_that_name_is_ours(package: str) -> None:
    """PyPI has others of these names; `daemon` is one that many machines have installed."""
    file = import_module(package).__file__
    assert file is not None
    assert Path(file).parent == ROOT / package


async def test_a_child_process_runs_the_same_code() -> None:
    """It is what the supervisor starts: `python -m daemon` wherever one happens to be."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", "import daemon; print(daemon.__file__)"),
        stdout=asyncio.subprocess.PIPE,
        cwd="/",
    )
    printed, _ = await process.communicate()
    assert Path(printed.decode().strip()).parent == ROOT / "daemon"


@pytest.mark.timeout(300)
async def test_the_demonstration_prints_one_figure_for_each_run(tmp_path: Path) -> None:
    answer = await galvanod("demo", "--json", state=tmp_path)
    assert answer.status == 0, answer.complaints
    found = answer.json
    assert (len(found["figures"]), len(found["runs"]), found["lost"]) == (8, 8, 0)
    assert found["readings"] > 5000
    assert sorted(figure["run"] for figure in found["figures"]) == sorted(found["runs"].values())
    for figure in found["figures"]:
        assert abs(figure["off"]) <= BESIDE_THE_TRUTH[figure["figure"]], figure
        assert figure["off"] == pytest.approx(figure["measured"] - figure["put_in"])
