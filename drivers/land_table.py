"""LAND's exports, text and workbook: a table whose headings say what its columns are."""

import csv
import io
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from drivers.errors import LinkError, RefusedError
from drivers.land_record import Point, ResultFile

COLUMNS: Mapping[str, Sequence[str]] = {
    "step": ("stepindex", "step", "processstep"),
    "time": ("testtime",),
    "step_time": ("steptime",),
    "volts": ("voltage",),
    "amperes": ("current",),
    "discharged": ("dischargecapacity",),
    "charged": ("chargecapacity",),
    "capacity": ("capacity",),
    "energy_out": ("dischargeenergy",),
    "energy_in": ("chargeenergy",),
    "energy": ("energy",),
    "mode": ("stepname", "stepstate", "workmode", "mode", "state"),
    "temperature": ("temperature1", "temperature"),
}
"""What headings are called, without case, blanks, signs and units."""

NEEDED = ("step", "time", "volts", "amperes")

SCALES = {"ma": 1e-3, "ua": 1e-6, "mah": 3.6, "uah": 3.6e-3, "ah": 3600.0, "mwh": 3.6, "uwh": 3.6e-3}
SCALES |= {"wh": 3600.0, "mv": 1e-3, "min": 60.0, "h": 3600.0, "ms": 1e-3, "sec": 1.0}

_UNIT = re.compile(r"[/(_ ]\s*([a-zA-Zµμ]+)\)?\s*$")

MOST_LINES_ABOVE = 60
"""Lines that may stand above the headings."""


class Column(NamedTuple):
    """Where a quantity is, and what one of its unit is in SI."""

    at: int
    scale: float


class Headings:
    """The columns of one table."""

    def __init__(self, titles: Sequence[str]) -> None:
        self.columns: dict[str, Column] = {}
        for at, title in enumerate(titles):
            name, scale = _heading(title)
            for quantity, names in COLUMNS.items():
                if name in names and quantity not in self.columns:
                    self.columns[quantity] = Column(at, scale)

    @property
    def complete(self) -> bool:
        return all(quantity in self.columns for quantity in NEEDED)

    def number(self, row: Sequence[object], quantity: str) -> float | None:
        """Return a number in SI; None for an empty cell, or where there is no such column."""
        column = self.columns.get(quantity)
        if column is None or column.at >= len(row) or row[column.at] in (None, ""):
            return None
        return _number(str(row[column.at])) * column.scale

    def text(self, row: Sequence[object], quantity: str) -> str:
        column = self.columns.get(quantity)
        return "" if column is None or column.at >= len(row) else str(row[column.at] or "").strip().lower()


def _number(text: str) -> float:
    """Return a number, or the seconds of a time written as 1-02:03:04.5 or 02:03:04.5."""
    if ":" not in text:
        return float(text)
    days, _, clock = text.rpartition("-")
    hours, minutes, seconds = ([*["0"] * 3, *clock.split(":")])[-3:]
    return ((float(days or 0) * 24.0 + float(hours)) * 60.0 + float(minutes)) * 60.0 + float(seconds)


def _heading(title: str) -> tuple[str, float]:
    unit = _UNIT.search(title.strip())
    letters = "" if unit is None else unit[1].lower().replace("µ", "u").replace("μ", "u")
    known = letters in SCALES or letters in ("s", "v", "a", "c", "psi")
    stem = title.strip()[: unit.start()] if unit is not None and known else title
    return re.sub(r"[^a-z0-9]", "", stem.lower()), SCALES.get(letters, 1.0)


