"""The units: systemd finds nothing wrong with them, and little that an intruder could use."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.systemd.tree import installed

pytestmark = pytest.mark.skipif(
    shutil.which("systemd-analyze") is None, reason="systemd-analyze is not installed here"
)

SERVICES = ("core", "recorder", "web", "backup", "restore-test")
WITHOUT_A_NETWORK = tuple(name for name in SERVICES if name != "web")


def analyze(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["systemd-analyze", *arguments], capture_output=True, text=True, timeout=120, check=False
    )


def exposure(unit: Path, threshold: float) -> str:
    """Fail above the threshold, by systemd's own exit status; return its verdict."""
    found = analyze(
        "security", "--offline=true", f"--threshold={threshold * 10:.0f}", "--no-pager", str(unit)
    )
    verdict = next(line for line in found.stdout.splitlines() if "Overall exposure level" in line)
    assert found.returncode == 0, f"{verdict}\n" + "\n".join(
        line for line in found.stdout.splitlines() if "✗" in line
    )
    return verdict


def sections(unit: Path) -> dict[str, dict[str, list[str]]]:
    """A unit as sections of keys with every value they are given."""
    found: dict[str, dict[str, list[str]]] = {}
    section: dict[str, list[str]] = {}
    for line in unit.read_text().splitlines():
        if line.startswith("["):
            section = found.setdefault(line.strip("[]"), {})
        elif line and not line.startswith("#"):
            key, _, value = line.partition("=")
            section.setdefault(key, []).append(value)
    return found


@pytest.mark.parametrize("lan", [(), ("192.168.1.0/24", "fd00::/64")])
def test_systemd_has_nothing_to_say_against_any_unit(tmp_path: Path, lan: tuple[str, ...]) -> None:
    units = installed(tmp_path, lan)
    core = with_drop_ins(tmp_path, units / "galvanod-core.service")
    found = analyze("verify", "--man=no", *map(str, sorted(units.iterdir())))
    assert found.stderr == ""
    assert found.returncode == 0
    assert analyze("verify", "--man=no", str(core)).stderr == ""


def with_drop_ins(root: Path, unit: Path) -> Path:
    """The unit with its drop-ins appended: offline, systemd-analyze looks for none."""
    whole = root / "whole" / unit.name
    whole.parent.mkdir(exist_ok=True)
    drop_ins = sorted((root / "etc/systemd/system" / f"{unit.name}.d").glob("*.conf"))
    whole.write_text("\n".join(path.read_text() for path in [unit, *drop_ins]))
    return whole


def test_verify_would_have_said_so(tmp_path: Path) -> None:
    units = installed(tmp_path)
    core = units / "galvanod-core.service"
    core.write_text(core.read_text().replace("ProtectHome=yes", "ProtectHouse=yes"))
    assert "ProtectHouse" in analyze("verify", "--man=no", str(core)).stderr


@pytest.mark.parametrize("name", WITHOUT_A_NETWORK)
def test_exposure_without_a_network_is_at_most_half_a_point(tmp_path: Path, name: str) -> None:
    exposure(installed(tmp_path) / f"galvanod-{name}.service", 0.5)


def test_exposure_of_the_page_is_at_most_one_point(tmp_path: Path) -> None:
    exposure(installed(tmp_path) / "galvanod-web.service", 1.0)


def test_exposure_of_the_core_with_instruments_on_the_lan_is_at_most_1_2(tmp_path: Path) -> None:
    units = installed(tmp_path, ("192.168.1.0/24",))
    whole = with_drop_ins(tmp_path, units / "galvanod-core.service")
    assert "IPAddressAllow=192.168.1.0/24" in whole.read_text()
    exposure(whole, 1.2)
    with pytest.raises(AssertionError):  # it did look at the drop-in
        exposure(whole, 0.5)


def test_the_core_is_made_safe_after_every_end_and_started_again(tmp_path: Path) -> None:
    core = sections(installed(tmp_path) / "galvanod-core.service")
    service = core["Service"]
    [safe] = service["ExecStopPost"]
    assert re.fullmatch(r"/\S+/galvanod safe --state %S/galvanod", safe)
    assert service["Type"] == ["notify"]
    assert service["WatchdogSec"] == ["10s"]
    assert service["Restart"] == ["on-failure"]
    assert core["Unit"]["StartLimitIntervalSec"] == ["0"]
    assert "PartOf" not in core["Unit"]
    assert "Requires" not in core["Unit"]  # neither broker nor database may take it down


