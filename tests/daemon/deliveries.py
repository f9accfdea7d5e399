"""Runs for the delivery tests: small, and with numbers that can be checked by hand."""

import asyncio
import contextlib
import random
import socket
import sys
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

from daemon.delivery.broker import serve_broker
from daemon.delivery.messages import (
    Batch,
    Item,
    Noted,
    ReadingRow,
    Readings,
    RunEnded,
    RunStarted,
    StepEnded,
    StepStarted,
)

INSTRUMENT = "rack-1"


def run_started(run: str, cell: str = "Li-S coin cell") -> RunStarted:
    return RunStarted(
        run=run,
        started="2026-01-31T13:00:00+01:00",
        channel="rack-1/1",
        driver="keithley2450",
        instrument={"maker": "Keithley", "model": "2450", "serial": "042"},
        protocol="Li-S cycling",
        protocol_digest="d1",
        protocol_canonical="{}",
        protocol_source="protocol: Li-S cycling",
        cell=cell,
        cell_facts={"active_mass": 1.7e-6},
        variables={},
        limits={"voltage": [1.5, float("inf")]},
        figures=["capacity"],
        versions={"galvanod": "0.1.0"},
        simulated=True,
    )


def readings(
    run: str, first: int, count: int, *, step: int = 1, cycle: int = 1, current: float = 1e-3
) -> Readings:
    """One reading a second at 2 V; the k-th of the run is at k seconds."""
    rows = [
        ReadingRow(float(n), 2.0, current, current, 2 * current, 25.0, 0) for n in range(first, first + count)
    ]
    return Readings(run, step, cycle, first, rows)


def step_started(run: str, ordinal: int, verb: str, cycle: int) -> StepStarted:
    return StepStarted(run, ordinal, 0.0, f"1.{ordinal}", 7, verb, "1 mA", 1e-3, cycle, [cycle], [], None)


def step_ended(
    run: str, ordinal: int, capacity: float, energy: float, numbers: tuple[int, int], duration: float = 10.0
) -> StepEnded:
    mean = energy / capacity if capacity else None
    return StepEnded(run, ordinal, 0.0, "voltage", duration, capacity, energy, *numbers, None, None, mean)


def noted(run: str, ordinal: int) -> Noted:
    return Noted(run, ordinal, 1.0, "paused", "by a person", {"who": "me"})


def run_ended(run: str, count: int) -> RunEnded:
    return RunEnded(run, "2026-01-31T14:00:00+00:00", 7200.0, "finished", "end of protocol", count, 0)


def whole_run(run: str, cell: str = "Li-S coin cell") -> list[Item]:
    """Two cycles of one discharge and one charge, ten readings each: 40 readings."""
    items: list[Item] = [run_started(run, cell)]
    for ordinal, (verb, cycle, capacity, energy) in enumerate(
        [
            ("discharge", 1, -9.0, -18.9),
            ("charge", 1, 10.0, 24.0),
            ("discharge", 2, -8.0, -16.0),
            ("charge", 2, 8.0, 20.0),
        ],
        start=1,
    ):
        first = 10 * ordinal - 9
        items.append(step_started(run, ordinal, verb, cycle))
        items.append(readings(run, first, 10, step=ordinal, cycle=cycle))
        items.append(step_ended(run, ordinal, capacity, energy, (first, first + 9)))
    return [*items, noted(run, 1), run_ended(run, 40)]


def batched(items: Sequence[Item], core: str = "core", first: int = 1) -> list[Batch]:
    """One batch per item."""
    return [Batch(core, 1, sequence, INSTRUMENT, [item]) for sequence, item in enumerate(items, first)]


_taken: list[socket.socket] = []


def free_port() -> int:
    """Return a port that is nobody else's while the tests run, although nobody listens on it yet.

    The system gives none below its own range to whoever connects; tests that run side by side know
    those of the others by a name they hold.
    """
    lowest = int(Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()[0])
    while True:
        port = random.randrange(10_000, lowest)
        name = socket.socket(socket.AF_UNIX)
        try:
            name.bind(f"\0galvanod-test-port-{port}")
            with socket.socket() as probe:
                probe.bind(("127.0.0.1", port))
        except OSError:
            name.close()
            continue
        _taken.append(name)
        return port


@asynccontextmanager
async def running_broker(port: int) -> AsyncIterator[None]:
    """The embedded broker, on loopback, gone when the block ends."""
    ready = asyncio.Event()
    task = asyncio.create_task(serve_broker("127.0.0.1", port, ready.set))
    waiting = asyncio.create_task(ready.wait())
    try:
        await asyncio.wait({task, waiting}, timeout=60, return_when=asyncio.FIRST_COMPLETED)
        if task.done():
            task.result()
        yield
    finally:
        waiting.cancel()
        await ended(task)
        await asyncio.wait({waiting})


@asynccontextmanager
async def killed_broker(port: int) -> AsyncIterator[None]:
    """The embedded broker in a process of its own, as it runs in earnest, killed when the block ends."""
    program = (
        "import asyncio; from daemon.delivery.broker import serve_broker\n"
        f"asyncio.run(serve_broker('127.0.0.1', {port}, lambda: print('ready', flush=True)))"
    )
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", program, stdout=asyncio.subprocess.PIPE
    )
    try:
        assert process.stdout is not None
        async with asyncio.timeout(60):
            assert await process.stdout.readline() == b"ready\n"
        yield
    finally:
        process.kill()
        await process.communicate()


async def ended(task: "asyncio.Task[None]") -> None:
    """Cancel a task and wait until it is over."""
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task


async def until(condition: Callable[[], bool], within: float = 60.0) -> None:
    """Wait until something is true; fails the test when it takes too long."""
    deadline = time.monotonic() + within
    while not condition():
        assert time.monotonic() < deadline, "it did not come true in time"
        await asyncio.sleep(0.005)
