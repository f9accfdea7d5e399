"""One line of the bench: a figure, what was promised, and what the machine itself allows."""

import math
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True, slots=True)
class Row:
    """`target` is the promise; `limit` what the bare parts did in the same run, None where nothing bounds it.

    `at_least` tells whether more is better. `seconds` is how long it was measured for, `note` what
    else a reader should know.
    """

    name: str
    value: float
    unit: str
    target: float | None
    limit: float | None = None
    at_least: bool = False
    seconds: float = 0.0
    note: str = ""

    @property
    def meets(self) -> bool | None:
        """Whether the promise is kept; None where there is none. What is no number keeps none."""
        if self.target is None:
            return None
        return self.value >= self.target if self.at_least else self.value <= self.target

    def plain(self) -> dict[str, Any]:
        """Return it as the JSON has it."""
        return {
            "name": self.name,
            "value": _number(self.value),
            "unit": self.unit,
            "target": self.target,
            "limit": _number(self.limit),
            "meets": self.meets,
        }


@dataclass(frozen=True, slots=True)
class Settings:
    """What a measurement may use: a folder of its own, how long it may measure, and which broker.

    `seconds` is the length of a steady load; what counts in cycles or rows scales with it.
    """

    folder: Path
    seconds: float
    broker: str
    """`mosquitto` or `embedded`."""


Measure = Callable[[Settings], Awaitable[list[Row]]]


def quantile(values: list[float], share: float) -> float:
    """Return the smallest value that `share` of them do not exceed; no number where there are none."""
    if not values:
        return math.nan
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, math.ceil(share * len(ordered)) - 1)]


def _number(value: float | None) -> float | None:
    """Return it to four digits: JSON knows nothing that is not a number, and noise is no news."""
    return float(f"{value:.4g}") if value is not None and math.isfinite(value) else None
