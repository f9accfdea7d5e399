"""A generic lithium-ion coin cell."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from math import ceil, exp, tanh, tau
from typing import Any, NamedTuple

from simulators.cells.evolving import EvolvingCell
from simulators.cells.thermal import ThermalNode, arrhenius
from simulators.cells.units import CM2, MAH
from simulators.cells.voigt import Ladder, Voigt, Voltages, warburg

_LONGEST_STEP = 10.0  # s: self-heating is of second order in it
_FASTEST = 1e-2  # s, down to which the Warburg element is followed
_FULL_CYCLE = 2.0  # capacities
_LEAST_CAPACITY = 0.01
_BEYOND = 1.5  # V: how much further the voltage goes, at most, when over-driven
_REVERSIBLE = 0.2  # beyond -0.2 and 1.2 charge goes into side reactions
_MOST_HEATING = 200.0  # K
_INDUCTANCE = 0.5e-6  # H


@dataclass(frozen=True, slots=True)
class LiIonParameters:
    """One parameter set, in SI; all assumed. 2.8 to 4.2 V, slowly, is 2.98 mAh of the 3.1 mAh here."""

    capacity: float = 3.1 * MAH  # C between 0 and 1
    resistance: float = 8.0  # ohm
    arcs: tuple[Voigt, ...] = (Voigt(6.0, 0.02), Voigt(8.0, 1.0))
    diffusion_resistance: float = 15.0  # ohm
    diffusion_time: float = 150.0  # s
    efficiency: float = 0.9995  # of charging
    fade_cycle: float = 2e-4  # per full cycle
    activation: float = 30e3  # J/mol of every resistance
    area: float = 1.54 * CM2
    thermal: ThermalNode = field(default_factory=ThermalNode)

    def scaled(self, factor: float) -> "LiIonParameters":
        """Return the set of a cell `factor` times as large: so much more capacity, so much less resistance.

        What it loses per cycle, how warm it gets at a C-rate, and every time constant are the same.
        """
        return replace(
            self,
            capacity=self.capacity * factor,
            area=self.area * factor,
            resistance=self.resistance / factor,
            arcs=tuple(Voigt(arc.resistance / factor, arc.time) for arc in self.arcs),
            diffusion_resistance=self.diffusion_resistance / factor,
            thermal=ThermalNode(self.thermal.capacity * factor, self.thermal.resistance / factor),
        )


LI_ION: Mapping[str, LiIonParameters] = {"generic": LiIonParameters()}


class LiIonState(NamedTuple):
    """What the cell remembers: state of charge, ladder, kelvins above ambient, charges in coulombs."""

    level: float
    voltages: Voltages
    excess: float = 0.0
    throughput: float = 0.0
    charge: float = 0.0


class LiIon(EvolvingCell[LiIonState]):
    """An open-circuit curve behind R0, two arcs and a Warburg element, all thermally activated.

    `ambient` (degrees Celsius) may be changed at any time; `temperature` follows it and the
    cell's own heat.
    """

    kind = "li_ion"

    def __init__(
        self,
        parameters: LiIonParameters,
        variant: str = "generic",
        state_of_charge: float = 0.5,
        ambient: float = 25.0,
    ) -> None:
        p = parameters
        self.parameters = p
        self._ladder = Ladder(
            [*p.arcs, *warburg(p.diffusion_resistance, p.diffusion_time, _FASTEST, exact=6)]
        )
        self._thermal = p.thermal
        super().__init__(
            LiIonState(state_of_charge, self._ladder.at_rest), variant, p.resistance, p.capacity / 3600.0
        )
        self.ambient = ambient
        self.temperature = ambient

    def drive_current(self, amperes: float, seconds: float) -> float:
        volts = super().drive_current(amperes, seconds)
        self.temperature = self.ambient + self._state.excess
        return volts

    def drive_voltage(self, volts: float, seconds: float) -> float:
        amperes = super().drive_voltage(volts, seconds)
        self.temperature = self.ambient + self._state.excess
        return amperes

    def restore(self, state: LiIonState) -> None:
        super().restore(state)
        self.temperature = self.ambient + state.excess

    def advanced(self, state: LiIonState, amperes: float, seconds: float) -> LiIonState:
        if seconds <= _LONGEST_STEP:
            return self._stepped(state, amperes, seconds)
        steps = ceil(seconds / _LONGEST_STEP)
        for _ in range(steps):
            state = self._stepped(state, amperes, seconds / steps)
        return state

    def voltage(self, state: LiIonState, amperes: float) -> float:
        ohmic = self.parameters.resistance * self._activation(state) * amperes
        return open_circuit_voltage(state.level) + ohmic + sum(state.voltages)

    def impedance(self, frequency: float) -> complex:
        state, p = self._state, self.parameters
        s = 1j * tau * frequency
        lagging = p.resistance + self._ladder.impedance(tau * frequency)
        storage = open_circuit_slope(state.level) / (s * self._capacity(state.throughput))
        return s * _INDUCTANCE + self._activation(state) * lagging + storage

    def truth(self) -> Mapping[str, Any]:
        p, state = self.parameters, self._state
        return {
            **super().truth(),
            "area": p.area,
            "capacity": self._capacity(state.throughput),
            "coulombic_efficiency": p.efficiency,
            "resistance": p.resistance,
            "direct_resistance": p.resistance + self._ladder.resistance,
            "state_of_charge": state.level,
        }

    def _stepped(self, state: LiIonState, amperes: float, seconds: float) -> LiIonState:
        p = self.parameters
        moved = abs(amperes) * seconds
        active = self._activation(state)
        voltages = self._ladder.relaxed(state.voltages, amperes * active, seconds)
        lost = amperes * p.resistance * active + (sum(state.voltages) + sum(voltages)) / 2.0
        stored = amperes * seconds * (p.efficiency if amperes > 0.0 else 1.0)
        level = state.level + stored / self._capacity(state.throughput + moved / 2.0)
        return LiIonState(
            min(1.0 + _REVERSIBLE, max(-_REVERSIBLE, level)),
            voltages,
            min(_MOST_HEATING, self._thermal.warmed(state.excess, amperes * lost, seconds)),
            state.throughput + moved,
            state.charge + amperes * seconds,
        )

    def _activation(self, state: LiIonState) -> float:
        return arrhenius(self.ambient + state.excess, self.parameters.activation)

    def _capacity(self, throughput: float) -> float:
        p = self.parameters
        left = 1.0 - p.fade_cycle * throughput / (_FULL_CYCLE * p.capacity)
        return p.capacity * max(_LEAST_CAPACITY, left)


def open_circuit_voltage(level: float) -> float:
    """Return U in volts: 2.43 V at 0, 4.28 V at 1, rising throughout; at most 1.5 V more outside."""
    x = min(1.0, max(0.0, level))
    volts = 3.37 + 0.72 * x + 0.05 * tanh((x - 0.35) / 0.08) + 0.04 * tanh((x - 0.75) / 0.1)
    volts += 0.10 * exp((x - 1.0) / 0.02) - 0.85 * exp(-x / 0.025)
    if level < 0.0:
        return volts - _BEYOND * (1.0 - exp(level / 0.05))
    if level > 1.0:
        return volts + _BEYOND * (1.0 - exp((1.0 - level) / 0.2))
    return volts


def open_circuit_slope(level: float) -> float:
    """Return dU/d(level) in volts."""
    return (open_circuit_voltage(level + 1e-5) - open_circuit_voltage(level - 1e-5)) / 2e-5
