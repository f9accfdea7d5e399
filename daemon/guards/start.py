"""The look at a cell before anything is done to it."""

from protocols.errors import LimitError
from protocols.limits import Limits

NOTHING = 0.01
"""Volts: two leads that touch, or hang in the air, show less."""


def check_open_circuit(voltage: float, limits: Limits) -> None:
    """Raise `LimitError` for an open-circuit voltage outside the window, with what it looks like."""
    if limits.voltage.holds(voltage):
        return
    raise LimitError(
        f"open-circuit voltage {voltage:.4f} V is outside {limits.voltage} V: {_likely(voltage, limits)}"
    )


def _likely(voltage: float, limits: Limits) -> str:
    if abs(voltage) < NOTHING:
        return "is a cell connected, and neither its leads nor the cell shorted?"
    if limits.voltage.holds(-voltage):
        return "the cell seems to be connected the wrong way round"
    return "is it the cell that was named, and in the state it should be in?"
