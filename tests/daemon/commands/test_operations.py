"""`galvanod backup` and `galvanod restore`, as a person or a timer calls them."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from daemon.cli import app
from daemon.reading.results import Results
from daemon.recording.store import Store
from tests.daemon.deliveries import batched, whole_run


def called(*arguments: str) -> str:
    result = CliRunner().invoke(app, list(arguments))
    assert result.exit_code == 0, result.output
    return result.output


def filled(state: Path) -> str:
    """A state directory with the results of one run of 40 readings; returns its database."""
    state.mkdir()
    database = f"sqlite:///{state / 'results.db'}"
    store = Store.open(database)
    store.add(batched(whole_run("one")))
    store.close()
    return database


def test_a_nightly_backup_a_restore_test_and_a_restoration(tmp_path: Path) -> None:
    state, folder = tmp_path / "state", tmp_path / "backups"
    database = filled(state)
    folder.mkdir()
    (folder / "results-20200101T000000Z.db").touch()
    arguments = ("backup", "--state", str(state), "--output", str(folder), "--keep", "1/0/0", "--json")
    made = json.loads(called(*arguments))
    assert made["removed"] == [str(folder / "results-20200101T000000Z.db")]
    assert [str(path) for path in folder.iterdir()] == [made["backup"]]
    found = json.loads(called("restore", str(folder), "--check", "--state", str(state), "--json"))
    assert (found["runs"], found["readings"], found["aside"]) == (1, 40, None)
    store = Store.open(database)
    store.add(batched(whole_run("two"), first=100))
    store.close()
    said = called("restore", made["backup"], "--state", str(state))
    assert "is good: 40 readings in 1 run" in said
    assert "restored; what was there is now" in said
    assert [run.name for run in Results.open(database).runs()] == ["one"]


def test_keeping_so_many_is_for_folders_only(tmp_path: Path) -> None:
    filled(tmp_path / "state")
    arguments = [
        "backup",
        "--state",
        str(tmp_path / "state"),
        "-o",
        str(tmp_path / "one.db"),
        "--keep",
        "7/4/12",
    ]
    assert CliRunner().invoke(app, arguments).exit_code == 2
    assert not (tmp_path / "one.db").exists()


@pytest.mark.parametrize("name", ["a/b", "", "#", "-1", "lab 3", "x" * 33])
def test_a_core_is_called_what_can_stand_in_a_topic_and_before_a_number(name: str, tmp_path: Path) -> None:
    for command in ("up", "serve"):
        result = CliRunner().invoke(app, [command, f"--name={name}", "--state", str(tmp_path / "state")])
        assert (result.exit_code, "letters, digits" in result.output) == (2, True), result.output
    assert not (tmp_path / "state").exists()
