"""A protocol made ready for one cell on one channel: SI values, windows intersected, nothing open.

`protocols.resolve` makes a `Plan`; the engines walk it.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from protocols.conditions import Condition
from protocols.limits import Limits
from protocols.recording import Recording
from protocols.techniques import Technique


@dataclass(frozen=True, slots=True)
class Ceiling:
    """What no step may exceed whatever the protocol says: seconds, and coulombs passed."""

    seconds: float
    coulombs: float


@dataclass(frozen=True, slots=True)
class PlannedStep:
    """One step, everything resolved.

    `path` is its place in the plan ("3.1": first step inside the third entry; the steps of a `for`
    stand one after the other, once per value), `line` its line in the file.
    `setting` is the set value as a person would write it, e.g. "-1.131 mA". `marks` are its own
    and those of the blocks around it, outermost first. `until` is None only where the technique
    ends by itself (sweep, impedance, chamber).
    """

    path: str
    line: int
    verb: str
    technique: Technique
    setting: str
    until: Condition | None
    record: Recording
    ceiling: Ceiling
    marks: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Fade:
    """`until: retention < 80 %`: ends a repeat early.

    The capacity of the latest round's last discharge (or, where there is none, its last step of
    any current) over that of the first round, or of the first such step under `mark`.
    """

    fraction: float
    mark: str | None
    text: str


@dataclass(frozen=True, slots=True)
class PlannedRepeat:
    """Its steps, `times` times over; `until` may end it after any round."""

    path: str
    line: int
    times: int
    steps: "tuple[PlannedStep | PlannedRepeat, ...]"
    until: Fade | None = None
    marks: tuple[str, ...] = ()


PlannedEntry = PlannedStep | PlannedRepeat


def steps_below(entries: tuple[PlannedEntry, ...]) -> Iterator[PlannedStep]:
    """Yield every step in the order of the file, those inside repeats once."""
    for entry in entries:
        if isinstance(entry, PlannedRepeat):
            yield from steps_below(entry.steps)
        else:
            yield entry


@dataclass(frozen=True, slots=True)
class Plan:
    """What will be done to the cell, and the window it must stay in.

    `canonical` is the protocol as canonical JSON with its variables filled in, `digest` its
    SHA-256; both are frozen with the run. `figures` are the names asked for.
    """

    name: str
    steps: tuple[PlannedStep | PlannedRepeat, ...]
    limits: Limits
    figures: tuple[str, ...]
    canonical: str
    digest: str
    variables: Mapping[str, str] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()
