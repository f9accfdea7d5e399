"""The channels of a rack on which nothing happens, side by side in arrays.

Whoever sits here is counted exactly as its engine would count it (`Tally`, `Logbook`): charge and
energy by trapezoids, readings kept by the step's rule. One scan of sixty-four channels costs a few
dozen array operations instead of sixty-four turns of an engine.
"""

import time as wall
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from daemon.delivery.messages import ScanReadings
from daemon.engines.counts import (
    CAPACITY,
    CURRENT,
    ENERGY,
    KEPT_CURRENT,
    KEPT_TIME,
    KEPT_VOLTAGE,
    NUMBER,
    READINGS,
    RUN_ZERO,
    STEP_ZERO,
    TIME,
    VOLTAGE,
    Count,
    counted,
)
from daemon.engines.quiet import MARGIN, Quiet
from daemon.engines.scan_positions import ScanPositions
from daemon.guards.frozen import FLOWING
from drivers.scan import Column, Scan
from protocols.reading import Reading

RECENT = 20
"""Scans at hand, to tell who leaves what was seen last."""


@dataclass(frozen=True, slots=True)
class Sitter:
    """Who sits down: where its channel is, which run, step and cycle its readings belong to."""

    place: str
    run: str
    step: int
    cycle: int
    quiet: Quiet
    count: Count


Labels = tuple[list[str], list[int], list[int]]
"""Run, step and cycle of each."""


class Seen(NamedTuple):
    """What a scan showed: the counts of the quiet seats `at`, the readings to keep, and by their
    position in the scan those that are not quiet."""

    time: float
    at: NDArray[np.intp]
    counts: Column
    kept: ScanReadings | None
    loud: list[int]


class Seats:
    """One seat per place, each with at most one sitter."""

    def __init__(self, places: Sequence[str]) -> None:
        self._index = {place: index for index, place in enumerate(places)}
        self._sitters: list[Sitter | None] = [None] * len(places)
        self._bounds = np.zeros((len(Quiet._fields), len(places)))
        self._counts = np.zeros((len(Count._fields), len(places)))
        self._recent: deque[tuple[float, Column, Column]] = deque(maxlen=RECENT)
        self._seated: NDArray[np.intp] = np.zeros(0, dtype=np.intp)
        self._labels: Labels = [], [], []
        self.places: tuple[str, ...] = ()
        """Where somebody sits, in the order of the instrument."""

    def sit(self, sitter: Sitter) -> None:
        """Take the seat."""
        index = self._index[sitter.place]
        self._sitters[index] = sitter
        self._bounds[:, index] = sitter.quiet
        self._counts[:, index] = sitter.count
        self._arrange()

    def leave(self, place: str) -> None:
        """Give the seat up; what was counted on it stays readable until somebody takes it."""
        self._sitters[self._index[place]] = None
        self._arrange()

    def count(self, place: str) -> Count:
        """Return where the channel stands as of the last scan."""
        return Count._make(self._counts[:, self._index[place]].tolist())

    def readings(self, place: str) -> float:
        """Return how many readings were counted on the seat."""
        return float(self._counts[READINGS, self._index[place]])

    def before(self, time: float) -> set[str]:
        """Return the places where somebody sits whose last reading is older than that moment."""
        older = (self._counts[TIME, self._seated] < time).tolist()
        return {place for place, is_older in zip(self.places, older, strict=True) if is_older}

    def recent(self, place: str, most: int) -> list[Reading]:
        """Return up to `most` of the last readings seen on the seat, oldest first."""
        index = self._index[place]
        seen = [
            Reading(time, float(voltage[index]), float(current[index]))
            for time, voltage, current in self._recent
            if voltage[index] == voltage[index]  # no number where nobody sat
        ]
        return seen[-most:] if most > 0 else []

    def seen(self, scan: Scan, places: Sequence[str], objected: Sequence[int] = ()) -> Seen:
        """Compare a scan of these seats with their bounds; nothing is counted before `accept`.

        `objected` are the positions in the scan at which somebody else objects.
        """
        at = self._seated if places == self.places else np.array([self._index[p] for p in places], np.intp)
        bounds, before = self._bounds[:, at], self._counts[:, at]
        after = counted(scan, before)
        is_quiet = _is_quiet(before, after, bounds) & scan.plain
        if objected:
            is_quiet[list(objected)] = False
        kept = is_quiet & _is_kept(after, bounds)
        after[KEPT_TIME, kept] = (after[TIME] - after[STEP_ZERO])[kept]
        after[KEPT_VOLTAGE:NUMBER, kept] = after[VOLTAGE:STEP_ZERO, kept]
        after[NUMBER, kept] += 1.0
        return Seen(
            scan.time,
            at[is_quiet],
            after[:, is_quiet],
            self._readings(after[:, kept], at[kept]),
            np.flatnonzero(~is_quiet).tolist(),
        )

    def accept(self, seen: Seen) -> None:
        """Count what was quiet."""
        self._counts[:, seen.at] = seen.counts
        voltage, current = np.full((2, len(self._sitters)), np.nan)
        voltage[seen.at], current[seen.at] = seen.counts[VOLTAGE], seen.counts[CURRENT]
        self._recent.append((seen.time, voltage, current))

    def positions(self) -> ScanPositions:
        """Return where every sitter stands, for whoever finds them after a crash."""
        sitters = self._taken(self._seated)
        counts = self._counts[:, self._seated]
        return ScanPositions(
            wall=wall.time(),
            runs=[sitter.run for sitter in sitters],
            steps=[sitter.step for sitter in sitters],
            counts=counts.tobytes(),
        )

    def _readings(self, counts: Column, seated: NDArray[np.intp]) -> ScanReadings | None:
        if not len(seated):
            return None
        labels = self._labels if len(seated) == len(self._seated) else _labels(self._taken(seated))
        return ScanReadings(
            *labels,
            numbers=counts[NUMBER].astype("<i8").tobytes(),
            times=(counts[TIME] - counts[RUN_ZERO]).tobytes(),
            voltages=counts[VOLTAGE].tobytes(),
            currents=counts[CURRENT].tobytes(),
            capacities=counts[CAPACITY].tobytes(),
            energies=counts[ENERGY].tobytes(),
        )

    def _taken(self, seated: NDArray[np.intp]) -> list[Sitter]:
        return [sitter for index in seated.tolist() if (sitter := self._sitters[index]) is not None]

    def _arrange(self) -> None:
        taken = [index for index, sitter in enumerate(self._sitters) if sitter is not None]
        self._seated = np.array(taken, dtype=np.intp)
        sitters = self._taken(self._seated)
        self._labels = _labels(sitters)
        self.places = tuple(sitter.place for sitter in sitters)


