"""Whether a technique that ends by itself came to its end, or was stopped in the middle by somebody else."""

from protocols.reading import Reading
from protocols.techniques import Impedance, Sweep, Technique

NEAR_FREQUENCY = 1e-3
"""By which share the last frequency may differ from the one that was told."""

SHORT_VOLTS = 0.02
"""By how much the last row of a sweep may be short of where it ends."""


def ends_by_itself(technique: Technique) -> bool:
    """Whether the technique has an end of its own."""
    return isinstance(technique, Sweep | Impedance)


def is_complete(technique: Technique, frequency: float, last: Reading | None) -> bool:
    """Whether it is done with that last frequency of a spectrum (infinite before the first) or reading."""
    match technique:
        case Impedance(lowest=lowest):
            return frequency <= lowest * (1.0 + NEAR_FREQUENCY)
        case Sweep(vertices=vertices) if not vertices[-1].versus_open_circuit:
            return last is not None and abs(last.voltage - vertices[-1].volts) <= SHORT_VOLTS
    return True
