"""The trigger model: a little program the instrument runs by itself, whoever is still there.

Like the cell it is advanced lazily: what it did by now is worked out when someone looks.
"""

from collections.abc import Sequence
from enum import StrEnum

from simulators.keithley2450.blocks import (
    SAME,
    Block,
    BranchCounter,
    BranchElapsed,
    ClearBuffer,
    Measure,
    Nothing,
    Run,
    Wait,
)
from simulators.keithley2450.sourcemeter import SourceMeter
from simulators.scpi import ScpiError

MOST_BLOCKS = 255  # [M]

SPIN = 1000
"""Blocks done without a delay or a reading, after which the rest of the time is spent doing the same."""


class TriggerState(StrEnum):
    """States as :TRIG:STAT? spells them."""

    IDLE = "IDLE"
    RUNNING = "RUNNING"
    EMPTY = "EMPTY"
    FAILED = "FAILED"
    ABORTED = "ABORTED"


class TriggerModel:
    """Blocks by number, and how far they have come."""

    def __init__(self, smu: SourceMeter) -> None:
        self._blocks: dict[int, Block] = {}
        self._run = Run(smu, 0.0)
        self.state = TriggerState.EMPTY
        self.position = 0
        self._spun = 0

    @property
    def running(self) -> bool:
        return self.state is TriggerState.RUNNING

    @property
    def spinning(self) -> bool:
        """Whether it goes round and round without a delay or a reading."""
        return self.running and self._spun >= SPIN

    @property
    def next_moment(self) -> float:
        """When the block under way will be over."""
        return self._run.time + self._blocks[self.position].seconds(self._run)

    def load(self, blocks: Sequence[Block]) -> None:
        """Replace the model by blocks numbered from 1. Raises `ScpiError` -221 while it runs."""
        self._refuse_while_running()
        self._blocks = dict(enumerate(blocks, 1))
        self.state = TriggerState.IDLE if blocks else TriggerState.EMPTY

    def put(self, number: int, block: Block) -> None:
        """Put one block in place; numbers skipped do nothing. Raises `ScpiError` -221 while it runs."""
        self._refuse_while_running()
        for skipped in range(len(self._blocks) + 1, number):
            self._blocks[skipped] = Nothing()
        self._blocks[number] = block
        self.state = TriggerState.IDLE

    def start(self, moment: float) -> None:
        """Start at block 1. Raises `ScpiError` -213 if it runs already, -221 if there is nothing to run."""
        if self.running:
            raise ScpiError(-213)
        if not self._blocks:
            raise ScpiError(-221)
        for block in self._blocks.values():
            block.rewind()
        self._run = Run(self._run.smu, moment)
        self.position = 1
        self._spun = 0
        self.state = TriggerState.RUNNING

    def abort(self) -> None:
        """Stop where it is, leaving the output as it is."""
        if self.running:
            self.state = TriggerState.ABORTED

    def live(self, moment: float) -> None:
        """Do every block that is over by `moment`. An error in one fails the model and is queued."""
        while self.running and (end := self.next_moment) <= moment:
            self._spun = self._spun + 1 if self._blocks[self.position].is_at_once else 0
            self._run.time = moment if self.spinning else end
            try:
                self._do(self._blocks[self.position])
            except ScpiError as error:
                self.state = TriggerState.FAILED
                self._run.smu.refuse(error)

    def _do(self, block: Block) -> None:
        self._run.smu.live(self._run.time)
        target = block.act(self._run)
        if target == SAME:
            return
        position = self.position + 1 if target is None else target
        if position in self._blocks:
            self.position = position
        else:
            self.state = TriggerState.IDLE

    def _refuse_while_running(self) -> None:
        if self.running:
            raise ScpiError(-221)


def simple_loop(count: int, delay: float, buffer: str) -> Sequence[Block]:
    """The SimpleLoop template: `count` readings, each after `delay` seconds."""
    return ClearBuffer(buffer), Wait(delay), Measure(buffer), BranchCounter(count, 2)


def duration_loop(duration: float, delay: float, buffer: str) -> Sequence[Block]:
    """The DurationLoop template: readings, each after `delay` seconds, for `duration` seconds."""
    return ClearBuffer(buffer), Wait(delay), Measure(buffer), BranchElapsed(duration, 2)
