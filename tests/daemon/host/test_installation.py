"""What is put on a machine, what is left alone, and what is said of it."""

import json
import shutil
from pathlib import Path

import pytest
from typer.testing import CliRunner

from daemon.channels.bench_file import BenchFile
from daemon.cli import app
from daemon.delivery.broker_users import entry, with_entries
from daemon.errors import ConfigurationError
from daemon.host.installation import MANIFEST, Installation, Outcome, Placed, sources
from protocols.errors import ProtocolError

COMMAND = Path("/opt/galvanod/bin/galvanod")
UNIT = "usr/local/lib/systemd/system/galvanod-core.service"
BENCH = "etc/galvanod/bench.yaml"


def outcomes(placed: list[Placed], root: Path) -> dict[str, Outcome]:
    return {str(one.path.relative_to(root)): one.outcome for one in placed}


def contents(root: Path) -> dict[str, bytes]:
    return {str(p.relative_to(root)): p.read_bytes() for p in root.rglob("*") if p.is_file()}


def test_everything_it_writes_is_said(tmp_path: Path) -> None:
    placed = Installation(tmp_path, COMMAND).place()
    assert {str(one.path.relative_to(tmp_path)) for one in placed} | {MANIFEST} == set(contents(tmp_path))
    assert {one.outcome for one in placed} == {Outcome.WRITTEN}
    assert f"ExecStart={COMMAND} serve" in (tmp_path / UNIT).read_text()
    written = b"".join(contents(tmp_path).values())
    assert b"@galvanod@" not in written
    assert b"@lan@" not in written


def test_a_rehearsal_writes_nothing_and_says_the_same(tmp_path: Path) -> None:
    rehearsed = Installation(tmp_path, COMMAND).place(dry=True)
    assert contents(tmp_path) == {}
    assert rehearsed == Installation(tmp_path, COMMAND).place()


def test_again_is_as_once(tmp_path: Path) -> None:
    Installation(tmp_path, COMMAND).place()
    before = contents(tmp_path)
    again = Installation(tmp_path, COMMAND).place()
    assert contents(tmp_path) == before  # passwords too: nobody is locked out
    assert {one.outcome for one in again} == {Outcome.KEPT}


def test_what_nobody_changed_is_brought_up_to_date_and_what_somebody_changed_is_not(tmp_path: Path) -> None:
    Installation(tmp_path, Path("/opt/old/bin/galvanod")).place()
    mine = (tmp_path / UNIT).read_text() + "# mine\n"
    (tmp_path / UNIT).write_text(mine)
    (tmp_path / BENCH).write_text("bench: mine\n")
    found = outcomes(Installation(tmp_path, COMMAND).place(), tmp_path)
    assert (tmp_path / UNIT).read_text() == mine
    assert (tmp_path / BENCH).read_text() == "bench: mine\n"
    assert found[f"{UNIT}.new"] is Outcome.BESIDE
    assert found[f"{BENCH}.new"] is Outcome.BESIDE
    assert str(COMMAND) in (tmp_path / f"{UNIT}.new").read_text()
    recorder = UNIT.replace("core", "recorder")
    assert found[recorder] is Outcome.REPLACED
    assert str(COMMAND) in (tmp_path / recorder).read_text()


def test_a_new_version_that_was_taken_is_ours_again(tmp_path: Path) -> None:
    Installation(tmp_path, Path("/opt/old/bin/galvanod")).place()
    (tmp_path / UNIT).write_text("# mine\n")
    newer = Installation(tmp_path, Path("/opt/new/bin/galvanod"))
    newer.place()
    (tmp_path / f"{UNIT}.new").rename(tmp_path / UNIT)
    assert outcomes(newer.place(), tmp_path)[UNIT] is Outcome.KEPT
    assert outcomes(Installation(tmp_path, COMMAND).place(), tmp_path)[UNIT] is Outcome.REPLACED


def test_a_file_that_was_there_before_us_is_not_ours(tmp_path: Path) -> None:
    (tmp_path / BENCH).parent.mkdir(parents=True)
    (tmp_path / BENCH).write_text("bench: mine\n")
    Installation(tmp_path, COMMAND).place()
    assert (tmp_path / BENCH).read_text() == "bench: mine\n"


def test_secrets_are_readable_to_nobody_and_the_broker_knows_them(tmp_path: Path) -> None:
    Installation(tmp_path, COMMAND).place()
    folder = tmp_path / "etc/galvanod/credentials"
    lines = [path.read_text() for path in sorted(folder.iterdir())]
    assert [line.partition(":")[0] for line in lines] == ["core", "recorder", "web"]
    assert all(path.stat().st_mode & 0o777 == 0o600 for path in folder.iterdir())
    passwords = tmp_path / "etc/mosquitto/galvanod.passwords"
    assert passwords.stat().st_mode & 0o777 == 0o640
    for line in lines:
        assert line.partition(":")[2].strip() not in passwords.read_text()


