"""The air in a chamber: where it is, where it is driven to, how fast."""

from dataclasses import dataclass
from math import exp

ROOM = 23.0
"""Degrees Celsius outside."""


@dataclass(frozen=True, slots=True)
class Walls:
    """What one chamber is like.

    `ramp` in K/s is all that heater and compressor can do; `settling` in seconds is the time constant
    of the last kelvins, and of those an open door takes; `leak` that of a chamber nobody drives.
    """

    ramp: float = 3.0 / 60.0
    settling: float = 60.0
    leak: float = 3600.0
    door: float = 120.0


class Air:
    """Lives in seconds; exact for any stretch of them."""

    def __init__(self, walls: Walls, celsius: float = ROOM) -> None:
        self.celsius = celsius
        self._walls = walls

    def drive(self, wanted: float, seconds: float) -> None:
        """Go towards `wanted`: at full power while that is far away, exponentially at the end."""
        walls = self._walls
        near = walls.ramp * walls.settling
        away = abs(self.celsius - wanted)
        if away > near:
            ramping = min(seconds, (away - near) / walls.ramp)
            way = walls.ramp * ramping
            self.celsius += way if wanted > self.celsius else -way
            seconds -= ramping
        self._relax(wanted, walls.settling, seconds)

    def leave(self, seconds: float) -> None:
        """Be left alone behind closed walls."""
        self._relax(ROOM, self._walls.leak, seconds)

    def air_out(self, seconds: float) -> None:
        """Stand open."""
        self._relax(ROOM, self._walls.door, seconds)

    def _relax(self, target: float, constant: float, seconds: float) -> None:
        self.celsius = target + (self.celsius - target) * exp(-seconds / constant)
