"""The packages are ours, and the demonstration shows what the reference experiment found."""

import asyncio
import sys
from importlib import import_module
from pathlib import Path

import pytest

from tests.system.command import galvanod
from tests.system.conftest import LONG, ROOT

pytestmark = [pytest.mark.system]

PACKAGES = ("daemon", "drivers", "protocols", "simulators")


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


@LONG
@pytest.mark.timeout(900)
async def test_the_demonstration_agrees_with_the_source_and_with_what_was_put_in(tmp_path: Path) -> None:
    answer = await galvanod("demo", "--json", state=tmp_path)
    assert answer.status == 0, answer.complaints
    found = answer.json
    assert (len(found["cells"]), found["lost"]) == (43, 0)
    assert [line for line in found["lines"] if line["agrees"] is False] == []
    for line in found["lines"]:
        if line["put_in"] is not None:
            assert line["measured"]["mean"] == pytest.approx(line["put_in"], rel=0.02), line
