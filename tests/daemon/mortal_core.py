"""A core that can be made to end itself at a point of its way: a process of its own.

python -m tests.daemon.mortal_core STATE BENCH SIMULATED ["POINT" COUNT [SIGNAL]]

A point is one its journal passes, or "readings kept": nobody outside can look so often that the run
is not over meanwhile on a machine that has much else to do.
"""

import asyncio
import json
import os
import signal
import sys
from pathlib import Path

from daemon.channels.bench_file import BenchFile
from daemon.channels.journalled import Passed
from daemon.core import Address, Core
from daemon.host.lifetime import say, told_to_stop
from daemon.places import Places
from daemon.requests import Runs

NOBODY = "mqtt://127.0.0.1:1"


READINGS = "readings kept"
LOOK = 1e-3
"""Seconds between looks at how many readings there are."""


def deadly(point: str, count: int, signal_number: int) -> Passed:
    """Return what ends this process when `point` is passed for the `count`th time."""
    left = count

    def passed(at: str) -> None:
        nonlocal left
        if at == point:
            left -= 1
            if left == 0:
                os.kill(os.getpid(), signal_number)

    return passed


async def has_read(core: Core, count: int, passed: Passed) -> None:
    """Pass the point once a run has kept so many readings, whichever core took them."""
    while all(run["readings"] < count for run in await core.answer(Runs())):
        await asyncio.sleep(LOOK)
    passed(READINGS)


async def serve(state: str, bench: str, simulated: str, point: str, count: int, passed: Passed) -> None:
    addresses = {name: Address(*where) for name, where in json.loads(Path(simulated).read_text()).items()}
    core = Core(Places(Path(state)), "lab", NOBODY, BenchFile.load(Path(bench)), addresses, passed)
    async with asyncio.TaskGroup() as group:
        counting: list[asyncio.Task[None]] = []

        def ready() -> None:
            say({"ready": True})
            if point == READINGS:
                counting.append(group.create_task(has_read(core, count, passed)))

        await core.serve(ready, told_to_stop())
        for task in counting:
            task.cancel()


if __name__ == "__main__":
    _, state, bench, simulated, *rest = sys.argv
    point, times, how = [*rest, *("none", "1", "SIGKILL")[len(rest) :]]
    once = 1 if point == READINGS else int(times)
    fatal = deadly(point, once, signal.Signals[how])
    asyncio.run(serve(state, bench, simulated, point, int(times), fatal))
