"""The analogue-to-digital side: what a true value reads as."""

import random

from simulators.faults.terminals import Probe

OVERFLOW = 9.9e37

GAIN_ERROR = 50e-6
"""Standard deviation over instruments, relative [M]."""

OFFSET_ERROR = 5e-6
"""Standard deviation over instruments, of range [M]."""

NOISE = 1e-6
"""Standard deviation of one reading over one power-line cycle, of range [M]; falls as 1/√NPLC."""

COUNTS = 2_000_000
"""Per range and polarity: 6½ digits."""


class Meter:
    """One quantity's converter, its errors fixed by `seed` for as long as the instrument lives."""

    def __init__(self, seed: str, probe: Probe) -> None:
        self._probe = probe
        self._random = random.Random(seed)
        self._gain = 1 + self._random.gauss(0.0, GAIN_ERROR)
        self._offset = self._random.gauss(0.0, OFFSET_ERROR)

    def read(self, true: float, full_scale: float, most: float, cycles: float) -> float:
        """Return what `true` reads on a range after `cycles` power-line cycles; 9.9e37 above `most`."""
        return self._probe.shown(self._converted(self._probe.sensed(true), full_scale, most, cycles))

    def _converted(self, true: float, full_scale: float, most: float, cycles: float) -> float:
        noise = self._random.gauss(0.0, NOISE / cycles**0.5)
        seen = true * self._gain + full_scale * (self._offset + noise)
        if not abs(seen) <= most:
            return OVERFLOW
        count = full_scale / COUNTS
        return round(seen / count) * count
