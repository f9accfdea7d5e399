"""The rows of a list of techniques, told as the steps of the protocol it was made from."""

from collections.abc import Iterator, Sequence
from math import inf

from drivers.base import Record
from drivers.biologic_completion import ends_by_itself, is_complete
from drivers.biologic_exits import Edge
from drivers.biologic_linked import Linked, Part
from drivers.biologic_port import Emptied
from drivers.biologic_rows import Point
from drivers.biologic_thinning import Thinning
from drivers.errors import RefusedError
from drivers.whole import Stretch, Taken
from protocols.reading import Reading

SAME_BEGINNING = 5e-3
"""Seconds by which two tellings of the moment a step began may differ."""

NOTHING = Taken()


class Course:
    """The way through the parts of a list: where it goes back, and how often, is known beforehand."""

    def __init__(self, parts: Sequence[Part]) -> None:
        self._parts = parts
        self._turns = [0] * len(parts)
        self._place = 0

    @property
    def part(self) -> Part:
        """Where it is."""
        return self._parts[self._place]

    @property
    def is_last(self) -> bool:
        """Whether nothing comes after it."""
        part = self.part
        return self._place == len(self._parts) - 1 and self._turns[self._place] == part.again

    def advance(self) -> bool:
        """Go on; False at the end of the list."""
        if self.is_last:
            return False
        part, place = self.part, self._place
        goes_back = self._turns[place] < part.again
        self._turns[place] = self._turns[place] + 1 if goes_back else 0
        self._place = part.target if goes_back else place + 1
        return True


class Trace:
    """Follows the rows in order. `taken` is how far somebody else had come with them."""

    def __init__(self, linked: Linked, taken: Taken = NOTHING) -> None:
        self._course = Course(linked.parts)
        for _ in range(taken.visit - 1):
            self._course.advance()
        self._visit = taken.visit
        self._began = taken.time - taken.step_time
        self._attached = taken.number > 0
        self._at: tuple[int, int] | None = None  # the technique and the loop of the last row
        self._thinning = Thinning(self._course.part.step.record)
        self._last: Reading | None = None
        self._frequency = inf  # the last of a spectrum
        self._time = taken.time
        self.number = taken.number
        """Of the last record."""

    @property
    def technique(self) -> int:
        """The number of the technique under way, as far as its rows tell."""
        return self._course.part.first if self._at is None else self._at[0]

    @property
    def last(self) -> Reading | None:
        """The last reading of the step under way."""
        return self._last

    def take(self, emptied: Emptied) -> Iterator[Stretch]:
        """Tell the rows of one technique. Raises `RefusedError` where they cannot be of this list."""
        if not emptied.points:
            return
        while not self._goes_on(emptied):
            yield self._close()
            if not self._course.advance():
                raise RefusedError(f"rows of technique {emptied.technique} came after the end of the list")
            self._begin(emptied)
        self._at = emptied.technique, emptied.loop
        records = list(self._records(emptied.points, emptied.values.TimeBase))
        yield Stretch(self._visit, self._course.part.step.path, self._began, records)

    def over(self) -> tuple[Sequence[Stretch], Edge | None]:
        """Tell the end of the list, nothing more being to come; or the limit that stopped it in the middle.

        Neither where it was stopped in the middle by somebody else.
        """
        met, technique = self._met(), self._course.part.step.technique
        if ends_by_itself(technique):
            ended = is_complete(technique, self._frequency, self._last)
        else:
            ended = met is not None and not met.limit
        return ([self._close()], None) if ended and self._course.is_last else ((), met)

    def _goes_on(self, emptied: Emptied) -> bool:
        """Whether the rows are of the visit under way."""
        part = self._course.part
        if not part.holds(emptied.technique):
            return False
        if self._at is None:  # the first rows there are, or the first after somebody else's
            later = emptied.start > self._began + SAME_BEGINNING
            return not (self._attached and emptied.technique == part.first and later)
        technique, loop = self._at
        return emptied.technique >= technique and emptied.loop == loop

    def _begin(self, emptied: Emptied) -> None:
        self._visit += 1
        self._began, self._last, self._at = emptied.start, None, None
        self._attached, self._frequency = False, inf
        self._thinning = Thinning(self._course.part.step.record)

    def _records(self, points: Sequence[Point], tick: float) -> Iterator[Record]:
        for point in points:
            if isinstance(point, Reading):
                if self._last is not None and point.time < self._time + tick:
                    continue  # techniques that follow on each other meet in one moment
                self._last = point
                yield from map(self._record, self._thinning.kept(point.time - self._began, point))
            else:
                self._frequency = point.frequency
                yield self._record(point)
            self._time = point.time

    def _record(self, point: Point) -> Record:
        self.number += 1
        return Record(self.number, point)

    def _close(self) -> Stretch:
        """Return the end of the visit, with its last row if that was not told yet."""
        pending, met = self._thinning.pending, self._met()
        records = [] if pending is None else [self._record(pending)]
        reason = met.text if met is not None and not met.limit else None
        return Stretch(
            self._visit, self._course.part.step.path, self._began, records, over=True, reason=reason
        )

    def _met(self) -> Edge | None:
        return self._course.part.exits.met(self._time - self._began, self._last)
