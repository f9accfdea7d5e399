"""How long this machine has been up: the clock that nobody sets, and that goes on while it sleeps."""

import time
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple


class Uptime(NamedTuple):
    """A moment: which start of the machine, and the seconds since then. Of another start it says nothing."""

    boot: str
    seconds: float


def uptime() -> Uptime:
    """Return the present moment (CLOCK_BOOTTIME)."""
    return Uptime(boot(), time.clock_gettime(time.CLOCK_BOOTTIME))


def seconds_since(then: Uptime | None, wall: float) -> float:
    """Return the seconds since a moment that was noted by both clocks.

    The wall clock (`wall`, UTC seconds since 1970) is believed only where the machine was started
    since, or the other is not known.
    """
    now = uptime()
    if then is not None and then.boot == now.boot:
        return max(0.0, now.seconds - then.seconds)
    return max(0.0, time.time() - wall)


@lru_cache
def boot() -> str:
    """Name this start of the machine."""
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    except OSError:
        return "unknown"
