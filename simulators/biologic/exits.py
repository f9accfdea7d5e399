"""Tests that end a step before its time: up to three, each of a voltage or a current (CALIMIT, CPLIMIT)."""

from collections.abc import Sequence
from enum import IntEnum
from typing import NamedTuple

from simulators.biologic.errors import Code, RefusalError
from simulators.biologic.parameters import Parameters, one_of
from simulators.biologic.potentiostat import Look, Sample

ACTIVE = 1
JOINED_BY_AND = 2
GREATER = 4
VARIABLE_SHIFT = 5

VOLTAGE, CURRENT = 0, 3
"""Variables; 1 and 2 are auxiliary inputs, which a simulated board has not."""

CLOSE_VOLTS = 2e-5
CLOSE_SHARE = 1e-4
CLOSE_AMPERES = 1e-12
"""Just beyond a test's value: so many volts; this share of a current, at least so many amperes."""


class Then(IntEnum):
    """`Exit_Cond`: what comes after a test that was met."""

    NEXT_STEP = 0
    NEXT_TECHNIQUE = 1
    STOP = 2


class Comparison(NamedTuple):
    """One comparison; `both` joins it with the next one by AND."""

    variable: int
    greater: bool
    value: float
    both: bool

    def excess(self, seen: Look | Sample) -> float:
        """Return how far beyond its value the variable is, 1 being just so; positive where it is met."""
        if self.variable == VOLTAGE:
            beyond, close = seen.voltage - self.value, CLOSE_VOLTS
        else:
            beyond, close = seen.current - self.value, max(CLOSE_SHARE * abs(self.value), CLOSE_AMPERES)
        return (beyond if self.greater else -beyond) / close


class Exits(NamedTuple):
    """The tests of one step, and what they lead to."""

    tests: Sequence[Comparison]
    then: Then

    @classmethod
    def of(cls, parameters: Parameters, step: int) -> "Exits":
        """Read the tests of a step. Raises `RefusalError`."""
        tests: list[Comparison] = []
        for number in (1, 2, 3):
            config = parameters.integer(f"Test{number}_Config", step)
            if not config & ACTIVE:
                break  # those behind an inactive one are ignored
            variable = one_of(config >> VARIABLE_SHIFT, (VOLTAGE, CURRENT))
            value = parameters.number(f"Test{number}_Value", step)
            tests.append(Comparison(variable, bool(config & GREATER), value, bool(config & JOINED_BY_AND)))
        try:
            then = Then(parameters.integer("Exit_Cond", step))
        except ValueError:
            raise RefusalError(Code.INVALID_PARAMETERS) from None
        return cls(tests, then)

    def excess(self, seen: Look | Sample) -> float:
        """Return how far beyond all of them it is, left to right; positive where the step is over."""
        if not self.tests:
            return -1.0
        so_far = self.tests[0].excess(seen)
        for before, test in zip(self.tests, self.tests[1:], strict=False):
            choose = min if before.both else max
            so_far = choose(so_far, test.excess(seen))
        return so_far


NO_EXITS = Exits((), Then.NEXT_STEP)
