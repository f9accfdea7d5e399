"""A symmetric cell of two lithium electrodes."""

from collections.abc import Mapping
from dataclasses import dataclass
from math import asinh, exp, tanh, tau
from typing import Any, NamedTuple

from simulators.cells.evolving import EvolvingCell
from simulators.cells.soft_short import SoftShort
from simulators.cells.units import CM2, MA_PER_CM2, MAH_PER_CM2, OHM_CM2, THERMAL_VOLTAGE

_KINETIC = 2.0 * THERMAL_VOLTAGE
_PEAK_CURRENT = 0.05  # of the exchange current: above it the peak at the start of a half cycle is whole
_NO_CYCLE = 1e-9  # A: a smaller current begins no half cycle
_DOUBLE_LAYER = 0.2  # F/m2


@dataclass(frozen=True, slots=True)
class LiLiParameters:
    """One parameter set, in SI per area (facts, 3.3). Growth is per C/m2 of throughput."""

    resistance: float  # ohm m2, R0
    film_resistance: float  # ohm m2, Rf
    growth: float = 0.0  # g
    growth_squared: float = 0.0  # g2
    exchange: float = 2.0 * MA_PER_CM2  # A/m2, j0
    peak: float = 0.02  # V, eta_p
    peak_charge: float = 0.05 * MAH_PER_CM2  # C/m2, q_p
    area: float = 2.011 * CM2


LI_LI: Mapping[str, LiLiParameters] = {
    "pp": LiLiParameters(
        8 * OHM_CM2, 8 * OHM_CM2, growth=0.004 / MAH_PER_CM2, growth_squared=2e-6 / MAH_PER_CM2**2
    ),
    "ti087o2": LiLiParameters(6 * OHM_CM2, 6 * OHM_CM2),
}


class LiLiState(NamedTuple):
    """What the cell remembers: charges in C/m2 but for `charge` (coulomb)."""

    throughput: float = 0.0
    passed: float = 0.0  # in this half cycle
    charge: float = 0.0
    shorted: float = -1.0  # s since the short appeared, negative before
    walk: float = 0.0  # ln of its resistance over the median
    direction: int = 0


class LiLi(EvolvingCell[LiLiState]):
    """Two equal electrodes: V = j[R0 + Rf(1 + gQ + g2 Q^2)] + kinetics + the peak of a new half cycle.

    Everything slower than a millisecond; the double layer shows in the impedance only.
    """

    kind = "li_li"

    def __init__(self, parameters: LiLiParameters, variant: str, short: SoftShort) -> None:
        p = parameters
        resistance = (p.resistance + p.film_resistance) / p.area
        super().__init__(LiLiState(), variant, resistance, MA_PER_CM2 * p.area)
        self.parameters = parameters
        self._short = short

    def advanced(self, state: LiLiState, amperes: float, seconds: float) -> LiLiState:
        moved = abs(amperes) * seconds / self.parameters.area
        direction = 0 if abs(amperes) < _NO_CYCLE else 1 if amperes > 0.0 else -1
        begins = direction not in (0, state.direction)
        shorted, walk = self._shorted(state, moved, seconds)
        return LiLiState(
            state.throughput + moved,
            moved if begins else state.passed + moved,
            state.charge + amperes * seconds,
            shorted,
            walk,
            direction if begins else state.direction,
        )

    def voltage(self, state: LiLiState, amperes: float) -> float:
        p = self.parameters
        density = amperes / p.area
        peak = p.peak * tanh(density / (_PEAK_CURRENT * p.exchange))
        if peak * state.direction > 0.0:
            peak *= exp(-state.passed / p.peak_charge)
        volts = (
            density * self._areal_resistance(state) + _KINETIC * asinh(density / (2.0 * p.exchange)) + peak
        )
        if state.shorted < 0.0 or amperes == 0.0:
            return volts
        beside = self._short.resistance(state.walk)
        return volts * beside / (beside + volts / amperes)

    def impedance(self, frequency: float) -> complex:
        p, state = self.parameters, self._state
        nucleation = p.peak / (_PEAK_CURRENT * p.exchange) * exp(-state.passed / p.peak_charge)
        arc = self._areal_resistance(state) - p.resistance + _KINETIC / (2.0 * p.exchange) + nucleation
        z = (p.resistance + arc / (1.0 + 1j * tau * frequency * _DOUBLE_LAYER * arc)) / p.area
        if state.shorted < 0.0:
            return z
        beside = self._short.resistance(state.walk)
        return z * beside / (z + beside)

    def truth(self) -> Mapping[str, Any]:
        """Return what was put in; `shorted_at` is the throughput in coulombs at which a soft short begins."""
        p, state = self.parameters, self._state
        onset = self._short.onset
        return {
            **super().truth(),
            "area": p.area,
            "exchange_current": p.exchange * p.area,
            "resistance": self._areal_resistance(state) / p.area,
            "shorted": state.shorted >= 0.0,
            "shorted_at": onset * p.area if self._short.hazard > 0.0 else None,
        }

    def _areal_resistance(self, state: LiLiState) -> float:
        p, q = self.parameters, state.throughput
        return p.resistance + p.film_resistance * (1.0 + p.growth * q + p.growth_squared * q * q)

    def _shorted(self, state: LiLiState, moved: float, seconds: float) -> tuple[float, float]:
        if state.throughput + moved < self._short.onset:
            return -1.0, 0.0
        begin = state.shorted
        if begin < 0.0:
            left = (state.throughput + moved - self._short.onset) / moved if moved else 1.0
            return (end := left * seconds), self._short.wandered(0.0, 0.0, end)
        return begin + seconds, self._short.wandered(state.walk, begin, begin + seconds)
