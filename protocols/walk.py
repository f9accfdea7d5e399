"""The way through a plan while it runs: which step is next, in which cycle, with which ends."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from protocols.plan import Fade, Plan, PlannedEntry, PlannedRepeat, PlannedStep, steps_below
from protocols.remainder import remainder
from protocols.techniques import ChamberTemperature, Impedance, Rest, direction

_CURRENTLESS = (Rest, Impedance, ChamberTemperature)


@dataclass(frozen=True, slots=True)
class Visit:
    """One step about to run. `rounds` counts the turns of the loops around it, outermost first.

    `cycle` grows by one with every turn of an innermost repeat, and once more where steps that carry
    current follow after one; it is 0 before the first. The step's ends are bound: "150 % of discharge"
    is a number.
    """

    step: PlannedStep
    rounds: tuple[int, ...]
    cycle: int


@dataclass(slots=True)
class _Loop:
    repeat: PlannedRepeat
    turn: int
    index: int
    first: float | None = None  # capacity of the first turn, coulomb
    latest: float | None = None

    @property
    def discharges(self) -> bool:
        """Whether any of its steps discharges; otherwise whatever passes charge is looked at."""
        return any(direction(step.technique) < 0 for step in steps_below(self.repeat.steps))


class Walk:
    """Yields the visits of a plan one by one, told after each how much charge it passed.

    The whole position is plain data (`state`, `Walk.restored`), so that it can be committed
    together with the readings it belongs to.
    """

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._index = 0
        self._loops: list[_Loop] = []
        self._cycle = 0
        self._left_a_loop = False
        self._capacities: dict[str, float] = {}  # verb → coulomb of its latest step
        self._marked: dict[str, float] = {}  # mark → coulomb of its first discharge
        self._current: PlannedStep | None = None

    def advance(self) -> Visit | None:
        """Move on to the next step; None at the end of the plan."""
        step = self._next_step()
        self._current = step
        if step is None:
            return None
        return self._visit(step)

    def ended(self, coulombs: float) -> None:
        """Note that the step just visited is over and passed that much charge (a magnitude)."""
        step = self._current
        if step is None:
            raise ValueError("no step is being visited")
        self._current = None
        self._capacities[step.verb] = coulombs
        way = direction(step.technique)
        for loop in self._loops:
            if way < 0 or (way > 0 and not loop.discharges):
                loop.latest = coulombs
        if way < 0:
            for mark in step.marks:
                self._marked.setdefault(mark, coulombs)

    def state(self) -> Mapping[str, Any]:
        """Return the position as plain data: numbers, strings, lists and dicts."""
        return {
            "index": self._index,
            "loops": [[loop.turn, loop.index, loop.first, loop.latest] for loop in self._loops],
            "cycle": self._cycle,
            "left_a_loop": self._left_a_loop,
            "capacities": dict(self._capacities),
            "marked": dict(self._marked),
            "visiting": self._current is not None,
        }

    @classmethod
    def restored(cls, plan: Plan, state: Mapping[str, Any]) -> tuple["Walk", Visit | None]:
        """Return the walk as `state` left it, and the visit it was in the middle of.

        The visit is None where the step was over already, or none had begun: `advance` goes on.
        """
        walk = cls(plan)
        walk._index = state["index"]
        walk._capacities = dict(state["capacities"])
        walk._marked = dict(state["marked"])
        walk._cycle = state["cycle"]
        walk._left_a_loop = state["left_a_loop"]
        steps: Sequence[PlannedEntry] = plan.steps
        index = walk._index
        for turn, inner, first, latest in state["loops"]:
            repeat = steps[index - 1]
            if not isinstance(repeat, PlannedRepeat):
                raise ValueError("the position does not fit the plan")
            walk._loops.append(_Loop(repeat, turn, inner, first, latest))
            steps, index = repeat.steps, inner
        if not state["visiting"]:
            return walk, None
        step = steps[index - 1]
        if not isinstance(step, PlannedStep):
            raise ValueError("the position does not fit the plan")
        walk._current = step
        return walk, walk._visit(step)

    def remaining(self) -> Plan:
        """Return what is left, beginning with the step that is being visited, as a plan of its own."""
        if self._current is None:
            raise ValueError("no step is being visited")
        loops = tuple((loop.repeat, loop.turn, loop.index) for loop in self._loops)
        here = self._visit(self._current).step
        return remainder(self._plan, here, self._index, loops, self._capacities)

    def _visit(self, step: PlannedStep) -> Visit:
        if step.until is not None and any(end.relative_to for end in step.until.comparisons()):
            step = replace(step, until=step.until.bound(self._capacities))
        return Visit(step, tuple(loop.turn for loop in self._loops), self._cycle)

    def _next_step(self) -> PlannedStep | None:
        while True:
            steps, index = self._here()
            if index < len(steps):
                self._move_to(index + 1)
                entry = steps[index]
                if isinstance(entry, PlannedStep):
                    if self._left_a_loop and not isinstance(entry.technique, _CURRENTLESS):
                        self._cycle += 1
                        self._left_a_loop = False
                    return entry
                self._loops.append(_Loop(entry, turn=1, index=0))
                self._begin_turn(entry)
            elif self._loops:
                self._end_turn()
            else:
                return None

    def _here(self) -> tuple[Sequence[PlannedEntry], int]:
        if self._loops:
            return self._loops[-1].repeat.steps, self._loops[-1].index
        return self._plan.steps, self._index

    def _move_to(self, index: int) -> None:
        if self._loops:
            self._loops[-1].index = index
        else:
            self._index = index

    def _begin_turn(self, repeat: PlannedRepeat) -> None:
        if not any(isinstance(inner, PlannedRepeat) for inner in repeat.steps):
            self._cycle += 1
            self._left_a_loop = False

    def _end_turn(self) -> None:
        loop = self._loops[-1]
        if loop.first is None:
            loop.first = loop.latest
        faded = loop.repeat.until is not None and self._faded(loop, loop.repeat.until)
        if loop.turn >= loop.repeat.times or faded:
            self._loops.pop()
            self._left_a_loop = True
            return
        loop.turn += 1
        loop.index = 0
        loop.latest = None
        self._begin_turn(loop.repeat)

    def _faded(self, loop: _Loop, fade: Fade) -> bool:
        reference = loop.first if fade.mark is None else self._marked.get(fade.mark)
        if not reference or loop.latest is None:
            return False
        return loop.latest < fade.fraction * reference
