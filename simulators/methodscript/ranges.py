"""The ranges a quantity is measured in, and which of them is in use."""

from typing import NamedTuple

from simulators.methodscript.errors import Code, ScriptError

LATE = 1
OVERLOAD = 2
UNDERLOAD = 4
OVERLOAD_WARNING = 8

WARNING_FRACTION = 1.01
CLIP_FRACTION = 1.02
"""A range measures a little beyond its name; both fractions are assumed, not documented."""

SMALL_FRACTION = 0.01
"""Below this part of its range a value is better measured in a finer one (assumed)."""


class Range(NamedTuple):
    """One range: its number on the wire and its full scale in ampere or volt."""

    number: int
    full_scale: float


class Ranges:
    """The ranges of one quantity, finest first; `limit` is the most the instrument itself can do."""

    def __init__(self, ranges: tuple[Range, ...], limit: float) -> None:
        self._ranges = ranges
        self._limit = limit
        self.reset()

    def reset(self) -> None:
        """Use the coarsest range, as before anything was set."""
        self._low = self._high = self._at = len(self._ranges) - 1

    def free(self) -> None:
        """Choose between all ranges."""
        self._low = 0

    @property
    def full_scale(self) -> float:
        return self._ranges[self._at].full_scale

    @property
    def convertible(self) -> float:
        """The full scale of the converter: in the coarsest range, all the instrument can do."""
        return self._limit if self._at == len(self._ranges) - 1 else self.full_scale

    @property
    def clip(self) -> float:
        """The largest magnitude the range in use can take."""
        return self._limit if self._at == len(self._ranges) - 1 else CLIP_FRACTION * self.full_scale

    def fix(self, largest: float) -> None:
        """Use the finest range that holds `largest`. Raises `ScriptError` beyond the instrument."""
        self._low = self._high = self._at = self._holding(abs(largest))

    def fix_or_free(self, largest: float) -> None:
        """Use the finest range that holds `largest`, or choose freely if none is as large."""
        self.fix(largest)
        if largest > self.full_scale:
            self.free()

    def span(self, smallest: float, largest: float) -> None:
        """Choose between the ranges that hold `smallest` and `largest`, by what is measured."""
        low, high = self._holding(abs(smallest)), self._holding(abs(largest))
        if low > high:
            raise ScriptError(Code.OUT_OF_BOUNDS)
        self._low, self._high = low, high
        self._at = min(max(self._at, low), high)

    def _holding(self, largest: float) -> int:
        if not largest <= self._limit:
            raise ScriptError(Code.OUT_OF_BOUNDS)
        fitting = (at for at, one in enumerate(self._ranges) if one.full_scale >= largest)
        return next(fitting, len(self._ranges) - 1)

    def follow(self, value: float) -> None:
        """Go to the range for `value`, up when it is full, down once the finer one has room."""
        size = abs(value)
        while self._at < self._high and size > self.full_scale:
            self._at += 1
        while self._at > self._low and size < 0.8 * self._ranges[self._at - 1].full_scale:
            self._at -= 1

    def judge(self, value: float) -> int:
        """Return the status bits of a value in the range in use."""
        size = abs(value)
        if size > self.clip:
            return OVERLOAD
        if size > WARNING_FRACTION * self.full_scale:
            return OVERLOAD_WARNING
        if self._at and size < SMALL_FRACTION * self.full_scale:
            return UNDERLOAD
        return 0

    def token(self, status: int) -> str:
        """Return the metadata of a measured value: `,1` + status, `,2` + range index."""
        return f",1{status:X},2{self._ranges[self._at].number:02X}"

    def coarsest_token(self, status: int) -> str:
        """Return the metadata of a value the coarsest range is used for, whatever the others do."""
        return f",1{status:X},2{self._ranges[-1].number:02X}"
