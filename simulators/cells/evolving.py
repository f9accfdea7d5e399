"""A cell whose state is a value that a constant current moves on in closed form."""

from abc import abstractmethod
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import count as counting
from operator import mul
from typing import Any, Generic, NamedTuple, Protocol, TypeVar

from simulators.cells.base import Cell
from simulators.cells.root import rising_root

LARGEST = 1e6
"""Amperes and volts beyond which a drive is refused as a mistake: no formula here overflows below it."""

_FIRST_STEP = 10.0  # s
_SHORTEST_STEP = 1e-7  # s
_FINE_STEPS = 2000  # so many may be as short as they like; then `seconds` over so many is the least
_CHARGE_TOLERANCE = 5e-4  # of the charge of a sub-step, for the third-order estimate
_CURRENT_FLOOR = 1e-5  # of the typical current: below it nobody could measure


class State(Protocol):
    """A named tuple of what a cell remembers; `charge` is the net charge passed in coulombs."""

    @property
    def charge(self) -> float: ...

    def __iter__(self) -> Iterator[Any]: ...


_THIRD_ORDER = (1 / 2, -4.0, 9 / 2)  # of one, two and three steps: each n^2 / product of (n - other)
_FOURTH_ORDER = (-1 / 6, 4.0, -27 / 2, 32 / 3)  # of one to four: each n^3 / product of (n - other)

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

        Each is done as one to four constant currents that land on the voltage at their ends, which
        is stable for any length; extrapolated to none, that is right to fourth order. What the
        third order differs by judges the length.
        """
        left, step, state, amperes = seconds, min(seconds, _FIRST_STEP), start, 0.0
        for count in counting(1):
            shortest = _SHORTEST_STEP if count <= _FINE_STEPS else seconds / _FINE_STEPS
            step = min(max(step, shortest), left)
            tries = [self._stairs(state, volts, step, steps, amperes) for steps in (1, 2, 3, 4)]
            after = _extrapolated([landing.state for landing in tries])
            third = sum(w * t.state.charge for w, t in zip(_THIRD_ORDER, tries, strict=False))
            error = abs(after.charge - third)
            allowed = _CHARGE_TOLERANCE * abs(after.charge - state.charge)
            allowed += _CURRENT_FLOOR * self._typical_current * step
            if error <= allowed or step <= shortest:
                state, amperes, left = after, tries[-1].amperes, left - step
                if left <= 0.0:
                    break
            growth = 0.9 * (allowed / error) ** (1.0 / 3.0) if error > 0.0 else 5.0
            step *= min(5.0, max(0.1, growth))
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


def _extrapolated(tries: Sequence[S]) -> S:
    """Return what one to four steps tend to, number by number; the last where a count differs.

    Then one of them began a half cycle that another did not.
    """
    last = tries[-1]
    if any(_counts(state) != _counts(last) for state in tries):
        return last
    make: Callable[..., S] = type(last)
    return make(*[_blend(values) for values in zip(*tries, strict=True)])


def _counts(state: Iterable[Any]) -> list[int]:
    """Return what cannot be blended: counts themselves, and the lengths of tuples."""
    return [
        len(value) if isinstance(value, tuple) else value for value in state if isinstance(value, tuple | int)
    ]


def _blend(values: Sequence[Any]) -> Any:
    last = values[-1]
    if isinstance(last, float):
        return sum(map(mul, _FOURTH_ORDER, values))
    if isinstance(last, tuple):
        return tuple([sum(map(mul, _FOURTH_ORDER, each)) for each in zip(*values, strict=True)])
    return last
