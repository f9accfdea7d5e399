"""Ticks of an axis: round numbers, few, and how they are written."""

import itertools
import math
from collections.abc import Sequence

MINUS = "\N{MINUS SIGN}"
THIN = "\N{THIN SPACE}"
SUPERSCRIPTS = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


def linear_ticks(low: float, high: float, about: int = 5) -> list[float]:
    """Return round numbers (1, 2 or 5 times a power of ten) from `low` to `high`, about so many."""
    if not high > low:
        return [low]
    raw = (high - low) / about
    power = 10.0 ** math.floor(math.log10(raw))
    step = power * min((1, 2, 5, 10), key=lambda round_: abs(round_ - raw / power))
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    return [round(index * step, 12 - math.floor(math.log10(step))) for index in range(first, last + 1)]


def decade_ticks(low: float, high: float) -> list[float]:
    """Return powers of ten from `low` to `high`, every second or third where they are many."""
    first, last = math.ceil(math.log10(low) - 1e-9), math.floor(math.log10(high) + 1e-9)
    stride = 1 + (last - first) // 7
    return [10.0**power for power in range(first, last + 1, stride)]


def written(ticks: Sequence[float], logarithmic: bool = False) -> list[str]:
    """Return the ticks as text: one number of decimals for all, a real minus sign, 10⁻³ for decades."""
    if logarithmic:
        return [_power(tick) for tick in ticks]
    if len(ticks) < 2:
        return [f"{tick:.4g}".replace("-", MINUS) for tick in ticks]
    step = min(abs(b - a) for a, b in itertools.pairwise(ticks))
    decimals = max(0, -math.floor(math.log10(step) + 1e-9)) if step > 0 else 0
    large = max(abs(tick) for tick in ticks) >= 10_000
    return [
        f"{tick + 0.0:{',' * large}.{decimals}f}".replace(",", THIN).replace("-", MINUS) for tick in ticks
    ]


def _power(tick: float) -> str:
    power = round(math.log10(tick))
    if -2 <= power <= 3:
        return f"{tick:g}"
    return "10" + str(power).translate(SUPERSCRIPTS)
