"""The units a report plots in: capacity per mass where the active mass is known, hours or days."""

from typing import NamedTuple

from daemon.reports.dossier import Dossier


class Scale(NamedTuple):
    """A unit as it is printed, and how many of it one SI unit is."""

    unit: str
    factor: float


def capacity_scale(dossier: Dossier) -> Scale:
    """Return mAh g⁻¹ of the active mass, else mAh cm⁻² of the area, else mAh, for coulomb."""
    mass, area = dossier.fact("active_mass"), dossier.fact("area")
    if mass:
        return Scale("mAh g⁻¹", 1 / 3600 / mass)
    if area:
        return Scale("mAh cm⁻²", 1 / 3.6e4 / area)
    return Scale("mAh", 1 / 3.6)


def time_scale(seconds: float) -> Scale:
    """Return the unit in which a duration is a number one can read."""
    for unit, length, least in (
        ("d", 86400.0, 10 * 86400.0),
        ("h", 3600.0, 2 * 3600.0),
        ("min", 60.0, 180.0),
    ):
        if seconds >= least:
            return Scale(unit, 1 / length)
    return Scale("s", 1.0)


def current_scale(amperes: float) -> Scale:
    """Return mA or µA for a current of this size."""
    return Scale("mA", 1e3) if amperes >= 0.1e-3 else Scale("µA", 1e6)
