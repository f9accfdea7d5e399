"""What a study may do on the bench of its core: the one narrow door it is handed."""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from daemon.requests import Check, Submit
from daemon.running.journal_file import Ending


class Seat(NamedTuple):
    """A channel a cell may be put on; `rehearsal` is where a simulated one can be reached."""

    channel: str
    rehearsal: str | None

    @property
    def real(self) -> bool:
        """Whether a person has to put the cell there."""
        return self.rehearsal is None


class RunNow(NamedTuple):
    """A run in hand: its state, why it waits, what it has kept, and the seconds it has behind it."""

    state: str
    reason: str
    readings: int
    seconds: float


class Floor(ABC):
    """The bench as a study sees it."""

    @abstractmethod
    def seats(self, on: str) -> Sequence[Seat]:
        """Return the channels an instrument's or a channel's name stands for; empty where there is none."""

    @abstractmethod
    def free(self, channel: str) -> bool:
        """Whether a study may take a channel: no run, no latch, no trouble, and nothing in its queue."""

    @abstractmethod
    async def let_go(self, channel: str) -> None:
        """Nothing of a study is on a channel any more: what somebody has queued there may begin."""

    @abstractmethod
    def silent(self, channel: str) -> bool:
        """Whether a channel could not be opened when it was last tried."""

    @abstractmethod
    async def knock(self, channel: str) -> None:
        """Try to open a channel; whether that went well is seen by `silent`."""

    @abstractmethod
    def speed(self, channel: str) -> float:
        """Return the seconds its cells live per second; infinite where nobody waits for them."""

    @abstractmethod
    def names(self) -> Sequence[str]:
        """Return every name a study may use for `on`."""

    @abstractmethod
    async def planned(self, request: Check) -> float:
        """Plan for a channel and return the seconds it is expected to take; raises what speaks against it."""

    @abstractmethod
    async def insert(self, seat: Seat, cell: str, seed: int, alike: bool) -> None:
        """Put a simulated cell into a simulated channel; `alike` draws one of many of its kind."""

    @abstractmethod
    async def truth(self, seat: Seat) -> Mapping[str, Any]:
        """Return what was put into the simulated cell of a channel."""

    @abstractmethod
    async def begin(self, request: Submit, who: str) -> str:
        """Begin a run and return its name; a repeat with the same key returns the run it began before."""

    @abstractmethod
    async def begun(self, key: str) -> str | None:
        """Return the run that a submission with this key began."""

    @abstractmethod
    def run(self, name: str) -> RunNow | None:
        """Return a run in hand."""

    @abstractmethod
    async def ending(self, run: str) -> Ending | None:
        """Return how a run ended, once that is on the disk."""
