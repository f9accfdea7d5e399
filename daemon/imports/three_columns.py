"""Spectra in three columns: frequency, real and imaginary part, with or without headings."""

import numpy as np

from daemon.imports.recording import Recording, Source
from daemon.imports.sheets import DELIMITERS
from daemon.imports.spectra import spectra
from daemon.imports.table import Table
from daemon.imports.text import TextFile

_TITLES = ("Frequency / Hz", "Real Impedance / ohm", "Imaginary Impedance / ohm")


def is_spectrum(text: TextFile) -> bool:
    """Whether the second line is three numbers, the first of them above zero."""
    lines = text.lines(3)[1:2]
    return any(_numbers(line, delimiter) for line in lines for delimiter in DELIMITERS)


def read(text: TextFile) -> Recording:
    """Read the spectrum; the file says nothing else, so its points stand one second apart."""
    lines = text.lines(2)
    delimiter = next(each for each in DELIMITERS if _numbers(lines[1], each))
    headed = not _numbers(lines[0], delimiter)
    table = Table.of(text.name, _TITLES, list(text.rows(delimiter, after=int(headed))))
    rows = len(table)
    none = np.full(rows, np.nan)
    frequency = table.needed("frequency", ("Frequency",))
    return Recording(
        source=Source(
            "spectrum in three columns",
            technique="impedance",
            remarks=("the file says nothing of time: its points are put one second apart",),
        ),
        time=np.arange(rows, dtype=np.float64),
        voltage=none,
        current=none,
        step=spectra(frequency),
        kind=["impedance"] * rows,
        frequency=frequency,
        real=table.needed("real part", ("Real Impedance",)),
        imaginary=table.needed("imaginary part", ("Imaginary Impedance",)),
    )


def _numbers(line: str, delimiter: str) -> bool:
    cells = line.split(delimiter)
    try:
        return len(cells) == 3 and float(cells[0]) > 0 and all(np.isfinite([float(cell) for cell in cells]))
    except ValueError:
        return False