class Rows:
    """Turns rows into points; a step begins where the step's number changes."""

    def __init__(self, where: str) -> None:
        self._where = where
        self._headings: Headings | None = None
        self._seen = 0
        self._step = 0
        self._last: float | None = None
        self._began = self._last_time = 0.0
        self._zero = (0.0, 0.0)

    def point(self, row: Sequence[object]) -> Point | None:
        """Return the point of a row; None above the headings, and for a row that is empty."""
        if self._headings is None:
            self._seen += 1
            headings = Headings([str(cell or "") for cell in row])
            if headings.complete:
                self._headings = headings
            elif self._seen > MOST_LINES_ABOVE:
                wanted = ", ".join(NEEDED)
                raise RefusedError(f"{self._where}: no headings in {MOST_LINES_ABOVE} lines; wanted {wanted}")
            return None
        if not any(cell not in (None, "") for cell in row):
            return None
        try:
            return self._read(self._headings, row)
        except ValueError as error:
            raise LinkError(f"{self._where}: a row that cannot be read: {error}") from error

    def _read(self, headings: Headings, row: Sequence[object]) -> Point:
        step, time = headings.number(row, "step"), headings.number(row, "time")
        volts, amperes = headings.number(row, "volts"), headings.number(row, "amperes")
        if step is None or time is None or volts is None or amperes is None:
            raise ValueError(f"{list(row)[:8]} has an empty cell")
        direction = _direction(headings.text(row, "mode"))
        sign = direction if direction else (1 if amperes > 0.0 else -1 if amperes < 0.0 else 0)
        if direction:
            amperes = direction * abs(amperes)
        step_time = headings.number(row, "step_time")
        if step != self._last:
            self._step += 1
            self._last = step
            self._began = time - (step_time if step_time is not None else 0.0)
        return Point(
            self._step,
            time,
            time - self._began if step_time is None else step_time,
            volts,
            amperes,
            sign * _counter(headings, row, sign, "charged", "discharged", "capacity"),
            sign * _counter(headings, row, sign, "energy_in", "energy_out", "energy"),
            direction,
            headings.number(row, "temperature"),
        )


def _counter(headings: Headings, row: Sequence[object], sign: int, into: str, out: str, either: str) -> float:
    """Return the vendor's counter of the step, a magnitude."""
    if into in headings.columns and out in headings.columns:
        return abs(headings.number(row, into if sign >= 0 else out) or 0.0)
    return abs(headings.number(row, either) or 0.0)


def _direction(mode: str) -> int | None:
    if not mode:
        return None
    if "dis" in mode or "dchg" in mode or mode.startswith("d_"):
        return -1
    if "ch" in mode:
        return 1
    return 0 if "rest" in mode or "ocv" in mode else None


class TextFile(ResultFile):
    """A text export that grows at its end; half a line waits for its rest."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._at = 0
        self._rows = Rows(str(path))

    def read(self) -> Sequence[Point]:
        try:
            with self._path.open("rb") as file:
                file.seek(self._at)
                data = file.read()
        except OSError as error:
            raise LinkError(f"{self._path}: {error.strerror or error}") from error
        whole = data[: data.rfind(b"\n") + 1]
        self._at += len(whole)
        text = whole.decode("utf-8-sig", "replace")
        delimiter = "\t" if text.count("\t") > text.count(",") else ","
        rows = csv.reader(io.StringIO(text), delimiter=delimiter)
        return [point for row in rows if (point := self._rows.point(row)) is not None]


class Workbook(ResultFile):
    """A workbook that is exported anew, longer each time."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._changed: float | None = None
        self._told = 0

    def read(self) -> Sequence[Point]:
        try:
            changed = self._path.stat().st_mtime
        except OSError as error:
            raise LinkError(f"{self._path}: {error.strerror or error}") from error
        if changed == self._changed:
            return []
        points = list(self._points())
        self._changed = changed
        new, self._told = points[self._told :], max(self._told, len(points))
        return new

    def _points(self) -> Iterator[Point]:
        try:
            from openpyxl import load_workbook
        except ImportError as error:
            raise RefusedError("reading workbooks needs `pip install galvanod[xlsx]`") from error
        try:
            book = load_workbook(self._path, read_only=True, data_only=True)
        except (OSError, ValueError, KeyError, EOFError) as error:
            raise LinkError(f"{self._path}: it cannot be read just now: {error}") from error
        try:
            rows = Rows(str(self._path))
            for sheet in book.worksheets:
                for row in sheet.iter_rows(values_only=True):
                    point = rows.point(row)
                    if point is not None:
                        yield point
        finally:
            book.close()
