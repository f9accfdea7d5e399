"""What the instrument adds to the uncertainty of figures that are simply a voltage or a charge.

Ratios (efficiencies, retention, decay) lose the gain, and those that keep an offset take it in where they
are made: an efficiency, a transference number.
"""

from dataclasses import replace
from math import hypot

from protocols.accuracy import Accuracy
from protocols.figures.figure import Figure

VOLTAGES = frozenset({"steady_overpotential", "voltammetry_peaks", "differential_capacity_peaks"})
"""Read against nought: a wrong gain and an offset are in them."""

DIFFERENCES = frozenset({"nucleation_overpotential", "overpotential", "hysteresis", "voltammetry_separation"})
"""Of two readings of one range: the offset cancels."""

CHARGES = frozenset({"plateau_capacity", "rate_capability"})
"""Of currents well above the offset: the gain is what counts."""


def by_instrument(figure: Figure, accuracy: Accuracy | None) -> Figure:
    """Return the figure as uncertain as the instrument makes it, by what its maker states."""
    if accuracy is None or figure.uncertainty is None:
        return figure
    size = abs(figure.value)
    if figure.name in VOLTAGES:
        more = hypot(accuracy.of_voltage * size, accuracy.volts)
    elif figure.name in DIFFERENCES:
        more = accuracy.of_voltage * size
    elif figure.name in CHARGES:
        more = accuracy.of_current * size
    else:
        return figure
    return replace(figure, uncertainty=hypot(figure.uncertainty, more))
