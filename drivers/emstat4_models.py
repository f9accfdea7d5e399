"""PalmSens EmStat4, EmStat Pico and Nexus: what each can do."""

from dataclasses import dataclass

from drivers.rated import Rated


@dataclass(frozen=True, slots=True)
class Model(Rated):
    """Ratings in volts and amperes; the smallest current range is where autoranging may go.

    `galvanostat` is whether it sets currents, `potential_ranges` whether it has any to choose from,
    `script_size` how many characters a script may have.
    """

    smallest_current_range: float
    galvanostat: bool = True
    potential_ranges: bool = True
    script_size: int = 32_768


# By the device letters a `t` is answered with. Voltages as the maker's data sheets, not read on hardware.

MODELS = {
    "es4_lr": Model("EmStat4 LR", 3.0, 0.01, 1e-9),
    "es4_hr": Model("EmStat4 HR", 6.0, 0.1, 1e-7),
    "mes4lr": Model("MultiEmStat4 LR", 3.0, 0.01, 1e-9),
    "mes4hr": Model("MultiEmStat4 HR", 6.0, 0.1, 1e-7),
}

PICO_MODELS = {"espico": Model("EmStat Pico", 1.7, 0.003, 1e-7, False, False, 4096)}
"""A lithium cell of more than 1.7 V is beyond it. Its memory is not documented: less is taken for granted."""

NEXUS_MODELS = {"nexus1": Model("Nexus", 10.0, 1.0, 1e-9)}

HIGHEST_FREQUENCY = 200e3
"""Hertz, of an impedance measurement."""
