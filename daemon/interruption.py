"""What an interruption may have done to a cell, and whether a run may go on after it by itself."""

import math
from collections.abc import Mapping
from dataclasses import dataclass

from daemon.position import Position
from protocols.limits import Limits
from protocols.techniques import ConstantCurrent, ConstantVoltage, Rest, Technique

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


def uncounted(
    technique: Technique | None, last: float | None, limits: Limits, seconds: float, deadman: float | None
) -> float:
    """Return the most coulombs that can have passed in `seconds` nobody counted.

    `technique` is None where nobody knows what the channel was told last. `last` is the current last
    measured, `deadman` the seconds after which the channel opens by itself.
    """
    exposed = seconds if deadman is None else min(seconds, deadman)
    match technique:
        case Rest():
            return 0.0
        case ConstantCurrent(amperes):
            return abs(amperes) * exposed
        case ConstantVoltage() if last is not None:
            return abs(last) * exposed  # it decays while a voltage is held
        case _:
            return _largest(limits) * exposed


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


def _largest(limits: Limits) -> float:
    edges = [edge for edge in (limits.current.low, limits.current.high) if edge is not None]
    return max((abs(edge.value) for edge in edges), default=math.inf)
