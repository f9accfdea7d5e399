"""A table of a result file: columns found by their names, numbers read with their units."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np

from daemon.imports.text import Row, refused
from daemon.imports.units import Heading, heading, plain
from protocols.figures.estimate import Array

_CLOCK = re.compile(
    r"^\s*(?:(?P<days>\d+)\s*(?:d\s*|-|\.(?=\d+:)|\s+))?(?P<hours>\d+):(?P<minutes>\d+):(?P<seconds>[\d.]+)\s*$"
)
_MOMENTS = (
    *("%Y-%m-%d %H:%M:%S.%f", "%Y-%m-%d %H:%M:%S", "%Y/%m/%d %H:%M:%S", "%Y/%m/%d %H:%M:%S.%f"),
    *("%m/%d/%Y %H:%M:%S.%f", "%m/%d/%Y %H:%M:%S", "%m/%d/%Y %I:%M:%S %p", "%d %B %Y, %I:%M:%S %p"),
    *("%d.%m.%Y %H:%M:%S", "%Y-%m-%dT%H:%M:%S", "%m/%d/%Y %H:%M"),
)


@dataclass(frozen=True, slots=True)
class Table:
    """Rows below one line of headings."""

    file: str
    headings: Sequence[Heading]
    titles: Sequence[str]
    rows: Sequence[Row]
    decimal_comma: bool = False

    @classmethod
    def of(
        cls, file: str, titles: Sequence[str], rows: Sequence[Row], decimal_comma: bool = False
    ) -> "Table":
        """Put headings over rows; `UnreadableError` where there is no row or one was cut short."""
        wanted = _filled(titles)
        if not rows:
            raise refused(file, "no row below the headings", "a file with at least one reading")
        for row in rows:
            if len(row.cells) < wanted:
                raise refused(
                    file,
                    f"a row of {len(row.cells)} cells where the headings have {wanted}",
                    "a whole file: this one was cut short or changed; export it again",
                    row.line,
                )
        return cls(file, [heading(title) for title in titles], titles, rows, decimal_comma)

    def __len__(self) -> int:
        return len(self.rows)

    def find(self, names: Sequence[str]) -> int | None:
        """Return the place of the first column called one of these; None where there is none."""
        for name in map(plain, names):
            for place, (known, _) in enumerate(self.headings):
                if known == name:
                    return place
        return None

    def texts(self, names: Sequence[str]) -> list[str] | None:
        """Return a column's cells as they are written."""
        place = self.find(names)
        return None if place is None else [row.cells[place].strip() for row in self.rows]

    def numbers(self, names: Sequence[str], unit: float = 1.0) -> Array | None:
        """Return a column in SI; `unit` is that of a heading which names none. NaN for an empty cell."""
        place = self.find(names)
        if place is None:
            return None
        known = self.headings[place].unit
        cells = [row.cells[place] for row in self.rows]
        if self.decimal_comma:
            cells = [cell.replace(",", ".") for cell in cells]
        return _as_numbers(cells, self, place) * (unit if known is None else known)

    def needed(self, what: str, names: Sequence[str], unit: float = 1.0, gaps: bool = False) -> Array:
        """Return a column in SI that has to be there, without a gap unless those are allowed."""
        found = self.numbers(names, unit)
        if found is None:
            raise refused(
                self.file, f"no column of the {what} among {', '.join(self.titles)[:400]}", " or ".join(names)
            )
        bad = np.flatnonzero(np.isinf(found) if gaps else ~np.isfinite(found))
        if bad.size:
            row, place = self.rows[bad[0]], self.find(names) or 0
            raise refused(
                self.file,
                f"{row.cells[place]!r} in the column {self.titles[place]}",
                f"a number for the {what}",
                row.line,
            )
        return found

    def moment(self, names: Sequence[str]) -> datetime | None:
        """Return the first moment written in a column, None where it has none that can be read."""
        place = self.find(names)
        return None if place is None else moment(self.rows[0].cells[place])


def moment(text: str) -> datetime | None:
    """Read a date and a time of day in one of the forms instruments write; None for any other."""
    text = text.strip()
    for form in _MOMENTS:
        try:
            return datetime.strptime(text, form)  # noqa: DTZ007  a file's moments name no zone
        except ValueError:
            continue
    return _excel_moment(text)


def _excel_moment(text: str) -> datetime | None:
    """Read the days since 1899-12-30 that a spreadsheet keeps (Arbin's `DateTime`)."""
    try:
        days = float(text)
    except ValueError:
        return None
    if not 20_000 < days < 80_000:
        return None
    return datetime(1899, 12, 30) + timedelta(seconds=round(86_400 * days, 3))  # noqa: DTZ001


def _as_numbers(cells: Sequence[str], table: Table, place: int) -> Array:
    try:
        return np.array(cells, dtype=np.float64)
    except ValueError:
        return np.array([_number(cell, table, place, index) for index, cell in enumerate(cells)])


def _number(cell: str, table: Table, place: int, index: int) -> float:
    if not cell.strip():
        return float("nan")
    try:
        return float(cell)
    except ValueError:
        seconds = clock(cell)
    if seconds is None:
        row = table.rows[index]
        raise refused(table.file, f"{cell!r} in the column {table.titles[place]}", "a number", row.line)
    return seconds


def clock(text: str) -> float | None:
    """Read `27:55:43`, `00:00:03.000` or `1d 02:03:04` as seconds; None for any other text."""
    found = _CLOCK.match(text)
    if found is None:
        return None
    days, hours, minutes = (float(found[name] or 0) for name in ("days", "hours", "minutes"))
    return 86_400 * days + 3600 * hours + 60 * minutes + float(found["seconds"])


def _filled(titles: Sequence[str]) -> int:
    """Return how many columns there are up to the last that has a heading."""
    return max((place for place, title in enumerate(titles, 1) if title.strip()), default=0)
