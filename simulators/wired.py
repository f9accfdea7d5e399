"""What can be served on a wire: a conversation in bytes, and where it can be had."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

from simulators.cells.base import Cell
from simulators.clock import Clock


class Stream(ABC):
    """One client's connection, TCP or pseudo-terminal alike."""

    @abstractmethod
    async def read(self) -> bytes:
        """Return the next bytes, at least one; empty when the client is gone."""

    @abstractmethod
    async def write(self, data: bytes) -> None:
        """Send bytes, waiting while the client does not take them; bytes to nobody are lost."""


@dataclass(frozen=True, slots=True)
class ServedBay:
    """One channel of a served instrument: its place, the cell there, and where its time can be held."""

    place: str
    cell: str
    seed: int
    rehearsal: str
    truth: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Served:
    """Where a simulated instrument can be reached, and what is in it.

    `address` is a PyVISA resource string, a device path or a URL of its own; `rehearsal` is where its
    time can be held ("tcp://127.0.0.1:PORT"): with many channels each has its own, in `bays`.
    """

    instrument: str
    address: str
    rehearsal: str
    cell: str
    speed: float
    seed: int
    truth: Mapping[str, Any]
    bays: tuple[ServedBay, ...] = ()


class Living(ABC):
    """An instrument that is switched on: it talks to its clients, and its cells live while it does."""

    @abstractmethod
    async def converse(self, stream: Stream) -> None:
        """Talk to one client until it is gone; the instrument itself lives on."""

    @abstractmethod
    def live(self) -> None:
        """Let everything that should have happened by now have happened."""


class Wired(Living):
    """One instrument with one cell between its terminals."""

    name: ClassVar[str]
    wire: ClassVar[Literal["tcp", "pty"]]
    other_wires: ClassVar[tuple[str, ...]] = ()
    """What else it can be served on: socket, serial, hislip, vxi11."""
    many_channels: ClassVar[bool] = False

    def __init__(self, cell: Cell, clock: Clock, seed: int) -> None:
        self.cell = cell
        self.clock = clock
        self.seed = seed

    def live(self) -> None:
        return

    def truth(self) -> Mapping[str, Any]:
        """Return what was put into the cell, after letting it live up to now."""
        self.live()
        return self.cell.truth()
