"""The contract of a channel that is given a whole protocol, runs it by itself, and is followed.

Such a channel decides about every step, loop and cut-off alone. What it did is told as *stretches*:
its records, in order, each with the n-th step begun (the *visit*) it belongs to.
"""

from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from drivers.base import ProgrammedChannel, ProgramStatus, Record
from protocols.plan import Plan
from protocols.reading import Reading


class Unheld(NamedTuple):
    """Something of a plan that an instrument cannot hold: its line in the protocol, what it is, and why."""

    line: int
    what: str
    reason: str


@dataclass(frozen=True, slots=True)
class WholeProgram:
    """The steps of a plan, to be run by the instrument alone inside the plan's limits.

    `sample` is the wished interval between readings in seconds where a step says nothing of it.
    `done` tells what the first step had already behind it (magnitudes), so that a resumed one goes on
    with what is left.
    """

    plan: Plan
    sample: float
    seconds_done: float = 0.0
    coulombs_done: float = 0.0
    joules_done: float = 0.0


class Taken(NamedTuple):
    """How much of a program's record somebody has already: up to and with record `number` (0 is none).

    That record belongs to the `visit`-th step begun, `time` seconds after the program began and
    `step_time` seconds after its step did.
    """

    number: int = 0
    visit: int = 1
    time: float = 0.0
    step_time: float = 0.0


class Stretch(NamedTuple):
    """Consecutive records of one visit, and where they stand.

    `visit` counts the steps begun since the program began, from 1, and `path` is the place of its step
    in the plan. `began` is the moment the step began, in seconds since the program began, as are the
    times of its points. The counters of its records count from the beginning of the step, signed like
    the current. A stretch is `over` when its last record is the last of its step; `reason` then is
    the end that was met, where the instrument tells.
    """

    visit: int
    path: str
    began: float
    records: Sequence[Record]
    over: bool = False
    reason: str | None = None


class Followed(NamedTuple):
    """What a channel is doing, and everything it recorded since it was looked at before.

    A program that is no longer running is done with only once a look brings no stretch any more.
    """

    status: ProgramStatus
    stretches: Sequence[Stretch]


class WholeChannel(ProgrammedChannel):
    """A channel that may be given a whole protocol, and single steps where it cannot hold that.

    One that only observes what somebody else's software does says that it has no `controls`: a person
    attests that the protocol was started there, and nothing it is told, `off` least of all, does anything.
    """

    @property
    def controls(self) -> bool:
        """Whether the circuit is ours to close and to open."""
        return True

    @property
    def tells_again(self) -> bool:
        """Whether `attach_whole` brings everything since `taken`, even what somebody was told already.

        Where it does not, what a process had taken and not kept when it died is lost.
        """
        return True

    @abstractmethod
    def unheld(self, plan: Plan) -> Sequence[Unheld]:
        """Return everything of the plan that cannot be left to the instrument alone; empty if all can.

        A plan with something unheld is run step by step where `refusal` allows each of its steps.
        """

    @abstractmethod
    def whole_program(self, tag: str, program: WholeProgram) -> str:
        """Return what the instrument would be sent, for people to read before anything runs."""

    @abstractmethod
    async def look(self) -> Reading:
        """Look at the cell without doing anything to it; the channel runs no program."""

    @abstractmethod
    async def start_whole(self, tag: str, program: WholeProgram) -> None:
        """Upload and start; `tag` names the program, to know it again. Its time begins now."""

    @abstractmethod
    async def attach_whole(self, tag: str, program: WholeProgram, taken: Taken) -> bool:
        """Take over a program that was started under this tag, undisturbed, running or just over.

        What it recorded after `taken` comes with the next looks. False where the instrument does not
        hold it, or not all of its record.
        """

    @abstractmethod
    async def follow(self) -> Followed:
        """Return what is new; each record is told once. Waits a few seconds at most for the first.

        Records that were not taken because this raised `LinkError` come with the next look.
        """

    @abstractmethod
    async def skip(self) -> None:
        """End the step under way now, as if one of its own ends had been met; the next one begins."""
