"""A channel working through its step file: its loops, its ends, its own counters and its records."""

from collections.abc import Iterator
from enum import StrEnum
from typing import NamedTuple

from simulators.cells.base import Cell
from simulators.neware.drive import drive_of
from simulators.neware.memory import Memory
from simulators.neware.meter import Meter
from simulators.neware.step_file import Loop, Step, StepFile
from simulators.neware.step_run import StepRun


class Ending(StrEnum):
    """Why an execution is over."""

    FINISHED = "finish"
    PROTECTED = "protect"


class StepRow(NamedTuple):
    """One row of the step layer: the numbers of the first and the last record of a step."""

    first: int
    last: int


class Execution:
    """Runs a step file on a cell, from record to record; time passes only in `advance`."""

    def __init__(self, program: StepFile, cell: Cell, meter: Meter, moment: float, full: float) -> None:
        self.records = Memory()
        self.layer: list[StepRow] = []
        self.ending: Ending | None = None
        self._program = program
        self._cell = cell
        self._meter = meter
        self._full = full
        self._time = moment
        self._until = moment
        self._cycle = 1
        self._turns: dict[int, int] = {}
        self._variables: dict[str, float] = {}
        self._jump: int | None = None
        self._run: StepRun | None = None
        self._work = self._steps()

    @property
    def time(self) -> float:
        """The moment the cell has come to."""
        return self._time if self._run is None else self._run.time

    def advance(self, until: float, records: int) -> None:
        """Live until a moment, or until there are that many records, or until it is over."""
        self._until = until
        while self.ending is None and self.time < until and len(self.records) < records:
            next(self._work, None)

    def wait(self, seconds: float) -> None:
        """It was interrupted for so long, and goes on from here."""
        if self._run is not None:
            self._run.wait(seconds)
        else:
            self._time += seconds

    @property
    def step(self) -> Step | None:
        """The step under way."""
        return None if self._run is None else self._run.step

    @property
    def cycle(self) -> int:
        """The cycle under way, from 1."""
        return self._cycle

    def go_to(self, step: int) -> bool:
        """Leave the step under way and go on with another; whether there is one of that number."""
        if self._run is None or not isinstance(self._program.steps.get(step), Step):
            return False
        self._jump = step
        self._run.leave()
        return True

    def _steps(self) -> Iterator[None]:
        """Go through the steps; stop wherever `advance` may have had enough."""
        number = 1
        while (entry := self._program.steps.get(number)) is not None:
            if isinstance(entry, Loop):
                number = self._after(entry)
                continue
            yield from self._through(entry)
            if self.ending is not None:
                return
            number, self._jump = self._jump or number + 1, None
        self.ending = Ending.FINISHED

    def _through(self, step: Step) -> Iterator[None]:
        drive = drive_of(step, self._cell, self._full)
        run = StepRun(step, drive, self._meter, self._time, self._cycle, self._variables)
        self._run = run
        first = len(self.records) + 1
        self.records.append(run.first())
        while not run.over:
            yield
            data = run.next(self._until)
            if data is not None:
                self.records.append(data)
        self.layer.append(StepRow(first, len(self.records)))
        self._time, self._run = run.time, None
        if step.sets is not None:
            self._variables[step.sets] = run.coulombs
        if run.protected:
            self.ending = Ending.PROTECTED

    def _after(self, loop: Loop) -> int:
        """Return the step to go on with at the end of a cycle."""
        turn = self._turns.get(loop.number, 1)
        if turn >= loop.count:
            self._turns.pop(loop.number, None)
            return loop.number + 1
        self._turns[loop.number] = turn + 1
        self._cycle += 1
        return loop.start
