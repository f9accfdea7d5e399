"""What every simulated instrument with many channels is: one wire, many cells, each with its own time."""

from abc import abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from simulators.cells.base import Cell
from simulators.clock import Clock
from simulators.faults.cell import FaultyCell
from simulators.instrument import Living, Served

if TYPE_CHECKING:
    from simulators.faults import Fault, Faults


@dataclass(frozen=True, slots=True)
class Bay:
    """One channel: where it is on the instrument, the cell there, and the time both live in.

    Each has a time of its own, so that at the greatest speed each lives as fast as its data is taken.
    """

    place: str
    cell: FaultyCell
    clock: Clock
    seed: int


class SimulatedCycler(Living):
    """One instrument with many channels. Its entry point is its class.

    `clock` is the instrument's own, for what is not of a channel; it never lives faster than a
    second per second where the cells live as fast as they can.
    """

    name: ClassVar[str]
    wire: ClassVar[Literal["tcp", "socket", "pty"]] = "tcp"
    many_channels: ClassVar[bool] = True
    usual_channels: ClassVar[int] = 8
    """How many there are where nobody says."""

    def __init__(self, bays: Sequence[Bay], clock: Clock) -> None:
        self.bays = bays
        self.clock = clock

    @classmethod
    def place(cls, position: int) -> str:
        """Return what the instrument calls the place of its channel at a position counted from 0."""
        return str(position + 1)

    @classmethod
    def address(cls, resource: str) -> str:
        """Return where clients find it, served at a PyVISA resource: that, or a URL of its own."""
        return resource

    @classmethod
    @abstractmethod
    def is_place(cls, place: str) -> bool:
        """Whether an instrument of the kind can have a channel of that name."""

    @classmethod
    def serve(
        cls,
        *,
        cell: str | Cell = "li_ion",
        speed: float,
        seed: int = 0,
        port: int | None = None,
        faults: "Iterable[str | Fault] | Faults" = (),
        bays: Sequence[Mapping[str, Any]] | None = None,
    ) -> AbstractAsyncContextManager[Served]:
        """Serve a new one on this machine; see `simulators.racks.serve_cycler`.

        `bays` are what is at each place, with the keys place, cell, seed and faults, each of which may
        be missing: the cell is then `cell`, its seed counts up from `seed`. A cell is a name of the
        library or one of one's own. None takes the usual number.
        """
        from simulators.racks import serve_cycler

        wanted = [{}] * cls.usual_channels if bays is None else bays
        return serve_cycler(cls, cell=cell, speed=speed, seed=seed, port=port, faults=faults, bays=wanted)
