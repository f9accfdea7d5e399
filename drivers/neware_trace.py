"""The downloaded records of a test, told as the steps that were run."""

import math
from collections.abc import Iterator, Mapping, Sequence

from drivers.base import Record
from drivers.errors import LinkError, RefusedError
from drivers.neware_session import Row
from drivers.whole import Stretch, Taken
from protocols.reading import Reading

COULOMBS = 3600.0
"""In an ampere-hour; joules in a watt-hour as well."""

CHARGING = frozenset(("cc", "cv", "cp", "cccv", "pcccv"))
DISCHARGING = frozenset(("dc", "dv", "dp", "dr", "cccd"))
"""Step types by the API's words: their counters are magnitudes."""


NOTHING = Taken()


class Trace:
    """Follows the records in order. A step begins where the step, the cycle or the step's time turns back.

    `paths` are the places in the plan by the numbers of the file's steps. Steps follow each other
    at once: what one took is when the next began.
    """

    def __init__(self, paths: Mapping[int, str], taken: Taken = NOTHING, last: Row | None = None) -> None:
        self._paths = paths
        self._visit = taken.visit
        self._began = taken.time - taken.step_time
        self._last = last
        self._watt_hours = 0.0 if last is None else _signed(last.watt_hours, last.volts)
        """Of the step under way, with the sign of the voltage: the counter itself knows magnitudes only."""
        self.number = taken.number
        """Of the last record."""

    def take(self, rows: Sequence[Row], complete: bool) -> Sequence[Stretch]:
        """Return the rows as stretches. `complete` says that there will be no more of a test that ended."""
        stretches = list(self._stretches(rows))
        if complete and self._last is not None:
            stretches = _ended(stretches, self._empty(self._last))
            self._last = None
        return stretches

    @property
    def step(self) -> int:
        """The number in the file of the step under way."""
        return 1 if self._last is None else self._last.stepid

    def _stretches(self, rows: Sequence[Row]) -> Iterator[Stretch]:
        records: list[Record] = []
        for row in rows:
            if row.seqid != self.number + 1:
                raise LinkError(f"record {row.seqid} came, wanted {self.number + 1}")
            before = self._last
            if before is not None and _begins(before, row):
                yield self._empty(before)._replace(records=records)
                records = []
                self._visit += 1
                self._began += before.seconds
                self._watt_hours, before = 0.0, None
            self._watt_hours += _signed(row.watt_hours - (before.watt_hours if before else 0.0), row.volts)
            records.append(self._record(row))
            self._last, self.number = row, row.seqid
        if records and self._last is not None:
            yield self._empty(self._last)._replace(records=records, over=False)

    def _record(self, row: Row) -> Record:
        sign = 1.0 if row.steptype in CHARGING else -1.0 if row.steptype in DISCHARGING else 0.0
        reading = Reading(self._began + row.seconds, row.volts, row.amperes)
        counted = sign * COULOMBS
        return Record(row.seqid, reading, counted * row.ampere_hours, counted * self._watt_hours)

    def _empty(self, row: Row) -> Stretch:
        """Return the stretch of a record's step, over, with no record in it."""
        path = self._paths.get(row.stepid)
        if path is None:
            raise RefusedError(
                f"record {row.seqid} is of step {row.stepid}, which the step file does not have"
            )
        return Stretch(self._visit, path, self._began, (), over=True)


def _signed(magnitude: float, volts: float) -> float:
    """Return an energy with the sign it has at that voltage: plating on copper takes none from the cell."""
    return math.copysign(magnitude, volts) if volts else 0.0


def _begins(before: Row, row: Row) -> bool:
    """Whether the later of two records belongs to another step, or to the same one once more."""
    return (row.stepid, row.cycleid) != (before.stepid, before.cycleid) or row.seconds < before.seconds


def _ended(stretches: list[Stretch], end: Stretch) -> list[Stretch]:
    """Return the stretches with the last one over."""
    if stretches and stretches[-1].visit == end.visit:
        return [*stretches[:-1], stretches[-1]._replace(over=True)]
    return [*stretches, end]
