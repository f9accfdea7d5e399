"""One simulated instrument, served on this machine only."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress

from simulators.cells.base import Cell
from simulators.clock import SimulatedClock
from simulators.faults import Faults, FaultyStream
from simulators.instrument import Served, SimulatedInstrument, Stream
from simulators.rehearsal import rehearsal_port
from simulators.streams import TcpStream, listening, pseudo_terminal


@asynccontextmanager
async def serve(
    instrument_class: type[SimulatedInstrument],
    *,
    cell: str | Cell,
    speed: float,
    seed: int,
    port: int | None = None,
) -> AsyncIterator[Served]:
    """Serve a new instrument with a new cell until left; what its clients do to it lives on between them.

    `cell` is a name of the library or a cell of one's own. `port` is of TCP instruments only; None
    takes a free one. Time begins with the first byte of the first client. Raises `ValueError` for
    an unknown cell or a speed that is not positive, and `OSError` for a port that is taken.
    """
    clock = SimulatedClock(speed)
    instrument = instrument_class(_cell(cell, seed), clock, seed)
    faults = Faults()
    wire = _Wire(clock, faults)
    async with (
        rehearsal_port(clock, instrument, faults) as rehearsal,
        wire.serve(instrument, port) as address,
    ):
        yield Served(
            instrument=instrument.name,
            address=address,
            rehearsal=rehearsal,
            cell=cell if isinstance(cell, str) else type(cell).__name__,
            speed=speed,
            seed=seed,
            truth=instrument.truth(),
        )


def _cell(cell: str | Cell, seed: int) -> Cell:
    if isinstance(cell, Cell):
        return cell
    from simulators.cells.library import make_cell

    return make_cell(cell, seed)


class _Wire:
    """What is between the clients and the instrument: a clock to start, faults to happen."""

    def __init__(self, clock: SimulatedClock, faults: Faults) -> None:
        self._clock = clock
        self._faults = faults

    def serve(self, instrument: SimulatedInstrument, port: int | None) -> AbstractAsyncContextManager[str]:
        """Serve on the wire the instrument has; yield the address."""
        if instrument.wire == "tcp":
            return self._tcp(instrument, port or 0)
        if port is not None:
            raise ValueError(f"port {port} seen, wanted none: {instrument.name} talks on a pseudo-terminal")
        return self._pty(instrument)

    def _through(self, stream: Stream) -> Stream:
        return FaultyStream(_Starting(stream, self._clock), self._faults)

    @asynccontextmanager
    async def _tcp(self, instrument: SimulatedInstrument, port: int) -> AsyncIterator[str]:
        async def converse(stream: TcpStream) -> None:
            with self._faults.can_hang_up(stream.abort):
                await instrument.converse(self._through(stream))

        async with listening(converse, port) as taken:
            yield f"TCPIP0::127.0.0.1::{taken}::SOCKET"

    @asynccontextmanager
    async def _pty(self, instrument: SimulatedInstrument) -> AsyncIterator[str]:
        with pseudo_terminal() as stream:
            talking = instrument.converse(self._through(stream))
            conversation = asyncio.create_task(talking, name=f"{instrument.name} conversation")
            try:
                yield stream.path
            finally:
                conversation.cancel()
                with suppress(asyncio.CancelledError):
                    await conversation


class _Starting(Stream):
    """A client's stream whose first byte starts the clock."""

    def __init__(self, stream: Stream, clock: SimulatedClock) -> None:
        self._stream = stream
        self._clock = clock

    async def read(self) -> bytes:
        data = await self._stream.read()
        self._clock.start()
        return data

    async def write(self, data: bytes) -> None:
        await self._stream.write(data)
