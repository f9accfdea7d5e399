"""The half-cycles of a cycle, differentiated: dQ/dV against voltage, from every reading of it."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from daemon.reading.results import Results
from daemon.recording.figuring import RecordedRun
from protocols.errors import FigureError
from protocols.figures.differential import GRID, SMOOTHED_OVER, differential_capacity

METHOD = (
    f"isotonic regression of the voltage, charge at every {GRID * 1000:g} mV,"
    f" Savitzky-Golay slope over {SMOOTHED_OVER} points ({GRID * 1000 * (SMOOTHED_OVER - 1):g} mV)"
)
LONGEST = 300_000
"""Readings of a step that are differentiated while somebody waits."""


@dataclass(frozen=True, slots=True)
class HalfCycle:
    """A step at rising voltages: `slope` is dQ/dV in C/V, negative on discharge; `charge` passed below."""

    step: int
    verb: str
    voltage: Sequence[float]
    slope: Sequence[float]
    charge: Sequence[float]


@dataclass(frozen=True, slots=True)
class Differential:
    """The half-cycles of a cycle that can be differentiated, and why others cannot."""

    cycle: int
    method: str
    halves: Sequence[HalfCycle]
    left_out: Sequence[str]


def differential(results: Results, run: str, cycle: int) -> Differential:
    """Differentiate the charges and discharges of a cycle that are over."""
    recorded = RecordedRun(results, run)
    halves, left_out = [], []
    for step in recorded.records:
        if step.cycle != cycle or step.ended is None or step.verb not in ("charge", "discharge"):
            continue
        first, last = step.first_reading or 0, step.last_reading or 0
        try:
            if last - first > LONGEST:
                raise FigureError(f"{last - first + 1} readings are too many to look at here")
            columns = recorded.readings(step.ordinal)
            whole = np.isfinite(columns.voltage) & np.isfinite(columns.capacity)
            found = differential_capacity(columns.voltage[whole], columns.capacity[whole])
        except FigureError as error:
            left_out.append(f"step {step.ordinal}, {step.verb}: {error}")
            continue
        slope = np.copysign(found.slope, step.capacity or 0.0)
        halves.append(
            HalfCycle(
                *(step.ordinal, step.verb),
                *(found.voltage.tolist(), slope.tolist(), found.charge.tolist()),
            )
        )
    return Differential(cycle, METHOD, halves, left_out)
