"""docs/adding-an-instrument.md, step by step: its files are a package somebody else installs."""

import os
import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

PAGE = Path(__file__).parents[2] / "docs" / "adding-an-instrument.md"

BLOCK = re.compile(r"^```\w+ (?P<name>[^\n]+)\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL)


def blocks() -> dict[str, str]:
    """Return what the page shows, by name."""
    return {match["name"]: match["text"] for match in BLOCK.finditer(PAGE.read_text())}


def installed(files: dict[str, str], folder: Path) -> Path:
    """Install the page's package as pip installs any wheel, into a folder of its own; return that."""
    entry_points = files["pyproject.toml"].partition("[project.entry-points.")[2]
    described = re.sub(r'(?:\[project\.entry-points\.)?"(galvanod\.\w+)"\]', r"[\1]", entry_points)
    described = re.sub(r'= "(.*)"', r"= \1", described)
    wheel = folder / "galvanod_acme-1.0-py3-none-any.whl"
    info = "galvanod_acme-1.0.dist-info"
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.writestr("acme/__init__.py", "")
        for name in ("acme/simulator.py", "acme/driver.py"):
            archive.writestr(name, files[name])
        archive.writestr(f"{info}/METADATA", "Metadata-Version: 2.1\nName: galvanod-acme\nVersion: 1.0\n")
        archive.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        archive.writestr(f"{info}/entry_points.txt", described)
        archive.writestr(f"{info}/RECORD", "")
    target = folder / "site"
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet", "install", "--no-index"]
    subprocess.run([*pip, "--no-deps", "--target", target, wheel], check=True, capture_output=True)
    return target


def run(site: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run Python where the package is installed and the repository is not the working directory."""
    environment = os.environ | {"PYTHONPATH": str(site)}
    command = [sys.executable, *arguments]
    return subprocess.run(command, cwd=site.parent, env=environment, capture_output=True, text=True)


def tried(site: Path, *select: str) -> subprocess.CompletedProcess[str]:
    """Run the page's test."""
    (site.parent / "test_acme.py").write_text(blocks()["test_acme.py"])
    options = ["-q", "-p", "no:cacheprovider", "-o", "asyncio_mode=auto", *select]
    return run(site, "-m", "pytest", *options, "test_acme.py")


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return installed(blocks(), tmp_path_factory.mktemp("acme"))


@pytest.mark.timeout(600)
def test_the_package_of_the_page_keeps_the_contract(site: Path) -> None:
    done = tried(site)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "8 passed, 2 skipped" in done.stdout  # what programmed channels promise is none of its business


@pytest.mark.timeout(600)
def test_a_driver_with_the_wrong_sign_is_told_so(site: Path, tmp_path: Path) -> None:
    wrong = Path(shutil.copytree(site, tmp_path / "site"))
    driver = blocks()["acme/driver.py"]
    (wrong / "acme/driver.py").write_text(driver.replace("float(amperes)\n", "-float(amperes)\n"))
    done = tried(wrong, "-k", "holds_a_set_point")
    assert done.returncode == 1
    assert blocks()["wrong sign"].strip() in done.stdout


@pytest.mark.timeout(600)
def test_the_command_line_knows_it(site: Path) -> None:
    done = run(site, "-m", "daemon", "simulate", "acme", "--cell", "none")
    assert "simulated instrument acme: no simulated cell is called 'none'" in done.stderr
