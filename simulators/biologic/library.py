"""The simulated EClib for a host to load: the C shim where there is a compiler, else its Python twin."""

import hashlib
import logging
import os
import shutil
import subprocess
import tempfile
from functools import lru_cache
from pathlib import Path

_log = logging.getLogger(__name__)

SOURCE = Path(__file__).with_name("shim.c")

TWIN = "eclib-twin"
"""The name under which the twin is installed as a Python library (entry points `galvanod.libraries`)."""

COMPILERS = ("cc", "gcc", "clang")

FLAGS = ("-std=c11", "-O2", "-Wall", "-Wextra", "-shared", "-fPIC", "-fvisibility=hidden")

COMPILE_SECONDS = 60.0


@lru_cache(maxsize=1)
def library() -> str:
    """Return the path of the shim, built at need, or the name of the twin; which it is is said once."""
    compiler = next(filter(None, map(shutil.which, COMPILERS)), None)
    if compiler is None:
        _log.warning("no C compiler (%s): the simulated EClib is its Python twin", ", ".join(COMPILERS))
        return TWIN
    try:
        return str(built(compiler, _cache()))
    except (OSError, subprocess.SubprocessError) as error:
        said = error.stderr if isinstance(error, subprocess.CalledProcessError) else error
        _log.warning("%s cannot build the simulated EClib, so it is its Python twin: %s", compiler, said)
        return TWIN


def built(compiler: str, folder: Path) -> Path:
    """Return the shim in `folder`, compiled there unless this very source was before.

    Raises `OSError` or `SubprocessError`.
    """
    digest = hashlib.sha256(SOURCE.read_bytes() + " ".join((compiler, *FLAGS)).encode()).hexdigest()[:16]
    target = folder / f"eclib-{digest}.so"
    if not target.exists():
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder) as scratch:
            fresh = Path(scratch) / target.name
            command = [compiler, *FLAGS, "-o", str(fresh), str(SOURCE)]
            subprocess.run(command, check=True, capture_output=True, text=True, timeout=COMPILE_SECONDS)
            fresh.replace(target)  # whoever builds it at the same time builds the same
    return target


def _cache() -> Path:
    """Return the folder for what can be made again."""
    home = os.environ.get("XDG_CACHE_HOME")
    try:
        return (Path(home) if home else Path.home() / ".cache") / "galvanod"
    except RuntimeError:  # a user without a home
        return Path(tempfile.gettempdir()) / f"galvanod-{os.getuid()}"
