"""Where the guards trip: every number with its reason, to be overridden per instrument in the bench file."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Thresholds:
    """SI units. None, `off` in the bench file, disables a guard."""

    stale: float = 5.0
    """Seconds. A reading is due within three sample periods and at most this: older counts as none."""

    settle: float = 2.0
    """Seconds a set value has to arrive before it is missed; autoranging takes some tenths."""

    current_band: float = 0.05
    """Of the set current: a hundred times an instrument's error, a tenth of a mistaken range."""

    voltage_band: float = 0.005
    """Volts beside the set voltage, and half a percent of it: what two wires may drop."""

    frozen: int | None = 20
    """Identical readings in a row. With 18 bits two in a row happen every twentieth time, 20 never;
    an instrument that shows three digits needs more."""

    jump: float | None = 0.3
    """Volts between two readings that the current cannot account for; nucleation on bare copper and a
    dendrite's short stay below."""

    lead_current: float | None = 1e-9
    """Amperes below which nothing is said to flow where a held voltage should drive a current."""

    heating: float | None = 5.0 / 60.0
    """Kelvins per second, over a minute: a small cell at any sane rate warms by less than 1 K/min."""

    rising: float | None = 1.0
    """Of the lowest current under a held voltage, by which a charging current may grow again; a warmer
    day makes some percent."""

    resistance: float | None = None
    """Ohms that may show where a current changes. Off: a coin cell may have 5 or 500; it is noted."""

    second_voltage: float = 0.05
    """Volts by which a second voltmeter may differ: leads and contacts at the largest current."""


DEFAULT = Thresholds()
