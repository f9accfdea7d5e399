"""One simulated instrument with many channels, served on this machine only."""

import math
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any, NamedTuple

from simulators.bays import Bay, ManyBays
from simulators.cells.base import Cell
from simulators.cells.library import make_cell
from simulators.clock import SimulatedClock
from simulators.faults import Fault, Faults
from simulators.faults.bay import BayFaults
from simulators.faults.cell import FaultyCell
from simulators.faults.wire import FaultyStream
from simulators.mains import Mains, Mounted
from simulators.outages import Outages
from simulators.rehearsal import Bench, rehearsal_port
from simulators.server import StartingStream
from simulators.wired import Served, ServedBay, Stream
from simulators.wires import port_of


class _Occupied(NamedTuple):
    """A place and what was put there."""

    place: str
    name: str
    seed: int
    mounted: Mounted
    faults: BayFaults
    clock: SimulatedClock


@asynccontextmanager
async def serve_cycler(
    instrument_class: type[ManyBays],
    *,
    cell: str | Cell,
    speed: float,
    seed: int,
    port: int | None,
    faults: Iterable[str | Fault] | Faults,
    bays: Sequence[Mapping[str, Any]],
) -> AsyncIterator[Served]:
    """Serve a new instrument with new cells until left; see `SimulatedCycler.serve`.

    Raises `ValueError` for an unknown cell, fault or place, for a speed that is not positive, and
    `OSError` for a port that is taken.
    """
    clock = SimulatedClock(speed if math.isfinite(speed) else 1.0)
    known = faults if isinstance(faults, Faults) else Faults(faults)
    occupied = [
        _occupied(
            instrument_class, position, {"cell": cell, "seed": seed + position} | dict(bay), speed, known
        )
        for position, bay in enumerate(bays)
    ]
    if len({one.place for one in occupied}) < len(occupied):
        raise ValueError("the same place seen twice, wanted each channel at a place of its own")

    def make(uptimes: Sequence[Any]) -> ManyBays:
        there = [
            Bay(one.place, one.mounted.cell, uptime, one.seed)
            for one, uptime in zip(occupied, uptimes, strict=True)
        ]
        return instrument_class(there, clock)

    mains = Mains(make, [one.mounted for one in occupied])
    clocks = [clock, *(one.clock for one in occupied)]

    async def converse(stream: Stream) -> None:
        await mains.converse(FaultyStream(StartingStream(stream, clocks), known))

    async with AsyncExitStack() as stack:
        served = [
            ServedBay(
                place=one.place,
                cell=one.name,
                seed=one.seed,
                rehearsal=await stack.enter_async_context(rehearsal_port(_bench(one, mains, position))),
                truth=mains.truth(position),
            )
            for position, one in enumerate(occupied)
        ]
        where = port_of(instrument_class.name, instrument_class.wire, converse, port)
        stack.push_async_callback(where.aclose)
        await where.come()
        outages = Outages(clock, mains, where)
        stack.push_async_callback(outages.aclose)
        known.serve(clock.now, outages.happens, outages.clear)
        yield Served(
            instrument=instrument_class.name,
            address=instrument_class.address(where.address),
            rehearsal=served[0].rehearsal,
            cell=served[0].cell,
            speed=speed,
            seed=seed,
            truth=served[0].truth,
            bays=tuple(served),
        )


def _occupied(
    instrument_class: type[ManyBays],
    position: int,
    bay: Mapping[str, Any],
    speed: float,
    known: Faults,
) -> _Occupied:
    place = bay.get("place") or instrument_class.place(position)
    if not instrument_class.is_place(place):
        wanted = instrument_class.place(position)
        raise ValueError(f"place {place!r} seen, wanted one like {wanted!r} on a {instrument_class.name}")
    clock = SimulatedClock(speed)
    own = BayFaults(bay.get("faults", ()), known)
    own.serve(clock.now, lambda _: None, lambda: None)  # what happens to the port is handed to `known`
    wanted = bay["cell"]
    inside = wanted if isinstance(wanted, Cell) else make_cell(wanted, bay["seed"])
    name = wanted if isinstance(wanted, str) else type(wanted).__name__
    return _Occupied(place, name, bay["seed"], Mounted(FaultyCell(inside, own), clock), own, clock)


def _bench(one: _Occupied, mains: Mains, position: int) -> Bench:
    def insert(name: str, seed: int, scatter: bool) -> None:
        mains.live()
        one.mounted.cell.insert(make_cell(name, seed, scatter=scatter))

    def charge() -> float:
        mains.live()
        return one.mounted.cell.charge_passed()

    return Bench(one.clock, lambda: mains.truth(position), one.faults, insert, charge)
