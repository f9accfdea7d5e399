"""A half cycle: a constant current until a voltage is reached."""

from simulators.cells.base import Cell

_HALVINGS = 40
_MOST_STEPS = 1_000_000


def half_cycle(cell: Cell, amperes: float, volts: float, step: float = 10.0) -> float:
    """Drive `amperes` until the voltage has crossed `volts` in its sense; return the seconds it took.

    The crossing is found by halving the last step, so its moment does not depend on `step`.
    Raises ValueError for a cell that has not crossed in a million steps (a shuttle can charge for ever).
    """
    sense = 1.0 if amperes > 0.0 else -1.0
    for count in range(_MOST_STEPS):
        before = cell.state()
        if sense * (cell.drive_current(amperes, step) - volts) >= 0.0:
            cell.restore(before)
            return count * step + _last_step(cell, amperes, volts, step)
    raise ValueError(f"{amperes:g} A did not reach {volts:g} V in {_MOST_STEPS * step:g} s")


def _last_step(cell: Cell, amperes: float, volts: float, step: float) -> float:
    sense = 1.0 if amperes > 0.0 else -1.0
    before = cell.state()
    low, high = 0.0, step
    for _ in range(_HALVINGS):
        middle = (low + high) / 2.0
        crossed = sense * (cell.drive_current(amperes, middle) - volts) >= 0.0
        low, high = (low, middle) if crossed else (middle, high)
        cell.restore(before)
    cell.drive_current(amperes, high)
    return high
