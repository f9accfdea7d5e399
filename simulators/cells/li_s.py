"""A lithium-sulfur cell, and by scaling lithium- and sodium-selenium."""

from cmath import sqrt as complex_sqrt
from cmath import tanh as complex_tanh
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from math import exp, pi, tau
from typing import Any, NamedTuple

from simulators.cells.evolving import EvolvingCell
from simulators.cells.half_cycle import half_cycle
from simulators.cells.plateaus import UPPER, plateau_slope, plateau_voltage
from simulators.cells.two_wells import TwoWells, Wells

_CHARGED, _DISCHARGED = 2.8, 1.7  # V, the source's window
_BRANCH_SHARE = 0.04  # of the capacity until the other branch of the hysteresis is reached
_SLOW_SHARE = 0.3  # of the ohmic resistance comes again as a slow polarisation
_SLOW_TIME = 40.0  # s
_FULL_CYCLE = 2.0 * 0.8  # of the capacity is what a full cycle moves, for counting cycles by charge
_LEAST_CAPACITY = 0.01  # of the first: fade ends there
_REVERSIBLE = 0.2  # beyond -0.2 and 1.2 charge goes into side reactions, not into the electrode
_NO_CYCLE = 1e-9  # A: a smaller current begins no half cycle


@dataclass(frozen=True, slots=True)
class LiSParameters:
    """One parameter set, in SI (facts, 3.1). Capacities are per kilogram of active material."""

    capacity: float  # C/kg
    share: float  # of the capacity that is at hand at once, c
    exchange: float  # 1/s between the wells, k
    resistance: float  # ohm m2
    shuttle: float  # 1/s, ks
    break_in: float = 0.0  # A: lost for good over the first cycles
    break_in_cycles: float = 30.0
    fade_time: float = 0.0  # a, 1/s
    fade_cycle: float = 0.0  # b, per cycle
    theoretical_capacity: float = 1675.0 * 3600.0  # C/kg, what 1 C is counted from
    active_mass: float = 1.70e-6  # kg
    area: float = 1.131e-4  # m2
    cycled_at: float = 0.2  # C-rate of the periodic state a new cell is in
    voltage_shift: float = 0.0  # V, of the sulfur plateaus for other chemistries

    def fresh(self) -> "LiSParameters":
        """Return the set as it would be if nothing faded."""
        return replace(self, break_in=0.0, fade_time=0.0, fade_cycle=0.0)


class LiSState(NamedTuple):
    """What the cell remembers. `branch` is 1 on discharge; charges are in coulombs."""

    stored: float
    lag: float
    branch: float = 1.0
    polarisation: float = 0.0  # V
    throughput: float = 0.0
    age: float = 0.0  # s
    charge: float = 0.0
    passed: float = 0.0  # in this half cycle, a magnitude
    direction: int = 0
    delivered: tuple[float, ...] = ()  # by each discharge that is over


