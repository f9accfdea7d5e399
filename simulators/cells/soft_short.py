"""A dendrite that bridges the separator, more or less."""

from dataclasses import dataclass
from math import exp, floor, inf, sqrt
from random import Random

from simulators.cells.units import MAH_PER_CM2

_GRID = 60.0  # s
_RELAXATION = 600.0  # s
_SPREAD = 0.6  # of the logarithm of the resistance


@dataclass(frozen=True, slots=True)
class SoftShort:
    """A parallel resistance that appears once, after a random charge, and then wanders.

    The charge until then is exponential with `hazard` per C/m2; the logarithm of the resistance is
    an Ornstein-Uhlenbeck process (600 s, 0.6) about that of `median` (ohm), drawn on a grid of one
    minute so that it does not depend on how time is cut up. Everything follows from the seed.
    """

    hazard: float
    median: float
    onset: float  # C/m2 of throughput
    seed: int

    @classmethod
    def drawn(cls, hazard: float, median: float, seed: int) -> "SoftShort":
        """Return one for a `hazard` per mAh/cm2 and a median resistance in ohm."""
        per_charge = hazard / MAH_PER_CM2
        onset = Random(seed).expovariate(per_charge) if per_charge > 0.0 else inf
        return cls(per_charge, median, onset, seed)

    def wandered(self, walk: float, begin: float, end: float) -> float:
        """Return the logarithm's deviation at `end` seconds since the short, from that at `begin`."""
        stays = exp(-_GRID / _RELAXATION)
        for tick in range(floor(begin / _GRID) + 1, floor(end / _GRID) + 1):
            kick = Random(self.seed * 1_000_003 + tick).gauss(0.0, 1.0)
            walk = walk * stays + _SPREAD * sqrt(1.0 - stays * stays) * kick
        return walk

    def resistance(self, walk: float) -> float:
        """Return the resistance of the short in ohm."""
        return self.median * exp(walk)
