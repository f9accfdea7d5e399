"""What every simulated instrument with many channels is: many bays, that can be served by its class."""

from collections.abc import Iterable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Any

from simulators.bays import Bay, ManyBays
from simulators.cells.base import Cell
from simulators.faults import Fault, Faults
from simulators.racks import serve_cycler
from simulators.wired import Served

__all__ = ["Bay", "SimulatedCycler"]


class SimulatedCycler(ManyBays):
    """One instrument with many channels. Its entry point is its class."""

    @classmethod
    def serve(
        cls,
        *,
        cell: str | Cell = "li_ion",
        speed: float,
        seed: int = 0,
        port: int | None = None,
        faults: Iterable[str | Fault] | Faults = (),
        bays: Sequence[Mapping[str, Any]] | None = None,
    ) -> AbstractAsyncContextManager[Served]:
        """Serve a new one on this machine; see `simulators.racks.serve_cycler`.

        `bays` are what is at each place, with the keys place, cell, seed and faults, each of which may
        be missing: the cell is then `cell`, its seed counts up from `seed`. A cell is a name of the
        library or one of one's own. None takes the usual number.
        """
        wanted = [{}] * cls.usual_channels if bays is None else bays
        return serve_cycler(cls, cell=cell, speed=speed, seed=seed, port=port, faults=faults, bays=wanted)
