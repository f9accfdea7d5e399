"""A ladder of resistor-capacitor pairs: how a cell lags behind its current."""

from collections.abc import Iterable
from math import ceil, exp, log, log10, pi, sin
from typing import NamedTuple

Voltages = tuple[float, ...]
"""The voltage across each pair of a ladder, in volts."""


class Voigt(NamedTuple):
    """A resistor (ohm) beside a capacitor; `time` is their product RC in seconds."""

    resistance: float
    time: float


class Ladder:
    """Pairs in series. A constant current moves them exactly, however long it flows.

    v' = v e^(-t/RC) + I R (1 - e^(-t/RC)) for each pair. Time domain and impedance are of the same
    pairs, hence consistent by construction.
    """

    def __init__(self, pairs: Iterable[Voigt]) -> None:
        self.pairs = tuple(pairs)
        self.resistance = sum(pair.resistance for pair in self.pairs)
        self.at_rest: Voltages = (0.0,) * len(self.pairs)
        self._seconds = -1.0  # the length the two below are for: most steps are as long as the last
        self._kept: Voltages = ()
        self._gained: Voltages = ()

    def relaxed(self, voltages: Voltages, amperes: float, seconds: float) -> Voltages:
        """Return the voltages after `seconds` of a constant current."""
        if seconds != self._seconds:
            self._prepare(seconds)
        return tuple(
            [
                v * kept + amperes * gained
                for v, kept, gained in zip(voltages, self._kept, self._gained, strict=True)
            ]
        )

    def impedance(self, angular: float) -> complex:
        """Return Z in ohm at `angular` radians per second."""
        return sum((r / (1.0 + 1j * angular * time) for r, time in self.pairs), 0j)

    def _prepare(self, seconds: float) -> None:
        self._kept = tuple(exp(-seconds / pair.time) for pair in self.pairs)
        self._gained = tuple(
            pair.resistance * (1.0 - kept) for pair, kept in zip(self.pairs, self._kept, strict=True)
        )
        self._seconds = seconds


def warburg(resistance: float, time: float, fastest: float, exact: int = 8) -> list[Voigt]:
    """Return the pairs of a finite-length Warburg element R tanh(sqrt(jw t)) / sqrt(jw t).

    Its Foster series has R_k = 8 R / ((2k-1)^2 pi^2) and t_k = 4 t / ((2k-1)^2 pi^2). The first
    `exact` terms are taken as they are; later ones are gathered, about three to a decade of time
    down to `fastest` seconds, into pairs of the same total resistance and the same total 1/C, so
    that both ends of each group are right and the whole within 1.5 %. What is left over joins the
    fastest pair: the resistance at rest is exact and none of it masquerades as a series resistance.
    """

    def term(k: int) -> Voigt:
        odd = (2 * k - 1) ** 2 * pi**2
        return Voigt(8.0 * resistance / odd, 4.0 * time / odd)

    pairs = [term(k) for k in range(1, exact + 1)]
    first = exact + 1
    while pairs[-1].time > fastest:
        last = ceil(first * 10 ** (1 / 6))  # time falls with the square of k
        together = sum(term(k).resistance for k in range(first, last + 1))
        elastance = (last - first + 1) * 2.0 * resistance / time  # every term has R_k / t_k = 2 R / t
        pairs.append(Voigt(together, together / elastance))
        first = last + 1
    left = resistance - sum(pair.resistance for pair in pairs)
    pairs[-1] = pairs[-1]._replace(resistance=pairs[-1].resistance + left)
    return pairs


class PhaseLadder(NamedTuple):
    """A constant phase element as pairs, a last capacitor (farad) and a series resistor (ohm)."""

    pairs: list[Voigt]
    capacitor: float
    resistor: float


def constant_phase(q: float, n: float, slowest: float, fastest: float, per_decade: int = 3) -> PhaseLadder:
    """Return 1/(Q (jw)^n), 0 < n < 1, as a ladder good between the two times (seconds).

    s^-n = sin(n pi)/pi times the integral of x^-n / (s + x) over x > 0, summed at equal steps of
    log x: three to a decade are good to 1e-5. What lies below the slowest x acts as one capacitor,
    what lies above the fastest as one resistor; both integrals are closed.
    """
    front = sin(n * pi) / pi / q
    steps = round(per_decade * log10(slowest / fastest))
    width = log(slowest / fastest) / steps
    rates = [
        exp(width * (k + 0.5)) / slowest for k in range(steps)
    ]  # midpoints, so the tails begin at the ends
    pairs = [Voigt(front * width * x**-n, 1.0 / x) for x in rates]
    capacitor = (1.0 - n) * (1.0 / slowest) ** (n - 1.0) / front
    return PhaseLadder(pairs, capacitor, front * fastest**n / n)
