"""The modes in which a ladder relaxes while its two ends are held at a voltage."""

from collections.abc import Sequence
from itertools import pairwise
from math import expm1, sqrt
from operator import mul
from typing import NamedTuple

from simulators.cells.voigt import Ladder, Voltages


class Held(NamedTuple):
    """A ladder after a hold: the voltage of each pair, and the coulombs that have flowed."""

    voltages: Voltages
    charge: float


class HeldLadder:
    """A series resistance and a ladder at a constant voltage, solved exactly for any length of time.

    With y_k = sqrt(C_k) v_k the pairs obey y' = -(D + b b') y + forcing, D = 1/(R_k C_k) and
    b_k = 1/sqrt(R C_k), R the series resistance: real modes, found from the secular equation
    1 + sum b_k^2/(d_k - x) = 0, which has one root to the right of each d_k.
    """

    def __init__(self, series: float, ladder: Ladder) -> None:
        self._series = series
        self._total = series + ladder.resistance
        self._resistances = [pair.resistance for pair in ladder.pairs]
        roots = [sqrt(pair.time / pair.resistance) for pair in ladder.pairs]
        self._rates: list[float] = []
        self._into: list[list[float]] = []
        out: list[list[float]] = []
        for rate, vector in _modes(
            [1.0 / pair.time for pair in ladder.pairs], [1.0 / (sqrt(series) * root) for root in roots]
        ):
            self._rates.append(rate)
            self._into.append([w * root for w, root in zip(vector, roots, strict=True)])
            out.append([w / root for w, root in zip(vector, roots, strict=True)])
        self._out = [list(row) for row in zip(*out, strict=True)]
        self._sums = [sum(column) for column in out]

    def current(self, voltages: Voltages, volts: float) -> float:
        """Return the instantaneous current in amperes."""
        return (volts - sum(voltages)) / self._series

    def held(self, voltages: Voltages, volts: float, seconds: float) -> Held:
        """Return what `seconds` at `volts` leave."""
        steady = volts / self._total
        ends = [steady * r for r in self._resistances]
        apart = [v - end for v, end in zip(voltages, ends, strict=True)]
        modes = [sum(map(mul, row, apart)) for row in self._into]
        lost = [-expm1(-rate * seconds) for rate in self._rates]
        left = [mode * (1.0 - gone) for mode, gone in zip(modes, lost, strict=True)]
        after = tuple([end + sum(map(mul, row, left)) for end, row in zip(ends, self._out, strict=True)])
        spent = sum(
            s * mode * gone / rate
            for s, mode, gone, rate in zip(self._sums, modes, lost, self._rates, strict=True)
        )
        return Held(after, steady * seconds - spent / self._series)


def _modes(rates: Sequence[float], couplings: Sequence[float]) -> list[tuple[float, list[float]]]:
    """Return each eigenvalue of diag(rates) + b b' with its unit eigenvector b_k / (d_k - x)."""
    order = sorted(range(len(rates)), key=rates.__getitem__)
    edges = [rates[k] for k in order]
    edges.append(edges[-1] + sum(b * b for b in couplings))
    found = []
    for low, high in pairwise(edges):
        # Counted from the nearer pole, so that a root hard beside one keeps its digits.
        middle = (high - low) / 2.0
        from_low = high == edges[-1] or _secular(rates, couplings, low, middle) > 0.0
        origin = low if from_low else high
        span = (high - low) * (1.0 if high == edges[-1] else 0.5)
        offset = _bisected(rates, couplings, origin, 0.0 if from_low else -span, span if from_low else 0.0)
        vector = [b / (d - origin - offset) for d, b in zip(rates, couplings, strict=True)]
        length = sqrt(sum(w * w for w in vector))
        found.append((origin + offset, [w / length for w in vector]))
    return found


def _secular(rates: Sequence[float], couplings: Sequence[float], origin: float, offset: float) -> float:
    return 1.0 + sum(b * b / (d - origin - offset) for d, b in zip(rates, couplings, strict=True))


def _bisected(
    rates: Sequence[float], couplings: Sequence[float], origin: float, low: float, high: float
) -> float:
    """Return the offset between `low` and `high` where the rising secular function is zero."""
    for _ in range(200):
        middle = (low + high) / 2.0
        if middle in (low, high):
            break
        if _secular(rates, couplings, origin, middle) > 0.0:
            high = middle
        else:
            low = middle
    return (low + high) / 2.0
