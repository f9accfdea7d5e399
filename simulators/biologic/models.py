"""Instruments that are simulated: what each is, and what its boards can do."""

from dataclasses import dataclass, field
from enum import IntEnum

from simulators.front_end import FrontEnd

FULL_SCALES = (1e-10, 1e-9, 1e-8, 1e-7, 1e-6, 1e-5, 1e-4, 1e-3, 1e-2, 1e-1, 1.0)
"""Amperes of `I_Range` 0 to 10."""

AUTO_RANGE = 12

E_RANGES = (2.5, 5.0, 10.0, 10.0)
"""Volts of `E_Range`: ±2.5, ±5, ±10, automatic."""


class Board(IntEnum):
    """`BL_GetChannelBoardType`."""

    ESSENTIAL = 1
    PREMIUM = 2


@dataclass(frozen=True, slots=True)
class Model:
    """One model; ratings in volts, amperes and hertz, ranges as their numbers.

    `time_base` is the length of a tick in seconds. `records_auxiliary` tells the VMP3 family, whose
    rows have the counter electrode, from the VMP-300 family. Ratings are the brochures', assumed.
    """

    device_code: int
    board: Board
    channels: int
    volts: float
    amperes: float
    smallest_range: int
    largest_range: int
    largest_bandwidth: int
    frequencies: tuple[float, float]
    time_base: float
    records_auxiliary: bool
    memory: int = 1 << 20  # bytes, assumed

    @property
    def suffix(self) -> str:
        """What the names of technique files end with for its boards."""
        return {Board.ESSENTIAL: "", Board.PREMIUM: "4"}[self.board]

    def front_end(self, seed: int, volts: float) -> FrontEnd:
        """Return the converters of a board in a voltage range; a finer range resolves finer."""
        scales = FULL_SCALES[self.smallest_range : self.largest_range]
        ranges = [*scales, self.amperes]
        return FrontEnd(seed, voltage_range=volts, current_ranges=ranges, bits=20, voltage_noise=1e-5)


VMP3 = Model(
    device_code=5,
    board=Board.ESSENTIAL,
    channels=16,
    volts=10.0,
    amperes=0.4,
    smallest_range=5,
    largest_range=10,
    largest_bandwidth=7,
    frequencies=(1e-5, 2e5),
    time_base=2e-5,
    records_auxiliary=True,
)

SP300 = Model(
    device_code=16,
    board=Board.PREMIUM,
    channels=2,
    volts=10.0,
    amperes=0.5,
    smallest_range=3,
    largest_range=10,
    largest_bandwidth=9,
    frequencies=(1e-5, 7e6),
    time_base=4e-5,
    records_auxiliary=False,
)


@dataclass(frozen=True, slots=True)
class Manners:
    """What is not documented and may be either way; each is a switch of the host's driver too.

    `scan_rate_unit` in volts per second of one unit of `Scan_Rate`. `phase_sign` is -1 where the
    phase of a spectrum is recorded with the other sign. A test that ends a technique
    `records_last`: the sample that met it is a row.
    """

    scan_rate_unit: float = 1.0
    phase_sign: float = 1.0
    records_last: bool = True
    model: Model = field(default=VMP3)
