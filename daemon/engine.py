"""What an engine is: it takes one channel through one step after the other."""

from abc import ABC, abstractmethod

from daemon.logbook import Logbook
from daemon.progress import Behind, Tally
from protocols.limits import Limits, Range
from protocols.reading import Reading
from protocols.walk import Visit


class Engine(ABC):
    """Runs the steps of one run on one channel; readings and step events go to the logbook."""

    time: float = 0.0
    """Seconds since the run began, by the instrument's clock, as of the last reading."""

    @abstractmethod
    async def prepare(self, time: float = 0.0) -> None:
        """Arm the instrument's protection and look at the cell before anything is done to it.

        `time` is how old the run is now, in seconds: more than nought where it is taken up again.
        Raises `LimitError` for a cell outside its window, `InstrumentError` for an instrument
        that does not take what it was told.
        """

    @abstractmethod
    async def run_step(self, visit: Visit, behind: Behind | None = None) -> Tally:
        """Run one step to one of its ends and return what it passed, all of it.

        Every reading is recorded, then judged: by the guards, by the limits, then by the step's ends.
        With `behind` the step is on record already and goes on with what is left of it; one that
        cannot be resumed (`PlannedStep.resumable`) begins again under the same number.
        """

    @abstractmethod
    async def off(self) -> None:
        """Disconnect the cell; any state, any number of times."""


def unwatched(logbook: Logbook, time: float, limits: Limits, reading: Reading) -> None:
    """Say so on the record where the run has a temperature limit and the channel no thermometer."""
    if limits.temperature != Range() and reading.temperature is None:
        seen, wanted = "no temperature is measured on this channel", f"{limits.temperature} degC"
        logbook.note(time, "unwatched", f"{seen}: the limit {wanted} is not judged")
