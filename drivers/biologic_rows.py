"""Rows of data as readings and points of a spectrum, by technique and family (EC-Lab Development Package)."""

import math
from collections.abc import Callable, Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from drivers.biologic_models import Board, Potentiostat
from drivers.eclib import Block
from drivers.eclib_technique import IDENTIFIERS, NAMES
from drivers.errors import RefusedError
from protocols.reading import Flags, ImpedancePoint, Reading

Point = Reading | ImpedancePoint

Singles = NDArray[np.float64]

Single = Callable[[int], float]
"""How the library reads a word of a board of its own kind."""


class Layout(NamedTuple):
    """How many columns rows have, and which hold voltage and current; the current is None at rest."""

    columns: int
    voltage: int
    current: int | None


SPECTRUM_COLUMNS = {True: 15, False: 14}
FREQUENCY, VOLTAGE_MODULUS, CURRENT_MODULUS, PHASE, SPECTRUM_TIME = 0, 1, 2, 3, 13
"""Columns of process 1 of PEIS and GEIS."""

_HELD = Layout(5, 2, 3)
_LEVEL = Layout(4, 2, 3)
_LAYOUTS = {
    "ocv": {True: Layout(4, 2, None), False: Layout(3, 2, None)},
    **{name: {True: _HELD, False: _HELD} for name in ("ca", "cp", "calimit", "cplimit")},
    "cv": {True: Layout(6, 4, 3), False: Layout(5, 3, 2)},
    **{name: {True: _LEVEL, False: _LEVEL} for name in ("peis", "geis")},
}
"""By technique, and by whether the family records the counter electrode; process 0 of spectra."""


def points(block: Block, board: Potentiostat, phase_sign: float, single: Single) -> list[Point]:
    """Return what the rows hold; times are seconds since the experiment began.

    Raises `RefusedError` where the columns are not those that are known: they are never guessed.
    """
    infos = block.infos
    if not infos.NbRows:
        return []
    rows = block.words.reshape(infos.NbRows, infos.NbCols)
    start = start_of(block)
    name = NAMES.get(infos.TechniqueID)
    if infos.ProcessIndex == 1 and name in ("peis", "geis"):
        _check_columns(block, SPECTRUM_COLUMNS[board.model.auxiliary])
        found: list[Point] = list(_spectrum(_singles(rows, board, single), start, phase_sign))
    elif name in _LAYOUTS:
        layout = _LAYOUTS[name][board.model.auxiliary]
        _check_columns(block, layout.columns)
        found = list(_readings(rows, layout, _times(rows, block, start), board, single))
    else:
        raise RefusedError(f"data of technique {infos.TechniqueID} came; wanted one of {_known()}")
    return _flagged(found, block)


def start_of(block: Block) -> float:
    """Return when the technique of the rows began, in seconds since the experiment did."""
    start: float = block.infos.StartTime
    return 0.0 if math.isnan(start) else start


def _check_columns(block: Block, wanted: int) -> None:
    infos = block.infos
    if infos.NbCols != wanted:
        raise RefusedError(
            f"data of technique {infos.TechniqueID}, process {infos.ProcessIndex}, have "
            f"{infos.NbCols} columns; wanted {wanted}: this firmware's layout is not known"
        )


def _times(rows: NDArray[np.uint32], block: Block, start: float) -> NDArray[np.float64]:
    ticks = rows[:, 0].astype(np.float64) * 2.0**32 + rows[:, 1]
    times: NDArray[np.float64] = start + block.values.TimeBase * ticks
    return times


def _readings(
    rows: NDArray[np.uint32], layout: Layout, times: Singles, board: Potentiostat, single: Single
) -> Iterator[Reading]:
    wanted = rows[:, [layout.voltage, layout.voltage if layout.current is None else layout.current]]
    singles = _singles(wanted, board, single)
    at_rest = layout.current is None
    for time, (voltage, current) in zip(times.tolist(), singles.tolist(), strict=True):
        yield Reading(time, voltage, 0.0 if at_rest else current)


def _spectrum(singles: Singles, start: float, phase_sign: float) -> Iterator[ImpedancePoint]:
    for row in singles.tolist():
        modulus = row[VOLTAGE_MODULUS] / row[CURRENT_MODULUS] if row[CURRENT_MODULUS] else math.nan
        phase = phase_sign * row[PHASE]
        real, imaginary = modulus * math.cos(phase), modulus * math.sin(phase)
        yield ImpedancePoint(start + row[SPECTRUM_TIME], row[FREQUENCY], real, imaginary)


def _singles(words: NDArray[np.uint32], board: Potentiostat, single: Single) -> Singles:
    """Return words as numbers: their bits are those of floats, except on boards only the library knows."""
    if board.board is not Board.DIGICORE:
        return np.ascontiguousarray(words).view(np.float32).astype(np.float64)
    return np.array([[single(word) for word in row] for row in words.tolist()])


def _flagged(found: list[Point], block: Block) -> list[Point]:
    """Mark the first point where some were lost before it, and the last where a converter overflows now."""
    if block.infos.IRQskipped > 0:
        found[0] = found[0]._replace(flags=int(Flags.TIMING))
    if block.values.Eoverflow or block.values.Ioverflow:
        found[-1] = found[-1]._replace(flags=found[-1].flags | int(Flags.OVERLOAD))
    return found


def _known() -> str:
    return ", ".join(str(IDENTIFIERS[name]) for name in _LAYOUTS)
