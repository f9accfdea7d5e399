"""The analogue side of a measurement: what the converter says of what is true."""

from typing import NamedTuple, Protocol


class Conversion(Protocol):
    """One conversion of a current, in ampere, and whether it was clipped."""

    @property
    def value(self) -> float: ...

    @property
    def overload(self) -> bool: ...


class FrontEnd(Protocol):
    """Gain, offset and noise of one instrument, all SI."""

    def voltage(self, true: float) -> float: ...

    def current(self, true: float, full_scale: float) -> Conversion: ...

    def impedance(self, true: complex) -> complex: ...


class Converted(NamedTuple):
    value: float
    overload: bool = False


class PerfectFrontEnd:
    """Says what is true."""

    def voltage(self, true: float) -> float:
        return true

    def current(self, true: float, full_scale: float) -> Conversion:
        return Converted(true)

    def impedance(self, true: complex) -> complex:
        return true
