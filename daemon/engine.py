"""What an engine is: it takes one channel through one step after the other."""

from abc import ABC, abstractmethod

from daemon.progress import Tally
from protocols.walk import Visit


class Engine(ABC):
    """Runs the steps of one run on one channel; readings and step events go to the logbook."""

    time: float = 0.0
    """Seconds since the run began, by the instrument's clock, as of the last reading."""

    @abstractmethod
    async def prepare(self) -> None:
        """Arm the instrument's protection and look at the cell before anything is done to it.

        Raises `LimitError` for a cell outside its window, `InstrumentError` for an instrument
        that does not take what it was told.
        """

    @abstractmethod
    async def run_step(self, visit: Visit) -> Tally:
        """Run one step to one of its ends and return what it passed.

        Every reading is recorded, then judged: first by the limits, then by the step's ends.
        """

    @abstractmethod
    async def off(self) -> None:
        """Disconnect the cell; any state, any number of times."""
