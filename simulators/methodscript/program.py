"""A loaded script: instructions, and the memory they start with."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from simulators.methodscript.machine import Machine

Instruction = Callable[["Machine"], int]
"""Does one thing and returns the index of the next; `~index` pauses the machine before `index`."""


@dataclass(frozen=True, slots=True)
class Program:
    """What `e` and `l` make of a script. `lines` gives the script line of each instruction."""

    code: tuple[Instruction, ...]
    lines: tuple[int, ...]
    values: tuple[float, ...]
    arrays: tuple[int, ...]
    clean_up: int
    end: int
