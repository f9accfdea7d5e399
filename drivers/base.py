"""The contract a driver fulfils.

Two kinds of channel exist. A *stepped* channel only does what it was last told, so the core
sets, reads and decides at every reading. A *programmed* channel is given a step, runs it by
itself with its own cut-offs and limits, and ends with the cell disconnected even if nobody is
there any more.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import ClassVar, NamedTuple, Self

from drivers.deadman import Deadman
from drivers.errors import InstrumentError, LinkError
from drivers.finding import Finding
from drivers.links import Link, LinkOptions
from protocols.accuracy import Accuracy
from protocols.limits import Limits
from protocols.plan import PlannedStep
from protocols.reading import ImpedancePoint, Reading
from protocols.setpoint import Setpoint


class Identity(NamedTuple):
    """Who answered."""

    maker: str
    model: str
    serial: str
    firmware: str


class SteppedChannel(ABC):
    """A channel the core drives reading by reading."""

    def refusal(self, step: PlannedStep) -> str | None:
        """Return why this channel cannot run the step, or None if it can."""
        return None

    @abstractmethod
    async def prepare(self, limits: Limits) -> None:
        """Arm the instrument's own protection for a run inside `limits` and read it back.

        The output stays off. Raises `RefusedError` where the instrument did not take it.
        """

    @abstractmethod
    async def apply(self, setpoint: Setpoint) -> None:
        """Make the output follow `setpoint`, its clamp armed and read back before the output closes."""

    @abstractmethod
    async def measure(self, within: float) -> Reading:
        """Look at the cell, taking at most about `within` seconds over it.

        Where the instrument has a dead-man, this is what renews it. Raises `LimitError` where the
        instrument itself saw the window left and has opened the circuit.
        """

    async def verify(self) -> None:
        """Read back whether the instrument still holds what it was told, in the middle of a step.

        Raises `RefusedError` where it does not: it was reset, or somebody turned a knob. A family
        that cannot be asked under way says nothing.
        """
        return

    @abstractmethod
    async def off(self) -> None:
        """Disconnect the cell. Safe from any state, at any time, any number of times."""


class ProgramState(StrEnum):
    """What a programmed channel is doing."""

    IDLE = "idle"
    RUNNING = "running"
    FINISHED = "finished"
    FAULT = "fault"


class ProgramStatus(NamedTuple):
    """The state, the tag of the program held, and why it ended (the text of the end that was met).

    `limit` says that the instrument itself saw the window left, which is a trip and no step end.
    """

    state: ProgramState
    tag: str | None = None
    reason: str | None = None
    limit: bool = False


class Record(NamedTuple):
    """One point of a program; `number` counts from 1 and grows by one.

    `coulombs` and `joules` are the instrument's own counters since the program began, signed like
    the current and fed by every sample it took, sent or not; None where it counts none.
    """

    number: int
    point: Reading | ImpedancePoint
    coulombs: float | None = None
    joules: float | None = None


@dataclass(frozen=True, slots=True)
class Program:
    """One step, to be run by the instrument alone inside `limits`.

    `sample` is the wished interval between readings in seconds. `done` tells what an interrupted
    step had already behind it (magnitudes), so that a resumed one goes on with what is left.
    """

    step: PlannedStep
    limits: Limits
    sample: float
    seconds_done: float = 0.0
    coulombs_done: float = 0.0
    joules_done: float = 0.0


class ProgrammedChannel(ABC):
    """A channel that runs a step by itself."""

    @abstractmethod
    def refusal(self, step: PlannedStep) -> str | None:
        """Return why this instrument cannot hold the step, or None if it can."""

    @abstractmethod
    def program(self, tag: str, program: Program) -> str:
        """Return what the instrument would be sent, for people to read before anything runs."""

    @abstractmethod
    async def start(self, tag: str, program: Program) -> float:
        """Upload and start; `tag` names the program, to know it again.

        Returns the moment the step began, on the timeline of the readings.
        """

    @abstractmethod
    async def state(self) -> ProgramStatus:
        """Return what the channel is doing and the tag of the program it holds."""

    @abstractmethod
    async def records(self, after: int) -> Sequence[Record]:
        """Return records numbered above `after`, oldest first; waits about a second for the first."""

    async def attach(self, tag: str, program: Program) -> float | None:
        """Take the program over, undisturbed, if this channel still holds it under that tag.

        Returns the moment it began, on the timeline of the readings to come; None where it is not
        there or cannot be told. For families with many channels; see `Driver.attach` for the others.
        """
        return None

    @abstractmethod
    async def finish(self) -> None:
        """End the running step now, as if one of its own ends had been met."""

    @abstractmethod
    async def off(self) -> None:
        """Stop the program and disconnect the cell. Safe from any state, any number of times."""


Channel = SteppedChannel | ProgrammedChannel


class Driver(ABC):
    """One instrument: who it is and the channels it has, by their place on it ("1", "27-1-3")."""

    hardware_verified: ClassVar[bool] = False
    """Whether a person has run this driver on the real thing."""

    link_options: ClassVar[LinkOptions] = LinkOptions()
    """How the family's cable is to be opened where the bench file says nothing else."""

    deadman: Deadman = Deadman()
    """What opens the circuit when the core is no more. A family that declares nothing has none."""

    accuracy: ClassVar[Accuracy | None] = None
    """What the maker states of its readings; None where nobody has looked that up."""

    many_channels: ClassVar[bool] = False
    """Whether each channel holds a cell, some perhaps of other people's: `open` touches no circuit."""

    identity: Identity
    rating: Limits
    channels: Mapping[str, Channel]

    @classmethod
    def configured(cls, settings: Mapping[str, str]) -> type[Self]:
        """Return the family as the bench file's `settings` want it.

        Raises `InstrumentError` for a setting that the family does not have.
        """
        if settings:
            raise InstrumentError(
                f"setting {next(iter(settings))!r}; wanted none: this driver has no settings"
            )
        return cls

    @classmethod
    def refusal(cls, step: PlannedStep) -> str | None:
        """Return why no instrument of this family can run the step, or None."""
        return None

    def adopt(self, deadman: Deadman) -> None:
        """Use this dead-man from the next closing of an output on; only its time differs."""
        self.deadman = deadman

    @classmethod
    async def attach(
        cls, link: Link, identity: Identity, tag: str, program: Program
    ) -> tuple[Self, float] | None:
        """Take over an instrument that may still run the program a former core gave it, undisturbed.

        Returns the driver and the moment the program's own time was nought, on the timeline of the
        readings to come; None where nothing runs or the family cannot tell, and `open` is next.
        `identity` is who it was: an instrument that is busy may not be able to say.
        """
        return None

    def placed(self, place: str | None, position: int = 0) -> Channel:
        """Return the channel at a place, or the one counted from 0 where none is named.

        Raises `InstrumentError` listing the places there are.
        """
        places = list(self.channels)
        if place is None and position < len(places):
            place = places[position]
        if place is None or place not in self.channels:
            wanted = f"{places[0]} to {places[-1]}" if len(places) > 8 else ", ".join(places)
            seen = f"a channel at {place!r}" if place is not None else f"{position + 1} channels"
            raise InstrumentError(f"{seen} wanted, but the {self.identity.model} has {wanted or 'none'}")
        return self.channels[place]

    async def findings(self) -> Sequence[Finding]:
        """Return what a person should know of the instrument; asking closes no circuit and opens none."""
        return ()

    @classmethod
    async def disconnect(cls, link: Link, places: Sequence[tuple[str | None, int]] = ()) -> Identity:
        """Open the circuits at these places whatever they were doing, and return who confirmed it.

        An instrument that has not many channels opens all of them. Asked once more after a
        `LinkError`: whoever had the cable before may have left half a line in it.
        """
        try:
            driver = await cls.open(link)
        except LinkError:
            driver = await cls.open(link)
        if not cls.many_channels:
            for channel in driver.channels.values():
                await channel.off()
        for place, position in places if cls.many_channels else ():
            await driver.placed(place, position).off()
        return driver.identity

    @classmethod
    @abstractmethod
    async def open(cls, link: Link) -> Self:
        """Identify the instrument and leave every output off; it does not own the link's closing.

        An instrument with many channels is only identified: which are ours, the bench says.
        """
