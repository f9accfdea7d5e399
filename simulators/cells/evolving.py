"""A cell whose state is a value that a constant current moves on in closed form."""

from abc import abstractmethod
from collections.abc import Callable, Iterator, Mapping
from math import sqrt
from typing import Any, Generic, NamedTuple, Protocol, TypeVar

from simulators.cells.base import Cell
from simulators.cells.root import rising_root

LARGEST = 1e6
"""Amperes and volts beyond which a drive is refused as a mistake: no formula here overflows below it."""

_FIRST_STEP = 10.0  # s
_SHORTEST_STEP = 1e-7  # s
_CHARGE_TOLERANCE = 5e-4  # of the charge of a sub-step, for the second-order estimate
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
        guess = 0.0
        if seconds > 0.0:
            self._state, guess = self._held(self._state, volts, seconds)
        return self._instantaneous_current(self._state, volts, guess)

    def charge_passed(self) -> float:
        return self._state.charge

    def state(self) -> S:
        return self._state

    def restore(self, state: S) -> None:
        self._state = state

    def truth(self) -> Mapping[str, Any]:
        return {"kind": self.kind, "variant": self.variant}

    def _instantaneous_current(self, state: S, volts: float, guess: float = 0.0) -> float:
        return rising_root(lambda amperes: self.voltage(state, amperes) - volts, guess, self._resistance)

    def _held(self, start: S, volts: float, seconds: float) -> Landing[S]:
        """Hold a voltage in sub-steps short enough that neither their number nor `seconds` shows.

        Each is done as one, two and three constant currents that land on the voltage at their ends,
        which is stable for any length; extrapolated to none, that is right to third order. What
        the second order differs by judges the length.
        """
        left, step, state, amperes = seconds, min(seconds, _FIRST_STEP), start, 0.0
        while left > 0.0:
            step = min(step, left)
            one, two, three = (self._stairs(state, volts, step, count, amperes) for count in (1, 2, 3))
            after = _extrapolated(one.state, two.state, three.state)
            error = abs(after.charge - (2.0 * two.state.charge - one.state.charge))
            allowed = _CHARGE_TOLERANCE * abs(after.charge - state.charge)
            allowed += _CURRENT_FLOOR * self._typical_current * step
            if error <= allowed or step <= _SHORTEST_STEP:
                state, amperes, left = after, three.amperes, left - step
            growth = 0.9 * sqrt(allowed / error) if error > 0.0 else 5.0
            step = max(_SHORTEST_STEP, step * min(5.0, max(0.1, growth)))
        return Landing(state, amperes)

    def _stairs(self, state: S, volts: float, seconds: float, count: int, amperes: float) -> Landing[S]:
        """Land on the voltage `count` times in `seconds`."""
        landing = Landing(state, amperes)
        for _ in range(count):
            landing = self._landed(landing.state, volts, seconds / count, landing.amperes)
        return landing

    def _landed(self, state: S, volts: float, seconds: float, guess: float) -> Landing[S]:
        """Return the constant current after which the cell stands at `volts`, and the state then."""

        def above(amperes: float) -> float:
            return self.voltage(self.advanced(state, amperes, seconds), amperes) - volts

        amperes = rising_root(above, guess, self._resistance)
        return Landing(self.advanced(state, amperes, seconds), amperes)


def _extrapolated(one: S, two: S, three: S) -> S:
    """Return what one, two and three steps tend to, number by number: (9 three - 8 two + one) / 2.

    `three` alone where a count differs: one of them began a half cycle, another did not.
    """
    fields = list(zip(one, two, three, strict=True))
    if any(_counted(a) != _counted(c) or _counted(b) != _counted(c) for a, b, c in fields):
        return three
    make: Callable[..., S] = type(three)
    return make(*[_blend(a, b, c) for a, b, c in fields])


def _counted(value: Any) -> int:
    """Return what cannot be blended: a count itself, the length of a tuple."""
    if isinstance(value, tuple):
        return len(value)
    return value if isinstance(value, int) else 0


def _blend(one: Any, two: Any, three: Any) -> Any:
    if isinstance(three, float):
        return 4.5 * three - 4.0 * two + 0.5 * one
    if isinstance(three, tuple):
        return tuple([4.5 * c - 4.0 * b + 0.5 * a for a, b, c in zip(one, two, three, strict=True)])
    return three
