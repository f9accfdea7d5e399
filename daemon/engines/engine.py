"""What an engine is: it takes one channel through one step after the other."""

from abc import ABC, abstractmethod
from typing import ClassVar

from daemon.channels.surroundings import Surroundings
from daemon.engines.progress import Tally
from daemon.guards import Guards, Look, check_open_circuit
from daemon.running.logbook import Logbook
from daemon.running.position import ProgramPosition, StepPosition
from protocols.conditions import Condition
from protocols.limits import Limits, Range
from protocols.reading import Reading
from protocols.walk import Visit, Walk


class Engine(ABC):
    """Runs the steps of one run on one channel; readings and step events go to the logbook."""

    autonomous: ClassVar[bool]
    """Whether the channel goes on safely by itself when nobody is there any more."""

    time: float = 0.0
    """Seconds since the run began, by the instrument's clock, as of the last reading.

    Set before `prepare`, it is the run time at which an interrupted run goes on.
    """

    scanned: bool = False
    """Whether its channel is counted with others now, whose positions are committed together."""

    attached: bool = False
    """Whether the first step is running already, so that the cell is not to be looked at first."""

    open_circuit: float | None = None
    """The voltage that `prepare` found."""

    walk: Walk | None = None
    """The walk that decides which step is run; its walker sets this before the first one."""

    controls: bool = True
    """Whether the circuit is ours to open; otherwise `off` does nothing, and says so on the record."""

    program: ProgramPosition | None = None
    """The whole protocol that the instrument was given, and how much of its record was taken."""

    interval: float | None = 0.0
    """Seconds until an instrument that records by itself says more: 0 where the core asks when it likes,
    None where nobody can tell, as in a spectrum."""

    surroundings: Surroundings = Surroundings()
    """Where the cell is."""

    @abstractmethod
    async def prepare(self) -> None:
        """Arm the instrument's protection and look at the cell before anything is done to it.

        Raises `LimitError` for a cell outside its window, `InstrumentError` for an instrument
        that does not take what it was told.
        """

    @abstractmethod
    async def run_step(self, visit: Visit, behind: StepPosition | None = None) -> Tally:
        """Run one step to one of its ends and return what it passed.

        Every reading is recorded, then judged: by the guards, by the limits, then by the step's ends.
        `behind` is what an interrupted step had behind it: it goes on with what is left, in the
        same step record.
        """

    def settle(self) -> None:
        """Bring what is counted and written down up to the last reading, where somebody else counts."""
        return

    @abstractmethod
    async def off(self) -> None:
        """Disconnect the cell; any state, any number of times."""


def accept(reading: Reading, time: float, logbook: Logbook, guards: Guards, limits: Limits) -> None:
    """Put the first look at a cell on the record, and let nothing be done to one that is not as it should.

    Raises `LimitError` for a cell outside its window or an interlock that is open.
    """
    logbook.looked(reading)
    guards.contacts.rested(reading)
    guards.check_interlocks()
    check_open_circuit(reading.voltage, limits)
    if limits.temperature != Range() and reading.temperature is None:
        seen, wanted = "no temperature is measured on this channel", f"{limits.temperature} degC"
        logbook.note(time, "unwatched", f"{seen}: the limit {wanted} is not judged")


def begun(
    visit: Visit,
    until: Condition | None,
    behind: StepPosition | None,
    time: float,
    logbook: Logbook,
    open_circuit: float | None = None,
) -> Tally:
    """Put on the record that a step begins, or goes on with what it has behind it; return its count."""
    if behind is None:
        logbook.step_started(time, visit, open_circuit)
        return Tally(until)
    tally = Tally.continued(until, behind)
    logbook.step_continued(visit, behind, tally)
    return tally


def note_resistance(logbook: Logbook, time: float, guards: Guards, look: Look) -> None:
    """Put the resistance that shows at a change of current on the record, where it is news."""
    found = guards.contacts.look(look)
    if found is not None:
        logbook.note(time, "resistance", str(found), found._asdict())
