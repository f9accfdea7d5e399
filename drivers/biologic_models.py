"""Bio-Logic instruments: what EClib calls each, and what their boards can do."""

from dataclasses import dataclass
from enum import IntEnum

from drivers.rated import Rated

FULL_SCALES = (1e-10, 1e-9, 1e-8, 1e-7, 1e-6, 1e-5, 1e-4, 1e-3, 1e-2, 1e-1, 1.0)
"""Amperes of the current ranges 0 to 10; 11 is a booster."""

AUTO_RANGE = 12

VOLTAGE_RANGES = ((0, 2.5), (1, 5.0), (2, 10.0))
"""`E_Range` and its volts, either sign."""

AUTO_VOLTAGE_RANGE = 3


class Board(IntEnum):
    """What `BL_GetChannelBoardType` answers."""

    UNKNOWN = 0
    ESSENTIAL = 1
    PREMIUM = 2
    DIGICORE = 3


SUFFIXES = {Board.ESSENTIAL: "", Board.PREMIUM: "4", Board.DIGICORE: "5"}
"""What the names of technique files end with, before `.ecc`."""

FIRMWARE = {
    Board.ESSENTIAL: ("kernel.bin", "Vmp_ii_0437_a6.xlx"),
    Board.PREMIUM: ("kernel4.bin", "vmp_iv_0395_aa.xlx"),
    Board.DIGICORE: ("kernel.bin", ""),
}
"""Kernel and FPGA file of a board."""


@dataclass(frozen=True, slots=True)
class Model(Rated):
    """An instrument by its name; ratings in volts and amperes, of its standard board.

    `auxiliary` tells the VMP3 family, whose rows have the counter electrode and the current range,
    from the VMP-300 family. Ratings are of the maker's brochures, not read on hardware.
    """

    volts: float = 10.0
    amperes: float = 0.4
    auxiliary: bool = True


MODELS = {
    1: Model("VMP2"),
    2: Model("MPG", 5.0, 0.1),
    3: Model("BISTAT"),
    5: Model("VMP3"),
    6: Model("VSP"),
    10: Model("BISTAT 2"),
    12: Model("VMP-300", amperes=0.5, auxiliary=False),
    13: Model("SP-50", amperes=0.8),
    14: Model("SP-150", amperes=0.8),
    16: Model("SP-300", amperes=0.5, auxiliary=False),
    20: Model("VSP-300", amperes=0.5, auxiliary=False),
    21: Model("SP-200", amperes=0.5, auxiliary=False),
    22: Model("MPG-2", amperes=0.1),
    23: Model("SP-100", amperes=0.25, auxiliary=False),
    26: Model("BCS-815", 9.0, 15.0),
    27: Model("SP-240", amperes=4.0, auxiliary=False),
    28: Model("MPG-205", amperes=5.0),
    29: Model("MPG-210"),
    30: Model("MPG-220"),
    31: Model("MPG-240"),
    32: Model("BP-300", amperes=0.5, auxiliary=False),
    33: Model("VMP-3e"),
    34: Model("VSP-3e"),
    35: Model("SP-50e", amperes=0.8),
    36: Model("SP-150e", amperes=0.8),
}
"""By device code. Boosters and instruments whose ranges nobody here knows are left out."""


@dataclass(frozen=True, slots=True)
class Potentiostat:
    """One channel's board. Ranges by their number; bandwidths go from 1 up."""

    model: Model
    board: Board = Board.ESSENTIAL
    smallest_range: int = 5
    largest_range: int = 10
    largest_bandwidth: int = 7

    @property
    def suffix(self) -> str:
        """What its technique files' names end with."""
        return SUFFIXES.get(self.board, "")

    def current_range(self, amperes: float) -> int:
        """Return the smallest range that holds a current, the largest there is if none does."""
        holding = (number for number, full in enumerate(FULL_SCALES) if abs(amperes) <= full * (1.0 + 1e-6))
        return min(max(next(holding, self.largest_range), self.smallest_range), self.largest_range)

    def voltage_range(self, volts: float) -> int:
        """Return the smallest range that holds a voltage."""
        return next((number for number, full in VOLTAGE_RANGES if abs(volts) <= full), AUTO_VOLTAGE_RANGE)
