"""A program that a channel was given: what it recorded, and why it ended."""

from collections import deque
from collections.abc import Sequence
from math import inf

from drivers.base import Program, ProgramState, ProgramStatus, Record
from drivers.biologic_compiler import Compiled, sent
from drivers.biologic_completion import ends_by_itself, is_complete
from drivers.biologic_exits import Edge, limit_text
from drivers.biologic_rows import Point
from drivers.biologic_thinning import Thinning
from protocols.reading import Reading
from protocols.techniques import Technique


class FollowedProgram:
    """Takes the points of one program as they come; `offset` is the channel's time when it began."""

    def __init__(self, tag: str, program: Program, compiled: Compiled, offset: float) -> None:
        self.tag = tag
        self.finishing = False
        self.last_time = offset
        self._exits = compiled.exits
        self._step, self._limits, self._offset = program.step, program.limits, offset
        self._status = ProgramStatus(ProgramState.RUNNING, tag)
        self._thinning = Thinning(sent(program.step, compiled.exits))
        self._number = 0
        self._records: deque[Record] = deque()
        self._first: Reading | None = None
        self._last: Reading | None = None
        self._gone = 0.0  # volts, there and back
        self._frequency = inf  # the last of a spectrum

    @property
    def status(self) -> ProgramStatus:
        """What it is doing, or why it ended."""
        return self._status

    @property
    def running(self) -> bool:
        """Whether it goes on."""
        return self._status.state is ProgramState.RUNNING

    def take(self, points: Sequence[Point], tick: float = 0.0) -> None:
        """Take what came next. Techniques that follow on each other meet in one moment: it is one reading."""
        for point in points:
            placed = point._replace(time=self._offset + point.time)
            if self._number and placed.time < self.last_time + tick:
                continue
            self.last_time = max(self.last_time, placed.time)
            for kept in self._thinning.kept(point.time, placed) if isinstance(placed, Reading) else [placed]:
                self._keep(kept)
            if isinstance(placed, Reading):
                self._gone += abs(placed.voltage - (self._last or placed).voltage)
                self._first, self._last = self._first or placed, placed
            else:
                self._frequency = placed.frequency

    def records(self, after: int) -> Sequence[Record]:
        """Return the records above `after` and forget the others: they are kept elsewhere now."""
        while self._records and self._records[0].number <= after:
            self._records.popleft()
        return list(self._records)

    def way(self, elapsed: float, voltage: float) -> tuple[float, float]:
        """Return the seconds since its first reading, and the volts it has gone there and back meanwhile."""
        if self._first is None or self._last is None:
            return 0.0, 0.0
        seconds = elapsed - (self._first.time - self._offset)
        return seconds, self._gone + abs(voltage - self._last.voltage)

    def refused(self, reading: Reading, volts: float) -> None:
        """End it before it began: the cell, or the step's first voltage, is outside the window."""
        self.take([reading._replace(time=0.0)])
        reason = f"voltage {volts:g} V is outside {self._limits.voltage} V"
        self._status = ProgramStatus(ProgramState.FINISHED, self.tag, reason, limit=True)

    def failed(self, why: str) -> None:
        """End it: something went wrong."""
        self._status = ProgramStatus(ProgramState.FAULT, self.tag, why)

    def over(self, said: str = "") -> None:
        """End it: the channel has stopped. `said` is what its firmware had to say."""
        if self._thinning.pending is not None:
            self._keep(self._thinning.pending)
        if not self.ended_well:
            told = f": {said}" if said else ""
            self.failed(f"the channel stopped {self._seconds:.6g} s into the step, and no end was met{told}")
        elif self._is_complete:
            self._status = ProgramStatus(ProgramState.FINISHED, self.tag, f"{self._step.verb} complete")
        elif (edge := self._edge_met()) is not None:
            self._end(edge)
        else:
            self._status = ProgramStatus(ProgramState.FINISHED, self.tag, "finished")

    @property
    def technique(self) -> Technique:
        """What it does to the cell."""
        return self._step.technique

    @property
    def ended_well(self) -> bool:
        """Whether it may have ended as it should, now that nothing more comes."""
        return self.finishing or self._is_complete or self._edge_met() is not None

    @property
    def _is_complete(self) -> bool:
        """Whether a technique that ends by itself came to its end."""
        technique = self.technique
        return ends_by_itself(technique) and is_complete(technique, self._frequency, self._last)

    @property
    def _seconds(self) -> float:
        """How long it ran, by its last row."""
        return self.last_time - self._offset

    def _keep(self, point: Point) -> None:
        self._number += 1
        self._records.append(Record(self._number, point))

    def _edge_met(self) -> Edge | None:
        return self._exits.met(self._seconds, self._last)

    def _end(self, edge: Edge) -> None:
        reason = limit_text(edge, self._last, self._limits) if edge.limit else edge.text
        self._status = ProgramStatus(ProgramState.FINISHED, self.tag, reason, edge.limit)
