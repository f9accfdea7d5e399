"""A certificate for this machine, made for one test and trusted by nobody else."""

import shutil
import subprocess
from pathlib import Path
from typing import NamedTuple

import pytest

NEEDS_OPENSSL = pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl is not installed here")


class Certificate(NamedTuple):
    """A certificate that vouches for itself, and its key (PEM)."""

    certificate: Path
    key: Path


def made_in(folder: Path) -> Certificate:
    """Make one for 127.0.0.1 and localhost."""
    made = Certificate(folder / "lab.pem", folder / "lab.key")
    command = (
        "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=lab"
    )
    names = "subjectAltName=IP:127.0.0.1,DNS:localhost"
    files = ["-keyout", str(made.key), "-out", str(made.certificate)]
    subprocess.run([*command.split(), "-addext", names, *files], check=True, capture_output=True)
    return made
