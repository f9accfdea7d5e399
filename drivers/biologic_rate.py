"""Whether a sweep goes at the rate it was told: the unit of `Scan_Rate` is not settled without hardware."""

from protocols.techniques import Sweep

JUDGED_VOLTS = 0.02
"""After how many volts a rate is judged, be it the sweep's own or the one that was told."""

FACTOR = 3.0
"""By how much a sweep may seem too fast or too slow."""


def trouble(sweep: Sweep, seconds: float, volts: float) -> str | None:
    """Return what is wrong with a sweep that has gone a way of `volts` in `seconds`, or None."""
    told = sweep.rate * seconds
    if max(told, volts) < JUDGED_VOLTS or told / FACTOR <= volts <= told * FACTOR:
        return None
    return (
        f"the sweep has gone {volts:.3g} V in {seconds:.4g} s, which is {volts / seconds:.3g} V/s; "
        f"told were {sweep.rate:.3g} V/s: the unit of Scan_Rate is another; "
        "set scan_rate=mV/s or scan_rate=V/s in the address"
    )
