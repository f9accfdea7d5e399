"""A circuit is fitted to a recorded spectrum from the command line."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from daemon.cli import app
from daemon.recording.store import Store
from protocols.errors import GalvanodError
from tests.daemon.reports.recorded import keep_run


@pytest.fixture
def url(tmp_path: Path) -> str:
    store = Store.open(str(tmp_path / "results.db"))
    keep_run(store, "lab-1")
    store.close()
    return store.url


def test_the_parameters_come_out(url: str) -> None:
    done = CliRunner().invoke(app, ["fit", "lab-1", "R0-p(R1,C1)", "--json", "--database", url])
    assert done.exit_code == 0, done.output
    (found,) = json.loads(done.output)
    values = {name: one["value"] for name, one in found["parameters"].items()}
    assert values == pytest.approx({"R0": 4.0, "R1": 30.0, "C1": 5e-6}, rel=1e-4)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["lab-1", "R0-p(R1"], "at character 8"),
        (["lab-1", "R0", "--start", "R7=1"], "R0 has no R7; it has R0"),
        (["lab-1", "R0", "--step", "1"], "step 1 of run lab-1 has no spectrum"),
    ],
)
def test_a_mistake_is_said_to_be_one(url: str, words: list[str], said: str) -> None:
    done = CliRunner().invoke(app, ["fit", *words, "--database", url])
    assert isinstance(done.exception, GalvanodError)
    assert said in str(done.exception)
