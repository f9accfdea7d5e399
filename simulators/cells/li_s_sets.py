"""The parameter sets of lithium-sulfur and its selenium relatives."""

from collections.abc import Mapping
from dataclasses import replace

from simulators.cells.li_s import LiSParameters
from simulators.cells.units import HOUR, MAH_PER_G, MILLIGRAM, OHM_CM2


def _set(capacity: float, share: float, exchange: float, resistance: float, shuttle: float) -> LiSParameters:
    """Return a set from the units it was fitted in: mAh/g, -, 1/h, ohm cm2, 1/h."""
    return LiSParameters(capacity * MAH_PER_G, share, exchange / HOUR, resistance * OHM_CM2, shuttle / HOUR)


_PP = _set(1136.5, 0.2099, 18.36, 35, 0.15)
_TI = _set(1031.6, 0.4943, 10.92, 30, 0.02)

LI_S: Mapping[str, LiSParameters] = {
    "pp": replace(_PP, break_in=0.08, fade_time=2.812e-4 / HOUR),
    "tio2": replace(_set(1118.0, 0.2099, 18.36, 38, 0.11), break_in=0.08, fade_time=2.013e-4 / HOUR),
    "go": replace(_set(1110.0, 0.2099, 18.36, 45, 0.07), break_in=0.08, fade_time=1.240e-4 / HOUR),
    "ti087o2": replace(_TI, break_in=0.04, fade_time=6.657e-5 / HOUR),
    "pp_rate": _set(1105.2, 0.2099, 18.36, 35, 0.15),
    "ti087o2_rate": _set(1031.4, 0.4943, 10.92, 30, 0.02),
    "ti087o2_1c": replace(_set(1031.8, 0.4943, 10.92, 30, 0.02), fade_cycle=3.40e-5, cycled_at=1.0),
    "ti087o2_2c": replace(
        _set(759.6, 0.4943, 10.92, 20, 0.02), fade_cycle=6.41e-5, active_mass=3.96 * MILLIGRAM
    ),
}
"""Fitted to the source's end points (facts, 3.1); its 3.5 mg/cm2 set is on the same 1.131 cm2."""

_SELENIUM = 678.0 * MAH_PER_G  # Se + 2 Li+ + 2 e-, what 1 C is counted from


def _selenium(set_of: LiSParameters, capacity: float, fade_time: float, shift: float) -> LiSParameters:
    """Return a Li-S set with another capacity (mAh/g), fade (1/h) and place on the voltage scale."""
    return replace(
        set_of,
        capacity=capacity * MAH_PER_G,
        break_in=0.04,
        fade_time=fade_time / HOUR,
        theoretical_capacity=_SELENIUM,
        voltage_shift=shift,
    )


LI_SE: Mapping[str, LiSParameters] = {
    "pp": _selenium(_PP, 620.8, 2.140e-4, 0.0),
    "ti087o2": _selenium(_TI, 591.1, 3.577e-5, 0.0),
}
"""Assumed: the Li-S model scaled down, 560 to 460 mAh/g in 500 cycles at 0.2 C (the source's one
number) for Ti0.87O2/PP and 550 to 200 for PP."""

NA_SE: Mapping[str, LiSParameters] = {
    "pp": _selenium(_PP, 582.0, 3.596e-4, -0.45),
    "ti087o2": _selenium(_TI, 564.2, 6.785e-5, -0.45),
}
"""Assumed: as Li-Se but 0.45 V lower, 540 to 450 mAh/g in 250 cycles from 2.5 to 0.8 V (the source's
number) for Ti0.87O2/PP and 520 to 230 for PP."""
