"""A channel of a LAND cabinet at work on a schedule of its own, and the file that grows of it."""

import asyncio
import math
import shutil
import tempfile
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from simulators.cells.base import Cell
from simulators.cells.library import make_cell
from simulators.clock import Clock, SimulatedClock
from simulators.faults import Faults
from simulators.faults.cell import FaultyCell
from simulators.land.ccs import CcsWriter
from simulators.neware.execution import Execution
from simulators.neware.meter import Meter
from simulators.neware.step_file import Kind, Loop, Rule, Step, StepFile
from simulators.rehearsal import Bench, rehearsal_port
from simulators.streams import cancelled
from simulators.wired import Served

if TYPE_CHECKING:
    from simulators.faults import Fault

BEGAN_MS = 1_767_600_000_000
"""2026-01-05 08:00 UTC, as its header says."""

AT_ONCE = 200
"""Records worked out before anybody else has a turn."""

FULL = 0.1
"""Amperes a channel can give."""

SCHEDULE: Mapping[str, tuple[float, float, float]] = {
    "li_s": (0.568e-3, 1.7, 2.8),
    "li_se": (0.230e-3, 1.7, 2.8),
    "na_se": (0.230e-3, 0.8, 2.5),
    "li_ion": (1.5e-3, 2.8, 4.2),
}
"""What a cell of a kind is cycled with: amperes, and volts between which."""


def cycles(amperes: float, low: float, high: float, count: int = 3) -> StepFile:
    """Return a schedule: a minute's rest, then discharges and charges, recorded every minute or 5 mV."""
    rule = Rule(60.0, 0.005)
    return StepFile(
        {
            1: Step(1, Kind.REST, seconds=60.0, rule=rule),
            2: Step(2, Kind.DISCHARGE, amperes=amperes, stop_volts=low, rule=rule),
            3: Step(3, Kind.CHARGE, amperes=amperes, stop_volts=high, seconds=36000.0, rule=rule),
            4: Loop(4, 2, count),
        }
    )


class Land:
    """Its wire is a file; its schedule was put in by somebody else. Its entry point is its class."""

    name: ClassVar[str] = "land"
    many_channels: ClassVar[bool] = False

    @classmethod
    def serve(
        cls,
        *,
        cell: str | Cell = "li_s/pp",
        speed: float,
        seed: int = 0,
        port: int | None = None,
        faults: "Iterable[str | Fault] | Faults" = (),
        schedule: StepFile | None = None,
    ) -> AbstractAsyncContextManager[Served]:
        """Let a new one work until left; its file is gone then. Raises `ValueError` for an unknown cell."""
        if port is not None:
            raise ValueError(f"port {port} seen, wanted none: a land has no wire, its address is a file")
        known = faults if isinstance(faults, Faults) else Faults(faults)
        return _serve(cell, speed, seed, known, schedule)


@asynccontextmanager
async def _serve(
    cell: str | Cell, speed: float, seed: int, faults: Faults, schedule: StepFile | None
) -> AsyncIterator[Served]:
    clock = SimulatedClock(speed)
    inside = FaultyCell(cell if isinstance(cell, Cell) else make_cell(cell, seed), faults)
    name = cell if isinstance(cell, str) else type(cell).__name__
    faults.serve(clock.now, lambda fault: None, lambda: None)
    folder = Path(tempfile.mkdtemp(prefix="galvanod-land-"))
    work = asyncio.create_task(
        _work(inside, clock, seed, folder / "channel.ccs", schedule or _usual(name)), name="land"
    )

    def insert(other: str, seed: int, scatter: bool) -> None:
        inside.insert(make_cell(other, seed, scatter=scatter) if scatter else make_cell(other, seed))

    async with AsyncExitStack() as stack:
        stack.callback(shutil.rmtree, folder, ignore_errors=True)
        stack.push_async_callback(cancelled, {work})
        rehearsal = await stack.enter_async_context(
            rehearsal_port(Bench(clock, inside.truth, faults, insert, inside.charge_passed))
        )
        clock.start()
        yield Served(
            instrument="land",
            address=f"file://{folder / 'channel.ccs'}",
            rehearsal=rehearsal,
            cell=name,
            speed=speed,
            seed=seed,
            truth=inside.truth(),
        )


def _usual(name: str) -> StepFile:
    """Return what a cell is cycled with; an hour's rest for one nobody has a schedule for."""
    kind = name.partition("/")[0]
    if kind not in SCHEDULE:
        return StepFile({1: Step(1, Kind.REST, seconds=3600.0, rule=Rule(60.0, 0.005))})
    return cycles(*SCHEDULE[kind])


async def _work(cell: Cell, clock: Clock, seed: int, path: Path, schedule: StepFile) -> None:
    """Work through the schedule, every record written when it is time."""
    writer = CcsWriter(path, 1, BEGAN_MS, "simulated")
    execution = Execution(schedule, cell, Meter(cell, seed), 0.0, FULL)
    written, coulombs, joules, before = 0, 0.0, 0.0, 0.0
    while execution.ending is None or written < len(execution.records):
        execution.advance(math.inf, written + 1)
        if written == len(execution.records):
            continue
        written += 1
        data = execution.records[written]
        await clock.reach(data.moment)
        if data.testtime == 0.0:
            writer.step()
            coulombs = joules = 0.0
        gained = data.coulombs - coulombs, data.joules - joules
        writer.record(data.volts, data.amperes, *gained, data.moment - before)
        coulombs, joules, before = data.coulombs, data.joules, data.moment
        if written % AT_ONCE == 0:
            await asyncio.sleep(0)
    writer.close()
