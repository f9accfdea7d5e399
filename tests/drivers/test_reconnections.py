"""Thousands of connections later there is no file, no thread and no task more than before."""

import asyncio
import contextlib
import os
import threading
from pathlib import Path

import pytest

from drivers.errors import LinkError
from drivers.links import Link
from drivers.links.opening import open_link
from simulators.emstat4 import EmStat4
from simulators.faults import Fault, Faults
from simulators.instrument import SimulatedInstrument
from simulators.keithley2450 import Keithley2450

TIMES = 10_000 if os.environ.get("GALVANOD_SOAK") else 200

pytestmark = pytest.mark.timeout(900)


def held() -> tuple[int, int, int]:
    """Open files, threads and tasks of this process."""
    return len(list(Path("/proc/self/fd").iterdir())), threading.active_count(), len(asyncio.all_tasks())


class HangsUp(Faults):
    """Hangs up on whoever was heard and waits for the answer, once it is armed."""

    armed = False

    def on_answer(self) -> Fault | None:
        if self.armed:
            self.armed = False
            self.inject("reset")
        return super().on_answer()


async def asked(link: Link, question: str) -> None:
    """Ask once, and close whatever came of it."""
    try:
        await link.query(question)
    finally:
        await link.aclose()


@pytest.mark.parametrize(
    ("instrument", "scheme", "question"),
    [(Keithley2450, "visa", "*IDN?"), (Keithley2450, "tcp", "*IDN?"), (EmStat4, "serial", "t")],
)
async def test_connections_leave_nothing_behind(
    instrument: type[SimulatedInstrument], scheme: str, question: str
) -> None:
    faults = HangsUp()
    async with instrument.serve(cell="li_ion/generic", speed=1.0, seed=1, faults=faults) as served:
        host, port = served.address.split("::")[1:3] if scheme == "tcp" else ("", "")
        address = f"tcp://{host}:{port}" if scheme == "tcp" else f"{scheme}://{served.address}"
        for _ in range(10):  # what is made once and kept, such as a pool of threads
            await asked(await open_link(address), question)
        before = held()
        for number in range(TIMES):
            if number % 50 == 0 and scheme != "serial":
                faults.armed = True
                with pytest.raises(LinkError):
                    await asked(await open_link(address), question)
                assert not faults.armed
            await asked(await open_link(address), question)
        most = before[0] + 2, before[1] + 1, before[2] + 2
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(30.0):  # whoever served or asked hears of the last end a turn later
                while any(now > bound for now, bound in zip(held(), most, strict=True)):
                    await asyncio.sleep(0.005)
        files, threads, tasks = held()
    assert files <= most[0]
    assert threads <= most[1]
    assert tasks <= most[2]
