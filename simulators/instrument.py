"""What every simulated instrument is: something wired, that can be served by its class."""

from collections.abc import Iterable
from contextlib import AbstractAsyncContextManager

from simulators.cells.base import Cell
from simulators.faults import Fault, Faults
from simulators.server import serve
from simulators.wired import Living, Served, ServedBay, Stream, Wired

__all__ = ["Living", "Served", "ServedBay", "SimulatedInstrument", "Stream"]


class SimulatedInstrument(Wired):
    """One instrument with one cell between its terminals. Its entry point is its class."""

    @classmethod
    def serve(
        cls,
        *,
        cell: str | Cell,
        speed: float,
        seed: int,
        port: int | None = None,
        faults: Iterable[str | Fault] | Faults = (),
        wire: str | None = None,
    ) -> AbstractAsyncContextManager[Served]:
        """Serve a new one on this machine; see `simulators.server.serve`."""
        return serve(cls, cell=cell, speed=speed, seed=seed, port=port, faults=faults, wire=wire)
