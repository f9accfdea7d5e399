"""The charge left in an electrode of which only a part is at hand at once."""

from math import exp, expm1, log1p
from typing import NamedTuple


class Wells(NamedTuple):
    """Charge left, as fractions of the whole capacity, so that fading leaves them alone.

    `stored` is all of it; `lag` is how far the part at hand is from its share of it.
    """

    stored: float
    lag: float


class TwoWells:
    """The kinetic two-well model (Manwell & McGowan, Solar Energy 50 (1993) 399) with a shuttle.

    With y1 the charge at hand (share c of the whole) and y2 the hindered: y' = -I, and
    lag = y1 - c y relaxes, lag' = -k lag - (1-c) I. The polysulfide shuttle (Mikhaylik & Akridge,
    J. Electrochem. Soc. 151 (2004) A1969) adds ks * (stored - threshold) to I on the upper plateau.
    Both are linear, so each side of the threshold is solved exactly. Rates are per second.
    """

    def __init__(self, share: float, exchange: float, shuttle: float, threshold: float) -> None:
        self.share = share
        self.exchange = exchange
        self._shuttle = shuttle
        self._threshold = threshold

    def drained(self, wells: Wells, rate: float, seconds: float) -> Wells:
        """Return what is left after `rate` (fraction per second, positive on discharge) for `seconds`."""
        over = wells[0] - self._threshold
        shuttling = self._shuttle > 0.0 and (over > 0.0 or (over == 0.0 and rate < 0.0))
        crossing = self._crossing(over, rate, shuttling)
        if crossing < seconds:
            there = self._moved(wells, rate, crossing, shuttling)._replace(stored=self._threshold)
            return self._moved(there, rate, seconds - crossing, not shuttling)
        return self._moved(wells, rate, seconds, shuttling)

    def level(self, wells: Wells) -> float:
        """Return how full the part at hand is, 0 to 1."""
        return wells.stored + wells.lag / self.share

    def _crossing(self, over: float, rate: float, shuttling: bool) -> float:
        """Return the seconds until the threshold is crossed, infinite if it is not."""
        if shuttling and rate > 0.0:
            return log1p(self._shuttle * over / rate) / self._shuttle
        if not shuttling and rate < 0.0 and self._shuttle > 0.0:
            return over / rate
        return float("inf")

    def _moved(self, wells: Wells, rate: float, seconds: float, shuttling: bool) -> Wells:
        stored, lag = wells
        k = self.exchange
        gone = expm1(-k * seconds)
        decay = 1.0 + gone
        hindered = 1.0 - self.share
        if not shuttling:
            return Wells(stored - rate * seconds, lag * decay + hindered * rate * gone / k)
        ks = self._shuttle
        total = rate + ks * (stored - self._threshold)  # falls off as e^(-ks t)
        return Wells(
            stored + total * expm1(-ks * seconds) / ks,
            lag * decay - hindered * total * (exp(-ks * seconds) - decay) / (k - ks),
        )
