"""Lithium or sodium plated on copper and stripped again."""

from collections.abc import Mapping
from dataclasses import dataclass
from math import asinh, exp, tau
from random import Random
from typing import Any, NamedTuple

from simulators.cells.evolving import EvolvingCell
from simulators.cells.units import CM2, MA_PER_CM2, MAH_PER_CM2, OHM_CM2, THERMAL_VOLTAGE

_KINETIC = 2.0 * THERMAL_VOLTAGE
_EDGE = 1e-4 * MAH_PER_CM2  # the last metal, below which the voltage rises hard
_EDGE_RISE = 0.5  # V
_LEAST_COVERAGE = 1e-12
_TRACE = 2e-5 * MAH_PER_CM2  # less metal than about this no longer pins the potential
_FILM_CHARGE = 3e-3 * MAH_PER_CM2  # to reduce what covers fresh copper: some ten seconds at 1 mA/cm2
_DRIFT_TIME = 1800.0  # s, of bare copper back to its own potential
_BEST_EFFICIENCY = 0.9995
_NO_CYCLE = 1e-9  # A: a smaller current begins no half cycle
_DOUBLE_LAYER = 2.0  # F/m2
_HIGHEST = 5.0  # V, where everything else in the cell is oxidised instead


@dataclass(frozen=True, slots=True)
class LiCuParameters:
    """One parameter set, in SI per area of copper (facts, 3.2; tuned to the source's efficiencies)."""

    efficiency: float  # of plating, CE
    spread: float  # standard deviation of it, cycle by cycle
    drift: float = 0.0  # lost per cycle after `onset`
    onset: int = 10**9
    late_spread: float = 0.0  # added to `spread` after `onset`
    resistance: float = 8.0 * OHM_CM2  # ohm m2, R0
    film_resistance: float = 20.0 * OHM_CM2  # ohm m2, Rf
    film_growth: float = 0.0  # of it per cycle
    exchange: float = 1.5 * MA_PER_CM2  # A/m2, j0
    nucleation: float = 0.06  # V
    nucleation_charge: float = 0.03 * MAH_PER_CM2  # C/m2
    coverage_charge: float = 0.02 * MAH_PER_CM2  # C/m2, m0: how sharp the end of stripping is
    # V of bare copper. Fresh cells show 2 V and more; these stay inside the windows of the reference
    # protocols (1.5 V, sodium 1.0 V), which rightly refuse a cell outside them.
    open_circuit: float = 1.0
    area: float = 1.131 * CM2


LI_CU: Mapping[str, LiCuParameters] = {
    "pp": LiCuParameters(0.95, 0.006, drift=8e-4, onset=40, late_spread=0.03, film_growth=0.02),
    "ti087o2": LiCuParameters(0.975, 0.002),
}
NA_CU: Mapping[str, LiCuParameters] = {
    "pp": LiCuParameters(0.96, 0.004, drift=5e-4, onset=40, late_spread=0.01, open_circuit=0.8),
    "ti087o2": LiCuParameters(0.988, 0.001, open_circuit=0.8),
}


class LiCuState(NamedTuple):
    """What the cell remembers, charges in C/m2 but for `charge` (coulomb)."""

    live: float  # metal that can be stripped
    passed: float  # in this half cycle
    film: float  # V of the copper above the metal's potential
    charge: float = 0.0
    direction: int = 0  # of the half cycle: -1 plates, 1 strips
    efficiencies: tuple[float, ...] = ()  # of each plating begun


