"""What has many channels on one wire: many cells, each with its own time."""

from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Literal

from simulators.clock import Clock
from simulators.faults.cell import FaultyCell
from simulators.wired import Living


@dataclass(frozen=True, slots=True)
class Bay:
    """One channel: where it is on the instrument, the cell there, and the time both live in.

    Each has a time of its own, so that at the greatest speed each lives as fast as its data is taken.
    """

    place: str
    cell: FaultyCell
    clock: Clock
    seed: int


class ManyBays(Living):
    """One instrument with many channels.

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