def test_no_service_is_given_a_secret_but_as_a_credential(tmp_path: Path) -> None:
    units = installed(tmp_path)
    for unit in units.glob("*.service"):
        environment = " ".join(sections(unit)["Service"].get("Environment", []))
        assert not re.search(r"PASS|TOKEN|SECRET|://[^/ ]*:[^/ ]*@", environment), unit.name
    for name in ("core", "recorder", "web"):
        [credential] = sections(units / f"galvanod-{name}.service")["Service"]["LoadCredential"]
        target, _, source = credential.partition(":")
        assert target == "broker"
        assert (tmp_path / source.lstrip("/")).stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("name", SERVICES)
def test_every_command_a_unit_runs_is_one_we_have(tmp_path: Path, name: str) -> None:
    import typer.main

    from daemon.cli import app

    known = typer.main.get_command(app)
    service = sections(installed(tmp_path) / f"galvanod-{name}.service")["Service"]
    for line in service["ExecStart"] + service.get("ExecStopPost", []):
        command, *arguments = line.split()[1:]
        options = {o for p in known.commands[command].params for o in p.opts}  # type: ignore[attr-defined]
        assert {a for a in arguments if a.startswith("--")} <= options


def test_timers_fire_when_they_say(tmp_path: Path) -> None:
    units = installed(tmp_path)
    for timer in units.glob("*.timer"):
        [calendar] = sections(timer)["Timer"]["OnCalendar"]
        assert analyze("calendar", calendar).returncode == 0
        assert timer.with_suffix(".service").is_file()
        assert sections(timer)["Timer"]["Persistent"] == ["yes"]


@pytest.mark.skipif(shutil.which("systemd-sysusers") is None, reason="systemd-sysusers is not installed here")
def test_the_users_can_be_made(tmp_path: Path) -> None:
    installed(tmp_path)
    (tmp_path / "etc").mkdir(exist_ok=True)
    for name in ("passwd", "group"):
        (tmp_path / "etc" / name).write_text(
            "root:x:0:0::/root:/bin/sh\n" if name == "passwd" else "root:x:0:\n"
        )
    wanted = tmp_path / "usr/local/lib/sysusers.d/galvanod.conf"
    made = subprocess.run(
        ["systemd-sysusers", f"--root={tmp_path}", str(wanted)], capture_output=True, text=True, check=False
    )
    assert made.returncode == 0, made.stderr
    groups = dict(line.split(":")[::3] for line in (tmp_path / "etc/group").read_text().splitlines())
    assert groups["galvanod-broker"] == "galvanod,galvanod-recorder,galvanod-web"
    # core and recorder may not act for each other; the page asks the one and reads from the other
    assert groups["galvanod"] == groups["galvanod-recorder"] == "galvanod-web"


def test_the_udev_rules_are_rules(tmp_path: Path) -> None:
    installed(tmp_path)
    rules = (tmp_path / "usr/local/lib/udev/rules.d/60-galvanod.rules").read_text()
    labels = set(re.findall(r'LABEL="(\w+)"', rules))
    assert set(re.findall(r'GOTO="(\w+)"', rules)) == labels
    part = r'[A-Z_]+(\{[\w/]+\})?(==|!=|\+=|=)"[^"]*"'
    for line in rules.splitlines():
        if line and not line.startswith("#"):
            assert re.fullmatch(rf"{part}(, {part})*", line), line


def test_an_upgrade_of_a_library_does_not_restart_the_core(tmp_path: Path) -> None:
    installed(tmp_path)
    if shutil.which("perl") is None:
        pytest.skip("perl is not installed here")
    excluded = tmp_path / "etc/needrestart/conf.d/galvanod.conf"
    script = (
        f"defined(do '{excluded}') or die; my %r = %{{$nrconf{{override_rc}}}}; "
        "my ($rule) = keys %r; print 'galvanod-core.service' =~ $rule && !$r{$rule} ? 'kept' : 'restarted';"
    )
    found = subprocess.run(
        ["perl", "-e", f"our %nrconf; {script}"], capture_output=True, text=True, check=False
    )
    assert found.stdout == "kept", found.stderr
