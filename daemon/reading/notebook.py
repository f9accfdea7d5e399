"""The lab as a notebook reads it: runs as numpy columns, as data frames where wanted."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from numpy.typing import NDArray

from daemon.commands.report import full_name
from daemon.errors import UnavailableError
from daemon.places import Places
from daemon.reading.results import (
    CycleRecord,
    EventRecord,
    FigureRecord,
    ImpedanceRecord,
    ReadingRecord,
    Results,
    RunRecord,
    StepRecord,
)

if TYPE_CHECKING:
    import pandas
    import polars

PAGE = 50_000


def open_lab(where: str | Path) -> "Lab":
    """Open a results database for reading: the path of its file, the state directory of a service, or a URL.

    Nothing can be changed through it, and a recorder may go on writing meanwhile. Raises
    `UnavailableError` where there is none.
    """
    if "://" not in str(where) and Path(where).is_dir():
        return Lab(Results.open(Places(Path(where)).database()))
    return Lab(Results.open(str(where)))


class Lab:
    """Every run of a results database; to be closed, or used as `with open_lab(…) as lab`."""

    def __init__(self, results: Results) -> None:
        self._results = results

    def runs(self) -> "list[Run]":
        """Return every run, the latest first; archived ones are read like the others."""
        return [Run(self._results, record) for record in self._results.runs()]

    def run(self, name: str) -> "Run":
        """Return one run by its name, or by the last part of it where that is only one: `lab-12` or `12`."""
        return Run(self._results, self._results.run(full_name(self._results, name)))

    def close(self) -> None:
        """Close the database."""
        self._results.close()

    def __iter__(self) -> "Iterator[Run]":
        return iter(self.runs())

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class Run:
    """One run. SI throughout; current, capacity and energy are positive when they charge the cell."""

    def __init__(self, results: Results, record: RunRecord) -> None:
        self._results = results
        self.record = record
        """What was run on what: protocol, cell, instrument, limits, versions, times and state."""

    @property
    def name(self) -> str:
        """Its name."""
        return self.record.name

    @property
    def cell(self) -> Mapping[str, Any]:
        """The facts of the cell: `area` in m², `active_mass` in kg, …"""
        return self.record.cell_facts

    def readings(self, cycle: int | None = None, step: int | None = None) -> "Columns":
        """Return the readings of the run, of a cycle, or of a step by its ordinal.

        Seconds since the run began, volts, amperes, °C; coulombs and joules since the step began.
        """
        rows: list[ReadingRecord] = []
        while page := self._results.readings(self.name, cycle, step, rows[-1].number if rows else 0, PAGE):
            rows += page
        return Columns.of(ReadingRecord._fields, rows)

    def impedance(self, step: int | None = None) -> "Columns":
        """Return the points of every spectrum, or of one step's: hertz and ohm, capacitive below zero."""
        return Columns.of(ImpedanceRecord._fields, self._results.impedance(self.name, step))

    def cycles(self) -> "Columns":
        """Return the cycles: coulombs, joules, volts, seconds; efficiencies as fractions."""
        return _of_records(CycleRecord, self._results.cycles(self.name))

    def steps(self) -> "Columns":
        """Return the steps that have begun."""
        return _of_records(StepRecord, self._results.steps(self.name))

    def figures(self) -> list[FigureRecord]:
        """Return the figures of merit, each with unit, uncertainty, method and warnings."""
        return self._results.figures(self.name)

    def events(self) -> list[EventRecord]:
        """Return what was noted during the run."""
        return self._results.events(self.name)

    def __repr__(self) -> str:
        record = self.record
        return f"<run {record.name}: {record.protocol} on {record.cell}, {record.state}>"


class Columns(Mapping[str, NDArray[Any]]):
    """A table as numpy columns of one length, by name: `columns["voltage"]`.

    Whole numbers are integers, other numbers float with NaN where there is none, the rest objects.
    """

    def __init__(self, columns: Mapping[str, NDArray[Any]]) -> None:
        self._columns = dict(columns)

    @classmethod
    def of(cls, names: Sequence[str], rows: Sequence[Sequence[object]]) -> Self:
        """Make columns of rows."""
        columns = zip(*rows, strict=True) if rows else [()] * len(names)
        return cls({name: _array(column) for name, column in zip(names, columns, strict=True)})

    @property
    def rows(self) -> int:
        """How many rows there are."""
        return len(next(iter(self._columns.values()), ()))

    def pandas(self) -> "pandas.DataFrame":
        """Return a pandas data frame; raises `UnavailableError` where pandas is not installed."""
        try:
            import pandas
        except ModuleNotFoundError as error:
            raise UnavailableError("pandas is not installed; pip install pandas") from error
        return pandas.DataFrame(self._columns)

    def polars(self) -> "polars.DataFrame":
        """Return a polars data frame; raises `UnavailableError` where polars is not installed."""
        try:
            import polars
        except ModuleNotFoundError as error:
            raise UnavailableError("polars is not installed; pip install polars") from error
        plain = {name: v.tolist() if v.dtype == object else v for name, v in self._columns.items()}
        return polars.DataFrame(plain, nan_to_null=False)

    def __getitem__(self, name: str) -> NDArray[Any]:
        return self._columns[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._columns)

    def __len__(self) -> int:
        return len(self._columns)

    def __repr__(self) -> str:
        return f"<{self.rows} rows of {', '.join(self._columns)}>"


def _of_records(kind: type[CycleRecord] | type[StepRecord], records: Sequence[object]) -> Columns:
    names = list(kind.__dataclass_fields__)
    return Columns.of(names, [[getattr(record, name) for name in names] for record in records])


def _array(column: Sequence[object]) -> NDArray[Any]:
    kinds = {type(value) for value in column}
    if kinds == {int}:
        return np.array(column, dtype=np.int64)
    if kinds <= {int, float, type(None)}:
        return np.array(column, dtype=np.float64)  # None becomes NaN
    found = np.empty(len(column), dtype=object)
    found[:] = column
    return found
