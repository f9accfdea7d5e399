"""The window a cell must never leave."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Self

from protocols.errors import LimitError
from protocols.reading import Reading


@dataclass(frozen=True, slots=True)
class Bound:
    """One edge of the window, and whose it is: "protocol", "cell" or "channel"."""

    value: float
    origin: str


@dataclass(frozen=True, slots=True)
class Range:
    """What one quantity may be, both edges included; None leaves that side open."""

    low: Bound | None = None
    high: Bound | None = None

    def holds(self, value: float) -> bool:
        """Whether `value` is inside. Written so that NaN is outside."""
        low = -math.inf if self.low is None else self.low.value
        high = math.inf if self.high is None else self.high.value
        return low <= value <= high

    def __str__(self) -> str:
        low = "…" if self.low is None else f"{self.low.value:g}"
        high = "…" if self.high is None else f"{self.high.value:g}"
        return f"{low} to {high}"


@dataclass(frozen=True, slots=True)
class Limits:
    """Volts, amperes and degrees Celsius, each with the origin of either edge."""

    voltage: Range = Range()
    current: Range = Range()
    temperature: Range = Range()

    def named(self) -> tuple[tuple[str, str, Range], ...]:
        """Return each quantity's name, unit and range."""
        return (
            ("voltage", "V", self.voltage),
            ("current", "A", self.current),
            ("temperature", "degC", self.temperature),
        )

    def check(self, reading: Reading) -> None:
        """Raise `LimitError` if the reading is outside; NaN is, a missing temperature is not."""
        self._check("voltage", "V", reading.voltage, self.voltage)
        self._check("current", "A", reading.current, self.current)
        if reading.temperature is not None:
            self._check("temperature", "degC", reading.temperature, self.temperature)

    def check_all(self, readings: Sequence[Reading]) -> None:
        """Raise `LimitError` if one of the readings is outside, as `check` would."""
        if not readings:
            return
        voltages, currents = [r.voltage for r in readings], [r.current for r in readings]
        inside = (
            self.voltage.holds(sum(voltages) * 0.0 + max(voltages)),  # the sum tells of any NaN
            self.voltage.holds(min(voltages)),
            self.current.holds(sum(currents) * 0.0 + max(currents)),
            self.current.holds(min(currents)),
            self.temperature == Range() or all(r.temperature is None for r in readings),
        )
        if not all(inside):
            for reading in readings:
                self.check(reading)

    @staticmethod
    def _check(name: str, unit: str, value: float, allowed: Range) -> None:
        if not allowed.holds(value):
            raise LimitError(f"{name} {value:.9g} {unit} is outside {allowed} {unit}")

    @classmethod
    def intersection(cls, windows: Sequence[Self]) -> Self:
        """The tightest edge of every window wins and keeps its origin."""
        return cls(**{f.name: _tightest([getattr(w, f.name) for w in windows]) for f in fields(cls)})


def _tightest(ranges: Sequence[Range]) -> Range:
    lows = [r.low for r in ranges if r.low is not None]
    highs = [r.high for r in ranges if r.high is not None]
    return Range(
        low=max(lows, key=lambda bound: bound.value, default=None),
        high=min(highs, key=lambda bound: bound.value, default=None),
    )
