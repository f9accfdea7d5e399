"""A core that can be made to kill itself where its journal passes a point: a process of its own.

python -m tests.daemon.mortal_core STATE BENCH SIMULATED ["POINT" COUNT]
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

NOBODY = "mqtt://127.0.0.1:1"


def deadly(point: str, count: int) -> Passed:
    """Return what kills this process when `point` is passed for the `count`th time."""
    left = count

    def passed(at: str) -> None:
        nonlocal left
        if at == point:
            left -= 1
            if left == 0:
                os.kill(os.getpid(), signal.SIGKILL)

    return passed


async def serve(state: str, bench: str, simulated: str, passed: Passed) -> None:
    addresses = {name: Address(*where) for name, where in json.loads(Path(simulated).read_text()).items()}
    core = Core(Places(Path(state)), "lab", NOBODY, BenchFile.load(Path(bench)), addresses, passed)
    await core.serve(lambda: say({"ready": True}), told_to_stop())


if __name__ == "__main__":
    _, state, bench, simulated, *rest = sys.argv
    asyncio.run(serve(state, bench, simulated, deadly(rest[0], int(rest[1])) if rest else lambda point: None))