def test_users_somebody_added_to_the_broker_stay(tmp_path: Path) -> None:
    Installation(tmp_path, COMMAND).place()
    passwords = tmp_path / "etc/mosquitto/galvanod.passwords"
    (tmp_path / "etc/galvanod/credentials/recorder-broker").unlink()
    kept = [line for line in passwords.read_text().splitlines(True) if not line.startswith("recorder:")]
    passwords.write_text("".join(kept) + "reader:$7$101$c2FsdA==$aGFzaA==\n")
    Installation(tmp_path, COMMAND).place()
    assert [line.partition(":")[0] for line in passwords.read_text().splitlines()] == [
        "core",
        "web",
        "reader",
        "recorder",
    ]


def test_an_entry_of_the_password_file_is_salted() -> None:
    assert entry("core:word\n") != entry("core:word\n")
    assert entry("core:word\n").startswith("core:$7$101$")
    assert with_entries("core:kept\n", ["core:word\n"]) == "core:kept\n"


@pytest.mark.parametrize("folder", ["/home", "/root", "/tmp", "/var/tmp", "/run/user"])
def test_a_galvanod_the_services_cannot_see_is_refused(folder: str) -> None:
    with pytest.raises(ConfigurationError, match=f"is below {folder}, .*wanted"):
        Installation(Path("/"), Path(folder, "me/venv/bin/galvanod")).check()
    Installation(Path("/"), COMMAND).check()


def test_so_is_one_whose_python_they_cannot_see(tmp_path: Path) -> None:
    (tmp_path / "galvanod").touch()
    (tmp_path / "python").symlink_to("/usr/bin/python3")
    Installation(tmp_path, tmp_path / "galvanod").check()
    (tmp_path / "python").unlink()
    (tmp_path / "python").symlink_to("/home/me/.pyenv/python3")
    with pytest.raises(ConfigurationError, match="pyenv/python3 is below /home"):
        Installation(tmp_path, tmp_path / "galvanod").check()


@pytest.mark.parametrize("lan", ["192.168.1.7/24", "lab", "", "192.168.1.0/24\nPrivateNetwork=no"])
def test_a_network_that_is_none_is_refused_before_anything_is_written(tmp_path: Path, lan: str) -> None:
    with pytest.raises(ConfigurationError, match="wanted a network"):
        Installation(tmp_path, COMMAND, (lan,)).check()


def test_the_bench_file_to_begin_with_is_one_once_an_instrument_is_there() -> None:
    text = (sources() / BENCH).read_text()
    with pytest.raises(ProtocolError):
        BenchFile.parse(text, "bench.yaml")
    bench = BenchFile.parse(text.replace("\n#  ", "\n  "), "bench.yaml")
    assert set(bench.instruments) == {"pstat1", "smu1"}


def test_the_command_says_every_file_and_what_to_do_next(tmp_path: Path) -> None:
    arguments = ["install", "--prefix", str(tmp_path), "--command", str(COMMAND), "--lan", "192.168.1.0/24"]
    said = CliRunner().invoke(app, [*arguments, "--dry-run"])
    assert said.exit_code == 0
    assert "Nothing was written" in said.output
    said = CliRunner().invoke(app, arguments)
    assert f"written  {tmp_path / UNIT}" in said.output
    assert "systemctl enable --now galvanod.target" in said.output
    found = json.loads(CliRunner().invoke(app, [*arguments, "--json"]).output)
    assert {one["outcome"] for one in found} == {"kept"}
    assert len(found) == len(contents(tmp_path)) - 1  # all but the manifest


def test_a_directory_one_may_not_write_to_is_named() -> None:
    with pytest.raises(ConfigurationError, match=r"/proc/galvanod.* cannot be written"):
        Installation(Path("/proc/galvanod"), COMMAND).place()


@pytest.mark.skipif(shutil.which("mosquitto_passwd") is None, reason="mosquitto is not installed here")
def test_passwords_have_mosquittos_own_form(tmp_path: Path) -> None:
    import subprocess

    (tmp_path / "passwords").write_text("core:word\n")
    subprocess.run(["mosquitto_passwd", "-U", str(tmp_path / "passwords")], check=True, capture_output=True)
    theirs, ours = (tmp_path / "passwords").read_text().strip(), entry("core:word").strip()
    assert [len(part) for part in theirs.split("$")] == [len(part) for part in ours.split("$")]
    assert theirs.split("$")[:3] == ours.split("$")[:3]
