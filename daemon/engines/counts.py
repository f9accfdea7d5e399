"""What is counted of a step, as a column of numbers: many channels are then counted at once."""

from typing import NamedTuple

from drivers.scan import Column, Scan


class Count(NamedTuple):
    """Where a channel stands. `time` is the instrument's, in seconds; SI, signed like the current.

    `step_zero` and `run_zero` are the moments at which the times of its step and of its run were
    nought. `kept_*` is the last reading kept, its time that of the step, `number` its number;
    `readings` counts all.
    """

    time: float
    voltage: float
    current: float
    step_zero: float
    run_zero: float
    capacity: float
    energy: float
    volt_seconds: float
    counted: float
    kept_time: float
    kept_voltage: float
    kept_current: float
    number: float
    readings: float


TIME, VOLTAGE, CURRENT, STEP_ZERO, RUN_ZERO, CAPACITY, ENERGY, VOLT_SECONDS, COUNTED = range(9)
KEPT_TIME, KEPT_VOLTAGE, KEPT_CURRENT, NUMBER, READINGS = range(9, 14)
"""The rows of a table of counts, one column per channel."""


def counted(scan: Scan, before: Column) -> Column:
    """Return the counts with a reading more; as `Tally.take` counts it."""
    after = before.copy()
    after[TIME], after[VOLTAGE], after[CURRENT] = scan.time, scan.voltage, scan.current
    half = 0.5 * (scan.time - before[TIME])
    after[CAPACITY] += half * (before[CURRENT] + scan.current)
    after[ENERGY] += half * (before[CURRENT] * before[VOLTAGE] + scan.current * scan.voltage)
    after[VOLT_SECONDS] += half * (before[VOLTAGE] + scan.voltage)
    after[COUNTED] += 2.0 * half
    after[READINGS] += 1.0
    return after
