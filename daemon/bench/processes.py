"""What processes use: seconds of processor time and bytes of memory, as Linux tells them."""

import os
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

_TICK = os.sysconf("SC_CLK_TCK")
_PAGE = os.sysconf("SC_PAGE_SIZE")


def processor_seconds(pid: int) -> float:
    """Return user and system time of a process so far, to the nanosecond. Raises `ProcessLookupError`."""
    try:
        return time.clock_gettime(_processor_clock(pid))
    except OSError as error:
        raise ProcessLookupError(f"there is no process {pid}") from error


def _processor_clock(pid: int) -> int:
    """Return the clock that counts another process's processor time: clock_getcpuclockid(3) on Linux."""
    scheduler = 2
    return (~pid << 3) | scheduler


def resident_bytes(pid: int) -> int:
    """Return how much memory a process holds."""
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * _PAGE


@dataclass(slots=True)
class Usage:
    """What a group of processes used between its beginning and now."""

    pids: Mapping[str, int]
    _began: float = field(default_factory=time.monotonic)
    _at_first: dict[str, float] = field(default_factory=dict)
    bytes_at_first: dict[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._at_first = {name: processor_seconds(pid) for name, pid in self.pids.items()}
        self.bytes_at_first = self.bytes()

    def cores(self) -> dict[str, float]:
        """Return the processors' worth each has used on average."""
        passed = time.monotonic() - self._began
        return {
            name: (processor_seconds(pid) - self._at_first[name]) / passed for name, pid in self.pids.items()
        }

    def grown(self) -> dict[str, int]:
        """Return the bytes by which each has grown."""
        return {name: now - self.bytes_at_first[name] for name, now in self.bytes().items()}

    def bytes(self) -> dict[str, int]:
        """Return the memory each holds now."""
        return {name: resident_bytes(pid) for name, pid in self.pids.items()}


def somebody_else(ours: float, since: "Busy") -> float:
    """Return how many processors others kept busy meanwhile, given the processor seconds that were ours."""
    busy, passed = since.elapsed()
    return max(0.0, (busy - ours) / passed)


class Busy:
    """How busy the whole machine has been since this was made."""

    def __init__(self) -> None:
        self._began = time.monotonic()
        self._at_first = _busy_seconds()

    def elapsed(self) -> tuple[float, float]:
        """Return processor seconds spent by anybody, and the seconds that passed."""
        return _busy_seconds() - self._at_first, time.monotonic() - self._began


def _busy_seconds() -> float:
    fields = [int(part) for part in Path("/proc/stat").read_text().splitlines()[0].split()[1:9]]
    user, nice, system, _idle, _waiting, interrupts, soft, stolen = fields
    return (user + nice + system + interrupts + soft + stolen) / _TICK
