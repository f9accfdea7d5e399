"""MethodSCRIPT as text: literals, and lines put together (PalmSens MethodSCRIPT manual, v1.2 to v1.9)."""

import math
from collections.abc import Iterator
from contextlib import contextmanager

_PREFIXES = (
    ("G", 9),
    ("M", 6),
    ("k", 3),
    ("", 0),
    ("m", -3),
    ("u", -6),
    ("n", -9),
    ("p", -12),
    ("f", -15),
    ("a", -18),
)

RELATIVE_ROUNDING = 5e-7
"""How far a literal may be from the number it stands for: what six to seven digits can say."""


def literal(number: float) -> str:
    """Return `number` as an integer with an SI prefix, the only form of a number there is.

    The coarsest prefix that says it within `RELATIVE_ROUNDING` is taken: 1.5 is `1500m`.
    Raises `ValueError` for what is no number or beyond ±1e-18 … 1e18.
    """
    if number == 0.0:
        return "0"
    if not math.isfinite(number):
        raise ValueError(f"{number} is no number")
    for prefix, exponent in _PREFIXES:
        mantissa = _scaled(number, -exponent)
        whole = round(mantissa)
        if whole and abs(whole - mantissa) <= RELATIVE_ROUNDING * abs(mantissa) and abs(whole) < 1e9:
            return f"{whole}{prefix}"
    raise ValueError(f"{number:g} cannot be written in seven digits and a prefix")


def _scaled(number: float, exponent: int) -> float:
    """Return number × 10^exponent, rounded once: powers of ten are exact only when they are whole."""
    return number * 10.0**exponent if exponent >= 0 else number / 10.0**-exponent


class Script:
    """Lines under construction. Blocks are written with `with`, so that none is left open."""

    def __init__(self) -> None:
        self._lines: list[str] = []

    def add(self, *lines: str) -> None:
        """Append commands, one a line."""
        self._lines.extend(lines)

    def set(self, variable: str, number: float, kind: str = "ja") -> None:
        """Give a variable a value; `kind` is its VarType, by which it is told apart in packages."""
        self.add(f"store_var {variable} {literal(number)} {kind}")

    @contextmanager
    def when(self, *conditions: str) -> Iterator[None]:
        """Open nested `if`s: what follows happens when every condition holds."""
        self.add(*(f"if {condition}" for condition in conditions))
        yield
        self.add(*("endif" for _ in conditions))

    @contextmanager
    def loop(self, head: str) -> Iterator[None]:
        """Open a `loop` or a measurement loop."""
        self.add(head)
        yield
        self.add("endloop")

    def package(self, *variables: str) -> None:
        """Send one data package."""
        self.add("pck_start", *(f"pck_add {variable}" for variable in variables), "pck_end")

    @property
    def text(self) -> str:
        """The script, every line ended."""
        return "".join(f"{line}\n" for line in self._lines)
