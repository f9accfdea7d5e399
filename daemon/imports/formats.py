"""Which format a result file is in."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

from daemon.errors import UnknownError
from daemon.imports import (
    arbin,
    bdf,
    eclab,
    eclab_binary,
    gamry,
    land,
    land_binary,
    maccor,
    neware,
    neware_binary,
    three_columns,
)
from daemon.imports.recording import Recording
from daemon.imports.sheets import table_in, table_of_sheet, tables_in_workbook
from daemon.imports.table import Table
from daemon.imports.text import TextFile, read_text, refused

KNOWN = (
    "Neware .ndax, .nda or text, EC-Lab .mpt or .mpr, LAND .ccs, text or workbook, Arbin or Maccor text, "
    "BDF as CSV or Parquet, Gamry .DTA, or a spectrum in three columns"
)


class _Format(NamedTuple):
    """How a table is known by its headings, and read."""

    fits: Callable[[Sequence[str]], bool]
    read: Callable[[Table], Recording]


_TABLES = (
    _Format(land.is_land, land.read),
    _Format(arbin.is_arbin, arbin.read),
    _Format(neware.is_flat, neware.read_flat),
    _Format(bdf.is_bdf, bdf.read),  # last: what a maker wrote itself goes before what was made of it
)


def read(path: Path) -> Recording:
    """Read a result file in whichever known format it is.

    Raises `UnknownError` where there is no such file, and `UnreadableError`, saying what was seen
    and what was wanted where, for a file that is foreign, broken or cut short.
    """
    try:
        if path.stat().st_size == 0:
            raise refused(str(path), "an empty file", KNOWN)
        return _by_name(path)
    except OSError as error:
        raise UnknownError(f"cannot read {path}: {error.strerror}") from error


def _by_name(path: Path) -> Recording:
    match path.suffix.casefold():
        case ".nda" | ".ndax":
            return neware_binary.read(path)
        case ".mpr":
            return eclab_binary.read(path)
        case ".ccs":
            return land_binary.read(path)
        case ".parquet":
            return bdf.read_parquet(path)
        case ".xlsx":
            return _workbook(path)
    return _text(read_text(path))


def _text(text: TextFile) -> Recording:
    if eclab.is_eclab(text):
        return eclab.read(text)
    if gamry.is_gamry(text):
        return gamry.read(text)
    if neware.is_layered(text):
        return neware.read_layered(text)
    table = table_in(text, maccor.is_maccor)
    if table is not None:
        return maccor.read(table, text)
    for format_ in _TABLES:
        table = table_in(text, format_.fits)
        if table is not None:
            return format_.read(table)
    if three_columns.is_spectrum(text):
        return three_columns.read(text)
    first = next(iter(text.lines(1)), "")
    raise text.refused(f"{first[:80]!r}", KNOWN, 1)


def _workbook(path: Path) -> Recording:
    sheets = list(tables_in_workbook(path))
    for format_ in _TABLES:
        for rows in sheets:
            table = table_of_sheet(str(path), rows, format_.fits)
            if table is not None:
                return format_.read(table)
    raise refused(
        str(path), f"{len(sheets)} sheets without headings known here", "a sheet of LAND or Neware records"
    )