class LiCu(EvolvingCell[LiCuState]):
    """Copper against lithium (or sodium); the voltage is copper's, plating is negative.

    Each plating draws its efficiency from the seed when it begins; that share of the charge can be
    stripped again, the rest is dead. A rest does not begin a half cycle. Bare copper stands at its
    open-circuit potential, copper with metal on it at 0 V.
    """

    def __init__(self, parameters: LiCuParameters, kind: str, variant: str, seed: int = 0) -> None:
        p = parameters
        resistance = (p.resistance + p.film_resistance) / p.area
        super().__init__(LiCuState(0.0, 0.0, p.open_circuit), variant, resistance, MA_PER_CM2 * p.area)
        self.kind = kind
        self.parameters = parameters
        self._seed = seed

    def advanced(self, state: LiCuState, amperes: float, seconds: float) -> LiCuState:
        p = self.parameters
        direction = _direction(amperes)
        if direction == 0:
            return self._rested(state, amperes * seconds, seconds)
        if direction != state.direction:
            state = self._begun(state, direction)
        moved = abs(amperes) * seconds / p.area
        if direction < 0:
            live = state.live + moved * state.efficiencies[-1]
            film = state.film * exp(-moved / _FILM_CHARGE)
        else:
            live, film = max(0.0, state.live - moved), state.film
        return LiCuState(
            live,
            state.passed + moved,
            film,
            state.charge + amperes * seconds,
            direction,
            state.efficiencies,
        )

    def voltage(self, state: LiCuState, amperes: float) -> float:
        p = self.parameters
        density = amperes / p.area
        ohmic = density * self._areal_resistance(state)
        direction = _direction(amperes)
        if direction < 0:
            passed = state.passed if state.direction < 0 else 0.0
            barrier = p.nucleation * exp(-passed / p.nucleation_charge)
            return ohmic + state.film - barrier + _KINETIC * asinh(density / (2.0 * p.exchange))
        if direction == 0:
            return ohmic + state.film
        return ohmic + min(_HIGHEST, state.film + self._stripping(state.live, density))

    def impedance(self, frequency: float) -> complex:
        """Return R0 + (Rf + charge transfer) beside the double layer; bare copper blocks."""
        p, state = self.parameters, self._state
        coverage = self._coverage(state.live)
        transfer = _KINETIC / (2.0 * p.exchange * coverage * coverage)
        arc = self._areal_resistance(state) - p.resistance + transfer
        return (p.resistance + arc / (1.0 + 1j * tau * frequency * _DOUBLE_LAYER * arc)) / p.area

    def truth(self) -> Mapping[str, Any]:
        p, state = self.parameters, self._state
        drawn = list(state.efficiencies)
        return {
            **super().truth(),
            "area": p.area,
            "coulombic_efficiency": drawn,
            "mean_coulombic_efficiency": sum(drawn) / len(drawn) if drawn else p.efficiency,
            "nucleation_overpotential": p.nucleation,
            "resistance": self._areal_resistance(state) / p.area,
            "live": state.live * p.area,
        }

    def _begun(self, state: LiCuState, direction: int) -> LiCuState:
        efficiencies = state.efficiencies
        if direction < 0:
            efficiencies = (*efficiencies, self._drawn(len(efficiencies) + 1))
        return state._replace(passed=0.0, direction=direction, efficiencies=efficiencies)

    def _drawn(self, cycle: int) -> float:
        """Return the efficiency of a cycle, from seed and number alone: restoring draws nothing anew."""
        p = self.parameters
        over = max(0, cycle - p.onset)
        sigma = p.spread + (p.late_spread if over else 0.0)
        drawn = p.efficiency - p.drift * over + Random(self._seed * 1_000_003 + cycle).gauss(0.0, sigma)
        return min(_BEST_EFFICIENCY, max(0.0, drawn))

    def _rested(self, state: LiCuState, coulombs: float, seconds: float) -> LiCuState:
        target = self.parameters.open_circuit * exp(-state.live / _TRACE)
        film = target + (state.film - target) * exp(-seconds / _DRIFT_TIME)
        return state._replace(film=film, charge=state.charge + coulombs)

    def _areal_resistance(self, state: LiCuState) -> float:
        p = self.parameters
        return p.resistance + p.film_resistance * (1.0 + p.film_growth * len(state.efficiencies))

    def _coverage(self, live: float) -> float:
        return max(_LEAST_COVERAGE, live / (live + self.parameters.coverage_charge))

    def _stripping(self, live: float, density: float) -> float:
        """Return the overpotential of stripping; some 3.3 V at 1 mA/cm2 once nothing is left."""
        coverage = self._coverage(live)
        rise = _EDGE_RISE * (1.0 - live / _EDGE) if live < _EDGE else 0.0
        return rise + _KINETIC * asinh(density / (2.0 * self.parameters.exchange * coverage * coverage))


def _direction(amperes: float) -> int:
    if abs(amperes) < _NO_CYCLE:
        return 0
    return 1 if amperes > 0.0 else -1
