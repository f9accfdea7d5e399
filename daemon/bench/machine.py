"""The machine a bench was run on, as far as it matters for the figures."""

import os
import platform
import sqlite3
import time
from importlib.metadata import version
from pathlib import Path
from typing import Any


def described(folder: Path) -> dict[str, Any]:
    """Return processors, memory, system and versions, and what a durable write costs in `folder`."""
    return {
        "processors": os.cpu_count(),
        "processor": _first("/proc/cpuinfo", "model name"),
        "memory_bytes": os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"),
        "system": f"{platform.system()} {platform.release()}",
        "python": platform.python_version(),
        "sqlite": sqlite3.sqlite_version,
        "galvanod": version("galvanod"),
        "load_average": os.getloadavg()[0],
        "fsync_seconds": fsync_seconds(folder),
    }


def fsync_seconds(folder: Path, times: int = 50) -> float:
    """Return the median time of a durable write of one page."""
    taken = []
    path = folder / "fsync"
    with path.open("wb", buffering=0) as file:
        for _ in range(times):
            began = time.perf_counter()
            file.write(b"\x00" * 4096)
            os.fsync(file.fileno())
            taken.append(time.perf_counter() - began)
    path.unlink()
    return sorted(taken)[times // 2]


def _first(path: str, key: str) -> str:
    try:
        lines = Path(path).read_text().splitlines()
    except OSError:
        return ""
    return next((line.partition(":")[2].strip() for line in lines if line.startswith(key)), "")
