"""The tables of a file of text or of a workbook, as rows of cells."""

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, time, timedelta
from pathlib import Path

from daemon.imports.table import Table
from daemon.imports.text import Row, TextFile, refused

DELIMITERS = ("\t", ",", ";")
DEEPEST = 60  # lines in which the headings have to come


def table_in(text: TextFile, is_headings: Callable[[Sequence[str]], bool]) -> Table | None:
    """Return the table below the first line that `is_headings`, None where there is no such line."""
    for number, line in enumerate(text.lines(DEEPEST), 1):
        for delimiter in DELIMITERS:
            titles = next(iter(TextFile(text.name, line).rows(delimiter)), Row(1, [])).cells
            if len(titles) > 2 and is_headings(titles):
                rows = list(text.rows(delimiter, after=number))
                return Table.of(text.name, titles, rows, delimiter != "," and _decimal_commas(rows))
    return None


def tables_in_workbook(path: Path) -> Iterator[list[Row]]:
    """Yield the rows of every sheet; `UnreadableError` where it is none or its reader is not installed."""
    try:
        from openpyxl import load_workbook
    except ModuleNotFoundError as error:
        raise refused(
            str(path), "a workbook, and openpyxl is not installed", "pip install 'galvanod[xlsx]'"
        ) from error
    try:
        book = load_workbook(path, read_only=True, data_only=True)
    except Exception as error:  # whatever a broken archive makes the library raise
        raise refused(str(path), f"{type(error).__name__}: {error}", "an Excel workbook (.xlsx)") from error
    try:
        for sheet in book.worksheets:
            rows = ([_cell(value) for value in values] for values in sheet.iter_rows(values_only=True))
            yield [Row(line, cells) for line, cells in enumerate(rows, 1) if any(cells)]
    finally:
        book.close()


def table_of_sheet(
    name: str, rows: Sequence[Row], is_headings: Callable[[Sequence[str]], bool]
) -> Table | None:
    """Return the table of one sheet below the first row that `is_headings`."""
    for place, row in enumerate(rows[:DEEPEST]):
        if is_headings(row.cells):
            return Table.of(name, row.cells, rows[place + 1 :])
    return None


def _decimal_commas(rows: Sequence[Row]) -> bool:
    cells = [cell.strip() for row in rows[:20] for cell in row.cells]
    return any(cell.count(",") == 1 and cell.replace(",", "").lstrip("+-").isdigit() for cell in cells)


def _cell(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, datetime):
        return value.isoformat(sep=" ")
    if isinstance(value, time):
        return value.isoformat()
    if isinstance(value, timedelta):
        return str(value.total_seconds())
    return str(value)