def _labels(sitters: Sequence[Sitter]) -> Labels:
    return (
        [sitter.run for sitter in sitters],
        [sitter.step for sitter in sitters],
        [sitter.cycle for sitter in sitters],
    )


def _is_quiet(before: Column, after: Column, bounds: Column) -> NDArray[np.bool_]:
    """Return on which channels a reading is inside every bound. Written so that NaN is outside."""
    (sample, low_v, high_v, near_low_v, near_high_v, low_i, high_i, near_low_m, near_high_m) = bounds[:9]
    (seconds, coulombs, joules, jump, lead_current, collapse, late) = bounds[9:16]
    voltage, current = after[VOLTAGE], after[CURRENT]
    passed, moved = after[TIME] - before[TIME], np.abs(voltage - before[VOLTAGE])
    magnitude, former = np.abs(current), np.abs(before[CURRENT])
    inside: NDArray[np.bool_] = (
        (low_v <= voltage)
        & (voltage <= high_v)
        & (low_i <= current)
        & (current <= high_i)
        & (MARGIN * moved <= np.minimum(voltage - near_low_v, near_high_v - voltage))
        & (MARGIN * np.abs(magnitude - former) <= np.minimum(magnitude - near_low_m, near_high_m - magnitude))
        & (after[TIME] - after[STEP_ZERO] + sample <= seconds)
        & (np.abs(after[CAPACITY]) + magnitude * sample <= coulombs)
        & (np.abs(after[ENERGY]) + np.abs(voltage) * magnitude * sample <= joules)
        & (moved <= jump)
        & ((magnitude > lead_current) | (former <= collapse))
        & ((moved > 0.0) | (current != before[CURRENT]) | (magnitude < FLOWING))
        & (passed > 0.0)
        & (passed <= late)
    )
    return inside


def _is_kept(after: Column, bounds: Column) -> NDArray[np.bool_]:
    """Return which readings the recording's rule keeps; as `Recording.keeps` has it."""
    every, voltage_step, current_step = bounds[17:20] * (1.0 - 1e-9)
    since = after[TIME] - after[STEP_ZERO] - after[KEPT_TIME]
    moved = np.abs(after[CURRENT] - after[KEPT_CURRENT])
    kept: NDArray[np.bool_] = (
        (since >= every)
        | (np.abs(after[VOLTAGE] - after[KEPT_VOLTAGE]) >= voltage_step)
        | ((moved >= current_step * np.abs(after[KEPT_CURRENT])) & (moved > 0.0))
    )
    return kept
