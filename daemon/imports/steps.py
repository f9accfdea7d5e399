"""A recording cut into the steps a run has."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from daemon.delivery.messages import ImpedanceRow, ReadingRow
from daemon.imports.counters import Counter
from daemon.imports.recording import Integers, Recording
from protocols.figures.estimate import Array

NOTHING = 1e-3
"""A current below this part of the recording's largest counts as none, where no step name tells."""


@dataclass(frozen=True, slots=True)
class Step:
    """One step: SI, times since the run began, capacity and energy signed like the current.

    `own_capacity` is our integral of the current where the capacity is the instrument's counter.
    """

    path: str
    label: str
    verb: str
    cycle: int
    started: float
    ended: float
    set_value: float | None
    readings: Sequence[ReadingRow]
    points: Sequence[ImpedanceRow]
    capacity: float
    energy: float
    own_capacity: float

    @property
    def mean_voltage(self) -> float | None:
        """Energy over charge; the mean of the readings where no charge passed."""
        if self.capacity:
            return self.energy / self.capacity
        known = [row.voltage for row in self.readings if row.voltage == row.voltage]
        return float(np.mean(known)) if known else None


def steps_of(recording: Recording) -> list[Step]:
    """Cut a recording into steps: nothing is ever integrated across their borders."""
    bounds = _bounds(recording)
    threshold = NOTHING * float(np.nanmax(np.abs(recording.current), initial=0.0))
    pieces = [_piece(recording, start, stop, threshold) for start, stop in pairwise(bounds)]
    cycles = _cycles(recording, pieces)
    return [_step(recording, piece, cycle) for piece, cycle in zip(pieces, cycles, strict=True)]


@dataclass(frozen=True, slots=True)
class _Piece:
    """Rows `start` to `stop` are one step, of this verb and direction of the current."""

    start: int
    stop: int
    verb: str
    direction: int


def _bounds(recording: Recording) -> list[int]:
    """Return the first row of every step, and the number of rows."""
    kind = np.array(recording.kind)
    begins = np.zeros(len(recording), dtype=bool)
    begins[0] = True
    begins[1:] = (recording.step[1:] != recording.step[:-1]) | (kind[1:] != kind[:-1])
    if recording.cycle is not None:
        begins[1:] |= recording.cycle[1:] != recording.cycle[:-1]
    if recording.step_time is not None:
        begins[1:] |= recording.step_time[1:] < recording.step_time[:-1]
    return [*np.flatnonzero(begins).tolist(), len(recording)]


def _piece(recording: Recording, start: int, stop: int, threshold: float) -> _Piece:
    """Return one step's verb, the file's or that of its current, and the direction of what it passed."""
    verb = recording.kind[start]
    if verb in _DIRECTIONS:
        return _Piece(start, stop, verb, _DIRECTIONS[verb])
    mean = _mean_current(recording.time[start:stop], recording.current[start:stop])
    flows = abs(mean) > threshold
    inferred = "rest" if not flows else "charge" if mean > 0 else "discharge"
    return _Piece(start, stop, verb or inferred, int(np.sign(mean)) if verb or flows else 0)


_DIRECTIONS = {"charge": 1, "discharge": -1, "rest": 0}


def _mean_current(time: Array, current: Array) -> float:
    known = current[np.isfinite(current)]
    lasted = float(time[-1] - time[0])
    if known.size == current.size and lasted > 0:
        return float(integral(time, current)[-1]) / lasted
    return float(np.median(known)) if known.size else 0.0


def _cycles(recording: Recording, pieces: Sequence[_Piece]) -> list[int]:
    """Return each step's cycle: the file's own number; else one more whenever it begins anew.

    A counted cycle begins with the direction in which charge passed first, after the other one.
    """
    if recording.cycle is not None:
        return [int(recording.cycle[piece.start]) for piece in pieces]
    cycle, first, turned, found = 0, 0, True, []
    for piece in pieces:
        direction = 0 if piece.verb in {"rest", "impedance", "sweep"} else piece.direction
        first = first or direction
        if direction and direction == first and turned:
            cycle, turned = cycle + 1, False
        elif direction and direction != first:
            turned = True
        found.append(cycle)
    return found


def _step(recording: Recording, piece: _Piece, cycle: int) -> Step:
    start, stop = piece.start, piece.stop
    time, current = recording.time[start:stop], recording.current[start:stop]
    voltage = recording.voltage[start:stop]
    own = integral(time, current)
    capacity = _counted(recording.charge, piece, own)
    energy = _counted(recording.energy, piece, _energy(voltage, capacity))
    spectrum = piece.verb == "impedance" and recording.frequency is not None
    began = float(time[0]) - (0.0 if recording.step_time is None else float(recording.step_time[start]))
    return Step(
        path=str(recording.step[start]),
        label=recording.labels[start] if recording.labels else piece.verb,
        verb=piece.verb,
        cycle=cycle,
        started=max(0.0, began),
        ended=float(time[-1]),
        set_value=_set_value(piece.verb, voltage, current),
        readings=[] if spectrum else _readings(recording, piece, capacity, energy),
        points=list(_points(recording, start, stop)) if spectrum else [],
        capacity=0.0 if spectrum else float(capacity[-1]),
        energy=0.0 if spectrum else float(energy[-1]),
        own_capacity=0.0 if spectrum else float(own[-1]),
    )


def integral(x: Array, y: Array) -> Array:
    """Return the running integral of y over x by the trapezoidal rule, 0 at the first."""
    found = np.zeros(len(x))
    np.cumsum(0.5 * (y[1:] + y[:-1]) * np.diff(x), out=found[1:])
    return found


def _energy(voltage: Array, capacity: Array) -> Array:
    """Return the energy by what charge passed at which voltage: exact where the current changes."""
    return integral(capacity, voltage) + float(capacity[0] * voltage[0])


def _counted(counter: Counter | None, piece: _Piece, own: Array) -> Array:
    """Return what the instrument counted; our own where it has no counter, or one that tells no direction."""
    return own if counter is None else counter.within(piece.start, piece.stop, piece.direction, own)


def _set_value(verb: str, voltage: Array, current: Array) -> float | None:
    """Return what was held, as far as the readings tell: their median to four digits."""
    match verb:
        case "charge" | "discharge":
            return float(f"{np.nanmedian(current):.4g}")
        case "hold" | "polarise":
            return float(f"{np.nanmedian(voltage):.5g}")
        case "power":
            return float(f"{np.nanmedian(voltage * current):.4g}")
        case _:
            return None


def _readings(recording: Recording, piece: _Piece, capacity: Array, energy: Array) -> list[ReadingRow]:
    rows = slice(piece.start, piece.stop)
    warmth: Sequence[float | None] = [None] * (piece.stop - piece.start)
    if recording.temperature is not None:
        warmth = [None if value != value else value for value in recording.temperature[rows].tolist()]
    columns = (recording.time[rows], recording.voltage[rows], recording.current[rows], capacity, energy)
    numbers = zip(*(column.tolist() for column in columns), warmth, strict=True)
    return [ReadingRow(t, v, i, q, e, warm, 0) for t, v, i, q, e, warm in numbers]


def _points(recording: Recording, start: int, stop: int) -> Iterator[ImpedanceRow]:
    columns: list[Array | Integers | None] = [recording.frequency, recording.real, recording.imaginary]
    numbers = [column[start:stop].tolist() for column in columns if column is not None]
    for t, frequency, real, imaginary in zip(recording.time[start:stop].tolist(), *numbers, strict=True):
        yield ImpedanceRow(t, frequency, real, imaginary, 0)
