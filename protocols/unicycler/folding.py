"""Jumps made into nested repeats."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any


class CrossingError(ValueError):
    """A loop jumps into the middle of another: nested repeats cannot say that."""

    def __init__(self, index: int) -> None:
        super().__init__(f"the loop at step {index + 1} jumps into the middle of another loop")
        self.index = index


@dataclass(frozen=True, slots=True)
class Folded:
    """A step of the method, or so many rounds of what stands between a jump and where it leads.

    `index` is the first step's place in the method, from 0; `mark` the tag that was jumped to.
    """

    index: int
    step: Any = None
    times: int = 1
    steps: "tuple[Folded, ...]" = ()
    mark: str | None = None


def folded(method: Sequence[Any]) -> list[Folded]:
    """Fold a list of steps with loops and tags; raises `CrossingError`.

    The library has made sure that loops go backwards, to tags there are.
    """
    tags = {step.tag: index for index, step in enumerate(method) if step.step == "tag"}
    open_: list[Folded] = []
    for index, step in enumerate(method):
        match step.step:
            case "tag":
                continue
            case "loop":
                _close(open_, index, step, tags)
            case _:
                open_.append(Folded(index, step))
    return open_


def _close(open_: list[Folded], index: int, loop: Any, tags: dict[str, int]) -> None:
    """Put what lies between the jump and its target into a repeat."""
    named = isinstance(loop.loop_to, str)
    target = tags[loop.loop_to] if named else loop.loop_to - 1
    inside = [each for each in open_ if each.index >= target]
    if not inside or any(_holds(each, target) for each in open_ if each not in inside):
        raise CrossingError(index)
    del open_[len(open_) - len(inside) :]
    mark = loop.loop_to if named else None
    open_.append(Folded(inside[0].index, times=loop.cycle_count, steps=tuple(inside), mark=mark))


def _holds(entry: Folded, target: int) -> bool:
    """Whether a step at or behind the target is inside the repeat."""
    return any(inner.index >= target or _holds(inner, target) for inner in entry.steps)