class LiS(EvolvingCell[LiSState]):
    """Two wells of charge behind the sulfur plateaus, with shuttle, fade and ohmic drop.

    Starts charged and in the periodic state of cycling at `precondition` (a C-rate; the set's own,
    mostly 0.2, unless told), its fade not yet begun: the first discharge is then what the source
    calls the first cycle. 0 starts rested with both wells full, whose first discharge is larger.
    Until the first current nothing shuttles: in a cell just made the sulfur is still solid.
    """

    def __init__(
        self,
        parameters: LiSParameters,
        kind: str = "li_s",
        variant: str = "pp",
        precondition: float | None = None,
    ) -> None:
        p = parameters
        one_c = p.theoretical_capacity * p.active_mass / 3600.0
        resistance = p.resistance / p.area
        rate = p.cycled_at if precondition is None else precondition
        start = _periodic(p.fresh(), rate * one_c) if rate > 0.0 else LiSState(1.0, 0.0)
        super().__init__(start, variant, resistance, 0.2 * one_c)
        self.kind = kind
        self.parameters = parameters
        self._wells = TwoWells(p.share, p.exchange, p.shuttle, UPPER)
        self._untouched = TwoWells(p.share, p.exchange, 0.0, UPPER)
        self._first_capacity = p.capacity * p.active_mass

    def capacity(self, throughput: float, age: float) -> float:
        """Return Qn in coulombs after a throughput (C) and an age (s)."""
        p = self.parameters
        cycles = throughput / (_FULL_CYCLE * self._first_capacity)
        left = 1.0 - p.fade_time * age - p.fade_cycle * cycles
        if p.break_in:
            left -= p.break_in * (1.0 - exp(-cycles / p.break_in_cycles))
        return self._first_capacity * (left if left > _LEAST_CAPACITY else _LEAST_CAPACITY)

    def advanced(self, state: LiSState, amperes: float, seconds: float) -> LiSState:
        stored, lag, branch, polarisation, throughput, age, charge, _, before, _ = state
        moved = abs(amperes) * seconds
        # Fade is slow: with the capacity of mid-step the error is of second order in it.
        capacity = self.capacity(throughput + moved / 2.0, age + seconds / 2.0)
        untouched = before == 0 and moved < _NO_CYCLE * seconds
        model = self._untouched if untouched else self._wells
        stored, lag = model.drained(Wells(stored, lag), -amperes / capacity, seconds)
        decay = exp(-seconds / _SLOW_TIME)
        slow = _SLOW_SHARE * self._resistance * amperes
        if moved:
            stays = exp(-moved / (_BRANCH_SHARE * capacity))
            branch = branch * stays + (stays - 1.0 if amperes > 0.0 else 1.0 - stays)
        passed, direction, delivered = _half_cycles(state, amperes)
        if not (-_REVERSIBLE <= stored <= 1.0 + _REVERSIBLE and -1.0 <= lag <= 1.0):
            stored = min(1.0 + _REVERSIBLE, max(-_REVERSIBLE, stored))
            lag = min(1.0, max(-1.0, lag))
        return LiSState(
            stored,
            lag,
            branch,
            polarisation * decay + slow * (1.0 - decay),
            throughput + moved,
            age + seconds,
            charge + amperes * seconds,
            passed + moved,
            direction,
            delivered,
        )

    def voltage(self, state: LiSState, amperes: float) -> float:
        stored, lag, branch, polarisation, *_ = state
        return (
            plateau_voltage(stored + lag / self._wells.share, branch)
            + self.parameters.voltage_shift
            + amperes * self._resistance
            + polarisation
        )

    def impedance(self, frequency: float) -> complex:
        """Return R + two ZARCs + Warburg + the wells' own capacitance.

        The time domain takes the first three as one ohmic resistance, being faster than a second,
        and the Warburg as its slowest pair; the wells are the very same.
        """
        state, p = self._state, self.parameters
        s = 1j * tau * frequency
        r = self._resistance
        fast = 0.15 * r + _zarc(s, 0.35 * r, 1e-3, 0.85) + _zarc(s, 0.50 * r, 2e-2, 0.80)
        root = complex_sqrt(s * _SLOW_TIME * pi**2 / 4.0)
        warburg = _SLOW_SHARE * r * complex_tanh(root) / root if abs(root) < 300.0 else _SLOW_SHARE * r / root
        slope = plateau_slope(state.stored + state.lag / p.share, state.branch)
        wells = 1.0 / s + (1.0 - p.share) / p.share / (s + p.exchange)
        return fast + warburg + slope / self.capacity(state.throughput, state.age) * wells

    def truth(self) -> Mapping[str, Any]:
        """Return what was put in; `delivered` is the charge of each discharge, in coulombs."""
        state, p = self._state, self.parameters
        running = (state.passed,) if state.direction < 0 else ()
        return {
            **super().truth(),
            "area": p.area,
            "active_mass": p.active_mass,
            "theoretical_capacity": p.theoretical_capacity * p.active_mass,
            "reversible_capacity": self._first_capacity,
            "capacity": self.capacity(state.throughput, state.age),
            "resistance": self._resistance,
            "shuttle": p.shuttle,
            "delivered": [*state.delivered, *running],
        }


def _half_cycles(state: LiSState, amperes: float) -> tuple[float, int, tuple[float, ...]]:
    """Return charge passed, direction and ledger as a current of this sign finds them."""
    direction = 0 if abs(amperes) < _NO_CYCLE else 1 if amperes > 0.0 else -1
    if direction in (0, state.direction):
        return state.passed, state.direction, state.delivered
    if state.direction < 0:
        return 0.0, direction, (*state.delivered, state.passed)
    return 0.0, direction, state.delivered


def _zarc(s: complex, resistance: float, time: float, exponent: float) -> complex:
    return resistance / (1.0 + (s * time) ** exponent)


@lru_cache(maxsize=64)
def _periodic(fresh: LiSParameters, amperes: float) -> LiSState:
    """Return the charged state that cycling without fade comes back to; the third cycle is there."""
    cell = LiS(fresh, precondition=0.0)
    for _ in range(3):
        half_cycle(cell, -amperes, _DISCHARGED + fresh.voltage_shift, step=60.0)
        half_cycle(cell, amperes, _CHARGED + fresh.voltage_shift, step=60.0)
    end = cell.state()
    return LiSState(end.stored, end.lag, end.branch, end.polarisation)
