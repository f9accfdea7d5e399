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
_SMOOTH = 1e-3  # of it: one and two steps this near need no third
_STEADY = 1e-3  # of the current: a step in which it changes less needs no sub-steps
_CURRENT_FLOOR = 1e-5  # of the typical current: below it nobody could measure


class State(Protocol):
    """A named tuple of what a cell remembers; `charge` is the net charge passed in coulombs."""

    @property
    def charge(self) -> float: ...

    def __iter__(self) -> Iterator[Any]: ...


# Weights of one, two, ... steps: of n steps n^(m-1) over the product of (n - other), m steps being the most.
_SECOND_ORDER = (-1.0, 2.0)
_THIRD_ORDER = (1 / 2, -4.0, 9 / 2, 0.0)
_FOURTH_ORDER = (-1 / 6, 4.0, -27 / 2, 32 / 3)

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
        amperes = self._instantaneous_current(self._state, volts)
        if seconds > 0.0:
            self._state, guess = self._held(Landing(self._state, amperes), volts, seconds)
            amperes = self._instantaneous_current(self._state, volts, guess)
        return amperes

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

    def _held(self, start: Landing[S], volts: float, seconds: float) -> Landing[S]:
        """Hold a voltage in sub-steps short enough that neither their number nor `seconds` shows."""
        left, step, here = seconds, min(seconds, _FIRST_STEP), start
        for count in counting(1):
            shortest = _SHORTEST_STEP if count <= _FINE_STEPS else seconds / _FINE_STEPS
            step = min(max(step, shortest), left)
            after, excess = self._substep(here, volts, step)
            if excess <= 1.0 or step <= shortest:
                here, left = after, left - step
                if left <= 0.0:
                    break
            step *= min(5.0, max(0.1, 0.9 * excess ** (-1.0 / 3.0))) if excess > 0.0 else 5.0
        return here

    def _substep(self, here: Landing[S], volts: float, step: float) -> tuple[Landing[S], float]:
        """Return where `step` leads, and its error in units of what is allowed.

        It is done as one to four constant currents that land on the voltage at their ends, which is
        stable for any length; extrapolated to none, that is right to fourth order. What the third
        order differs by is the error. Where one and two hardly differ, the second order will do; where
        the current hardly changes, the mean of its first and its last is of second order as well.
        """
        once = self._stairs(here, volts, step, 1)
        floor = _CURRENT_FLOOR * self._typical_current
        if abs(once.amperes - here.amperes) <= _STEADY * abs(once.amperes) + 0.1 * floor:
            mean = (here.amperes + once.amperes) / 2.0
            return Landing(self.advanced(here.state, mean, step), once.amperes), 0.0
        tries = [once, self._stairs(here, volts, step, 2)]
        moved = abs(tries[1].state.charge - here.state.charge)
        if abs(tries[1].state.charge - once.state.charge) <= _SMOOTH * moved + 0.1 * floor * step:
            return Landing(_extrapolated(tries, _SECOND_ORDER), tries[1].amperes), 0.0
        tries += [self._stairs(here, volts, step, count) for count in (3, 4)]
        after = _extrapolated(tries, _FOURTH_ORDER)
        third = sum(weight * t.state.charge for weight, t in zip(_THIRD_ORDER, tries, strict=True))
        allowed = _CHARGE_TOLERANCE * abs(after.charge - here.state.charge) + floor * step
        return Landing(after, tries[-1].amperes), abs(after.charge - third) / allowed

    def _stairs(self, here: Landing[S], volts: float, seconds: float, count: int) -> Landing[S]:
        """Land on the voltage `count` times in `seconds`."""
        for _ in range(count):
            here = self._landed(here.state, volts, seconds / count, here.amperes)
        return here

    def _landed(self, state: S, volts: float, seconds: float, guess: float) -> Landing[S]:
        """Return the constant current after which the cell stands at `volts`, and the state then."""

        def above(amperes: float) -> float:
            return self.voltage(self.advanced(state, amperes, seconds), amperes) - volts

        amperes = rising_root(above, guess, self._resistance)
        return Landing(self.advanced(state, amperes, seconds), amperes)


def _extrapolated(tries: Sequence[Landing[S]], weights: Sequence[float]) -> S:
    """Return what ever more steps tend to, number by number; the last where a count differs.

    Then one of them began a half cycle that another did not.
    """
    states = [landing.state for landing in tries]
    last = states[-1]
    if any(_counts(state) != _counts(last) for state in states):
        return last
    make: Callable[..., S] = type(last)
    return make(*[_blend(values, weights) for values in zip(*states, strict=True)])


def _counts(state: Iterable[Any]) -> list[int]:
    """Return what cannot be blended: counts themselves, and the lengths of tuples."""
    return [
        len(value) if isinstance(value, tuple) else value for value in state if isinstance(value, tuple | int)
    ]


def _blend(values: Sequence[Any], weights: Sequence[float]) -> Any:
    last = values[-1]
    if isinstance(last, float):
        return sum(map(mul, weights, values))
    if isinstance(last, tuple):
        return tuple([sum(map(mul, weights, each)) for each in zip(*values, strict=True)])
    return last
