"""A cell whose physics is PyBaMM's: an independent one to hold our own, and the service, against.

Needs PyBaMM, which is large and loaded only when such a cell is asked for. Parameters are those of
Chen et al., J. Electrochem. Soc. 167 (2020) 080534, an LG M50, its electrodes cut down to a coin.
"""

import warnings
from collections.abc import Mapping
from typing import Any, NamedTuple

import pybamm

from simulators.cells.base import Cell
from simulators.cells.units import MAH

CURRENT, VOLTAGE = "Current function [A]", "Voltage [V]"
LOWEST, HIGHEST = 0.5, 6.0  # V: where the model no longer holds; the cell stands there
_PROBE = 1e-3  # s: long enough for a solver to begin
_TICK = 1e-8  # s: what a day of seconds resolves
_LONGEST_HOLD = 10.0  # s over which the current of a held voltage is taken as one
_MOST_C = 20.0  # rate beyond which no current is looked for
_CLOSE = 1e-7  # V


class PybammState(NamedTuple):
    """Where the model stands, and the charge that has passed in coulombs."""

    solution: Any
    charge: float


class PybammCell(Cell):
    """A lithium-ion coin cell, `SPM`, `SPMe` or `DFN`; isothermal at 25 °C.

    Charge beyond the model's range (0.5 to 6 V) passes without changing it.
    """

    def __init__(self, model: str = "SPM", capacity: float = 3.0 * MAH, state_of_charge: float = 0.5) -> None:
        pybamm.set_logging_level("ERROR")
        self._model = model
        self._capacity = capacity
        self._begun = state_of_charge
        self._parameters = _parameters(capacity)
        self._simulation = pybamm.Simulation(
            getattr(pybamm.lithium_ion, model)(),
            parameter_values=self._parameters,
            solver=pybamm.IDAKLUSolver(rtol=1e-7, atol=1e-8),
        )
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            self._simulation.build(initial_soc=state_of_charge, inputs={CURRENT: 0.0})
        self._now = PybammState(None, 0.0)
        self._latest = 0.0  # amperes at which a held voltage was found last
        self._spectra: dict[float, Any] = {}

    def drive_current(self, amperes: float, seconds: float) -> float:
        if seconds <= 0.0:
            return self._probed(amperes)
        solution, volts = self._stepped(amperes, seconds)
        self._now = PybammState(solution, self._now.charge + amperes * seconds)
        return volts

    def drive_voltage(self, volts: float, seconds: float) -> float:
        while seconds > 0.0:
            piece = min(seconds, _LONGEST_HOLD)
            amperes = self._found(volts, piece)
            self.drive_current(amperes, piece)
            seconds -= piece
        return self._found(volts, 0.0)

    def charge_passed(self) -> float:
        return self._now.charge

    def impedance(self, frequency: float) -> complex:
        """Return Z at the present state of charge, in hundredths, at equilibrium."""
        level = min(max(round(self._begun + self._now.charge / self._capacity, 2), 0.01), 0.99)
        if level not in self._spectra:
            model = getattr(pybamm.lithium_ion, self._model)(options={"surface form": "differential"})
            self._spectra[level] = pybamm.EISSimulation(
                model, parameter_values=_parameters(self._capacity, 0.0)
            )
        found = self._spectra[level].solve([frequency], initial_soc=level)
        return complex(found.impedance[0])

    def state(self) -> PybammState:
        return self._now

    def restore(self, state: PybammState) -> None:
        self._now = state

    def truth(self) -> Mapping[str, Any]:
        return {
            "kind": "pybamm",
            "variant": self._model.casefold(),
            "parameters": "Chen2020",
            "pybamm": pybamm.__version__,
            "capacity": self._capacity,
            "area": float(self._parameters["Electrode height [m]"] * self._parameters["Electrode width [m]"]),
            "state_of_charge": self._begun,
        }

    def _stepped(self, amperes: float, seconds: float) -> tuple[Any, float]:
        """Return where the model stands after `seconds` of a current, and the voltage there.

        Where its range ends on the way it stays just inside, and the voltage is that of the end.
        """
        after = self._solved(amperes, seconds)
        lasted = 0.0 if after is None else float(after.t[-1]) - self._time()
        if after is not None and lasted >= seconds * (1 - 1e-6) - _TICK:
            return after, _within(float(after[VOLTAGE].entries[-1]))
        short = 0.999 * lasted
        inside = self._solved(amperes, short) if short > _PROBE else None
        return self._now.solution if inside is None else inside, self._end(amperes)

    def _probed(self, amperes: float) -> float:
        """Return the voltage at once with a current."""
        after = self._solved(amperes, _PROBE)
        if after is None:
            return self._end(amperes)
        return _within(float(after[VOLTAGE].entries[0]))

    def _solved(self, amperes: float, seconds: float) -> Any:
        """Return PyBaMM's solution, which an event may have cut short; None where it has none at all."""
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # of an event: the model's range ends there
                return self._simulation.step(
                    seconds, save=False, starting_solution=self._now.solution, inputs={CURRENT: -amperes}
                )
        except (pybamm.SolverError, ValueError, OverflowError):  # already at the end of its range
            return None

    def _end(self, amperes: float) -> float:
        """Return the voltage at the end of the range to which the current leads; without one, the present."""
        if amperes == 0.0 and self._now.solution is not None:
            return _within(float(self._now.solution[VOLTAGE].entries[-1]))
        return HIGHEST if amperes > 0.0 else LOWEST

    def _time(self) -> float:
        return 0.0 if self._now.solution is None else float(self._now.solution.t[-1])

    def _found(self, volts: float, seconds: float) -> float:
        """Return the current that leads to a voltage after `seconds`, or at once; a secant, kept in bounds.

        The voltage only grows with the current, so that a bracket is closed around the answer.
        """

        def miss(amperes: float) -> float:
            found = self._stepped(amperes, seconds)[1] if seconds > 0.0 else self._probed(amperes)
            return found - volts

        most = _MOST_C * self._capacity / 3600.0
        low, high = -most, most
        before, at = self._latest - 1e-3 * most, self._latest
        missed, misses = miss(before), miss(at)
        for _ in range(60):
            low, high = (max(low, at), high) if misses < 0.0 else (low, min(high, at))
            slope = (misses - missed) / (at - before) if at != before else 0.0
            aimed = at - misses / slope if slope > 0.0 else 0.5 * (low + high)
            if not low < aimed < high:
                aimed = 0.5 * (low + high)
            if abs(misses) < _CLOSE or high - low < 1e-12 * most:
                break
            before, missed, at = at, misses, aimed
            misses = miss(at)
        self._latest = at
        return at


def _within(volts: float) -> float:
    return min(max(volts, LOWEST), HIGHEST)


def _parameters(capacity: float, current: float | str = "[input]") -> Any:
    """Return the parameters with electrodes cut to a capacity, and no end of discharge of the model's own."""
    found = pybamm.ParameterValues("Chen2020")
    share = capacity / 3600.0 / float(found["Nominal cell capacity [A.h]"])
    found.update(
        {
            "Electrode height [m]": share * float(found["Electrode height [m]"]),
            "Nominal cell capacity [A.h]": capacity / 3600.0,
            CURRENT: current,
            "Lower voltage cut-off [V]": LOWEST,
            "Upper voltage cut-off [V]": HIGHEST,
        }
    )
    return found
