"""One simulated instrument, served on this machine only."""

from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager

from simulators.cells.base import Cell
from simulators.cells.library import make_cell
from simulators.clock import SimulatedClock
from simulators.faults import Fault, Faults
from simulators.faults.cell import FaultyCell
from simulators.faults.wire import FaultyStream
from simulators.mains import Mains, Mounted
from simulators.outages import Outages
from simulators.rehearsal import Bench, rehearsal_port
from simulators.wired import Served, Stream, Wired
from simulators.wires import port_of, wire_of


@asynccontextmanager
async def serve(
    instrument_class: type[Wired],
    *,
    cell: str | Cell,
    speed: float,
    seed: int,
    port: int | None = None,
    faults: Iterable[str | Fault] | Faults = (),
    wire: str | None = None,
) -> AsyncIterator[Served]:
    """Serve a new instrument with a new cell until left; what its clients do to it lives on between them.

    `cell` is a name of the library or a cell of one's own. `port` is of TCP instruments only; None
    takes a free one. `wire` is socket, serial, hislip or vxi11, where the instrument has more than
    one. `faults` are what will go wrong, in words ("mute after 30 s for 5 s") or as a `Faults` to
    which more may be added while it is served. Time begins with the first byte of the
    first client. Raises `ValueError` for an unknown cell, a speed that is not positive or a fault
    nobody knows, and `OSError` for a port that is taken.
    """
    clock = SimulatedClock(speed)
    known = faults if isinstance(faults, Faults) else Faults(faults)
    inside = FaultyCell(_cell(cell, seed), known)
    mains = Mains(lambda uptimes: instrument_class(inside, uptimes[0], seed), [Mounted(inside, clock)])

    async def converse(stream: Stream) -> None:
        await mains.converse(FaultyStream(StartingStream(stream, [clock]), known))

    def insert(name: str, seed: int, scatter: bool) -> None:
        mains.live()
        inside.insert(make_cell(name, seed, scatter=scatter))

    def charge() -> float:
        mains.live()
        return inside.charge_passed()

    async with AsyncExitStack() as stack:
        bench = Bench(clock, mains.truth, known, insert, charge)
        rehearsal = await stack.enter_async_context(rehearsal_port(bench))
        where = port_of(instrument_class.name, wire_of(instrument_class, wire), converse, port)
        stack.push_async_callback(where.aclose)
        await where.come()
        outages = Outages(clock, mains, where)
        stack.push_async_callback(outages.aclose)
        known.serve(clock.now, outages.happens, outages.clear)
        yield Served(
            instrument=instrument_class.name,
            address=where.address,
            rehearsal=rehearsal,
            cell=cell if isinstance(cell, str) else type(cell).__name__,
            speed=speed,
            seed=seed,
            truth=mains.truth(),
        )


def _cell(cell: str | Cell, seed: int) -> Cell:
    return cell if isinstance(cell, Cell) else make_cell(cell, seed)


class StartingStream(Stream):
    """A client's stream whose first byte starts the clocks."""

    def __init__(self, stream: Stream, clocks: Sequence[SimulatedClock]) -> None:
        self._stream = stream
        self._clocks = clocks

    async def read(self) -> bytes:
        data = await self._stream.read()
        for clock in self._clocks:
            clock.start()
        self._clocks = ()
        return data

    async def write(self, data: bytes) -> None:
        await self._stream.write(data)
