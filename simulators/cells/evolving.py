"""A cell whose state is a value that a constant current moves on in closed form."""

from abc import abstractmethod
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Generic, NamedTuple, Protocol, TypeVar

from simulators.cells.base import Cell
from simulators.cells.root import rising_root

LARGEST = 1e6
"""Amperes and volts beyond which a drive is refused as a mistake: no formula here overflows below it."""

_FIRST_STEP = 0.05  # seconds; a voltage has usually just jumped
_SHORTEST_STEP = 1e-7
_CHARGE_TOLERANCE = 5e-3  # of the charge of a sub-step, before the extrapolation that squares the error
_CURRENT_FLOOR = 1e-5  # of the typical current: below it nobody could measure


class State(Protocol):
    """A named tuple of what a cell remembers; `charge` is the net charge passed in coulombs."""

    @property
    def charge(self) -> float: ...

    def __iter__(self) -> Iterator[Any]: ...


S = TypeVar("S", bound=State)


class Landing(NamedTuple, Generic[S]):
    """Where a constant current has led."""

    state: S
    amperes: float


def check_drive(name: str, value: float, seconds: float) -> None:
    """Refuse what no instrument could do; raises ValueError."""
    if not -LARGEST <= value <= LARGEST:  # written so that NaN is outside
        raise ValueError(f"{name} {value:g} is outside {-LARGEST:g} to {LARGEST:g}")
    if not 0.0 <= seconds <= 1e12:
        raise ValueError(f"a step of {seconds:g} s; wanted 0 to 1e12 s")


class EvolvingCell(Cell, Generic[S]):
    """A cell given by two pure functions of its state; the rest of the contract follows from them."""

    kind: str

    def __init__(self, state: S, variant: str, resistance: float, typical_current: float) -> None:
        self._state = state
        self.variant = variant
        self._resistance = resistance
        self._typical_current = typical_current

    @abstractmethod
    def advanced(self, state: S, amperes: float, seconds: float) -> S:
        """Return the state after a constant current, the same however `seconds` is cut up."""

    @abstractmethod
    def voltage(self, state: S, amperes: float) -> float:
        """Return the instantaneous terminal voltage; it rises with the current."""

    def drive_current(self, amperes: float, seconds: float) -> float:
        check_drive("current", amperes, seconds)
        if seconds > 0.0:
            self._state = self.advanced(self._state, amperes, seconds)
        return self.voltage(self._state, amperes)

    def drive_voltage(self, volts: float, seconds: float) -> float:
        check_drive("voltage", volts, seconds)
        if seconds > 0.0:
            self._state = self._held(self._state, volts, seconds)
        return self._instantaneous_current(self._state, volts)

    def charge_passed(self) -> float:
        return self._state.charge

    def state(self) -> S:
        return self._state

    def restore(self, state: S) -> None:
        self._state = state

    def truth(self) -> Mapping[str, Any]:
        return {"kind": self.kind, "variant": self.variant}

    def _instantaneous_current(self, state: S, volts: float) -> float:
        return rising_root(lambda amperes: self.voltage(state, amperes) - volts, 0.0, self._resistance)

    def _held(self, state: S, volts: float, seconds: float) -> S:
        """Hold a voltage in sub-steps short enough that neither their number nor `seconds` shows.

        Each is one constant current that lands on the voltage at its end (stable for any length),
        done once whole and once in halves: the difference judges the length, and twice the halves
        less the whole is right to second order.
        """
        left, step, amperes = seconds, _FIRST_STEP, 0.0
        while left > 0.0:
            step = min(step, left)
            coarse = self._landed(state, volts, step, amperes)
            half = self._landed(state, volts, step / 2.0, coarse.amperes)
            fine = self._landed(half.state, volts, step / 2.0, half.amperes)
            error = abs(fine.state.charge - coarse.state.charge)
            allowed = _CHARGE_TOLERANCE * abs(fine.state.charge - state.charge)
            allowed += _CURRENT_FLOOR * self._typical_current * step
            growth = min(5.0, 0.9 * allowed / error) if error > 0.0 else 5.0
            if error <= allowed or step <= _SHORTEST_STEP:
                state, amperes = extrapolated(coarse.state, fine.state), fine.amperes
                left -= step
            step = max(_SHORTEST_STEP, step * max(0.2, growth))
        return state

    def _landed(self, state: S, volts: float, seconds: float, guess: float) -> Landing[S]:
        """Return the constant current after which the cell stands at `volts`, and the state then."""

        def above(amperes: float) -> float:
            return self.voltage(self.advanced(state, amperes, seconds), amperes) - volts

        amperes = rising_root(above, guess, self._resistance)
        return Landing(self.advanced(state, amperes, seconds), amperes)


def extrapolated(coarse: S, fine: S) -> S:
    """Return Richardson's 2 fine - coarse of every real number; `fine` alone where a count differs."""
    pairs = list(zip(coarse, fine, strict=True))
    if any(isinstance(f, int) and c != f for c, f in pairs):  # one began a half cycle, the other did not
        return fine
    make: Callable[..., S] = type(fine)
    return make(*[_blend(c, f) for c, f in pairs])


def _blend(coarse: Any, fine: Any) -> Any:
    if isinstance(fine, float):
        return 2.0 * fine - coarse
    if isinstance(fine, tuple) and len(fine) == len(coarse):
        return tuple([2.0 * f - c for c, f in zip(coarse, fine, strict=True)])
    return fine
