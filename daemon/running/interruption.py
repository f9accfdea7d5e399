"""What an interruption may have done to a cell, and whether a run may go on after it by itself."""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from daemon.running.journal_file import Action
from daemon.running.position import Position
from protocols.limits import Limits
from protocols.plan import Plan
from protocols.techniques import ConstantCurrent, ConstantPower, ConstantResistance, Rest, Technique

LONGEST_GAP = 600.0
"""Seconds without a reading after which only a person lets a run go on."""

MOST_RESUMPTIONS = 3
"""By itself, within `RESUMPTION_SECONDS`: a run that needs more of them hides a fault."""

RESUMPTION_SECONDS = 86400.0

LARGEST_STEP = 0.3
"""Volts between the last reading, which may have been under current, and the open circuit found."""


@dataclass(frozen=True, slots=True)
class Gap:
    """The stretch that nobody watched: from the last reading on record to the circuit verified open.

    `coulombs` is the most that can have passed uncounted; infinite where nothing bounds it.
    """

    began: float
    seconds: float
    coulombs: float

    def facts(self) -> Mapping[str, float | None]:
        """Return it as plain data, None for an unbounded charge."""
        coulombs = self.coulombs if math.isfinite(self.coulombs) else None
        return {"from": self.began, "seconds": self.seconds, "uncounted_coulombs": coulombs}

    def __str__(self) -> str:
        passed = f"at most {self.coulombs:.3g} C" if math.isfinite(self.coulombs) else "an unknown charge"
        return f"{self.seconds:.3g} s without readings, in which {passed} passed uncounted"


def largest_current(plan: Plan, actions: Iterable[Action], since: float) -> float:
    """Return the most amperes that can have flowed since a moment (UTC seconds), by the journal's word.

    An action counts whether or not it is known to have come; of those before the moment, the last.
    """
    acts = [action for action in actions if action.intended is not None and action.kind in ("apply", "start")]
    later = [action for action in acts if (action.intended or 0.0) >= since]
    earlier = [action for action in acts if (action.intended or 0.0) < since]
    return max((_amperes(plan, action) for action in (*earlier[-1:], *later)), default=0.0)


def _amperes(plan: Plan, action: Action) -> float:
    """Return what one action can have let flow."""
    match action.arguments:
        case {"function": "rest"}:
            return 0.0
        case {"function": "current", "level": float(level)} if not _moves(plan):
            return abs(level)
        case {"function": "voltage", "clamp": float(clamp)}:
            return clamp
        case {"whole": True}:
            return max((_amperes_of(step.technique, plan.limits) for step in plan.each_step()), default=0.0)
        case {"path": str(path)}:
            steps = [step for step in plan.each_step() if step.path == path]
            return _amperes_of(steps[0].technique, plan.limits) if steps else 0.0  # a look at rest
    return _widest(plan.limits)


def _amperes_of(technique: Technique, limits: Limits) -> float:
    match technique:
        case Rest():
            return 0.0
        case ConstantCurrent(amperes):
            return abs(amperes)
    return _widest(limits)


def _moves(plan: Plan) -> bool:
    """Whether a step moves its current after it was written down once."""
    return any(isinstance(step.technique, ConstantPower | ConstantResistance) for step in plan.each_step())


def _widest(limits: Limits) -> float:
    edges = [edge for edge in (limits.current.low, limits.current.high) if edge is not None]
    return max((abs(edge.value) for edge in edges), default=math.inf)


def objection(
    position: Position,
    gap: float,
    resumptions: int,
    *,
    latched: str | None,
    held: str | None,
    cell: str,
) -> str | None:
    """Return why a run should not go on by itself, or None. `held` is the cell the channel now holds."""
    if latched is not None:
        return f"the channel is latched: {latched}"
    if held != cell:
        return f"the channel holds {held}, the run is for {cell}"
    if position.paused:
        return "a person had paused it"
    if not gap <= LONGEST_GAP:
        return f"{gap:.0f} s passed without a reading, more than {LONGEST_GAP:g} s"
    if resumptions >= MOST_RESUMPTIONS:
        return f"it went on by itself {resumptions} times in {RESUMPTION_SECONDS / 3600:g} h already"
    return None


def unlike(open_circuit: float, position: Position) -> str | None:
    """Return why the cell does not look like the one the run left, or None."""
    last = position.step.last if position.step is not None else None
    if last is None or abs(open_circuit - last.voltage) <= LARGEST_STEP:
        return None
    return (
        f"the open-circuit voltage is {open_circuit:.4f} V and the last reading was {last.voltage:.4f} V, "
        f"more than {LARGEST_STEP:g} V apart"
    )
