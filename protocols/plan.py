"""A protocol made ready for one cell on one channel: SI values, windows intersected, nothing open.

`protocols.resolve` makes a `Plan`; the engines walk it.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from protocols.conditions import Condition, Progress
from protocols.errors import LimitError
from protocols.limits import Limits
from protocols.recording import Recording
from protocols.techniques import ConstantVoltage, Impedance, Sweep, Technique


@dataclass(frozen=True, slots=True)
class Ceiling:
    """What no step may exceed whatever the protocol says: seconds, and coulombs passed."""

    seconds: float
    coulombs: float

    def check(self, progress: Progress) -> None:
        """Raise `LimitError` once the step is longer, or has passed more charge, than it ever may."""
        if not progress.time <= self.seconds:
            raise LimitError(f"the step has run {progress.time:g} s, its ceiling is {self.seconds:g} s")
        if not progress.capacity <= self.coulombs:
            raise LimitError(
                f"the step has passed {progress.capacity:g} C, its ceiling is {self.coulombs:g} C"
            )


@dataclass(frozen=True, slots=True)
class PlannedStep:
    """One step, everything resolved.

    `path` is its place in the plan ("3.1": first step inside the third entry; the steps of a `for`
    stand one after the other, once per value), `line` and `column` where it stands in the file.
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
    column: int = 1

    @property
    def needs_open_circuit(self) -> bool:
        """Whether a set value counts from the open-circuit voltage, to be measured first."""
        match self.technique:
            case ConstantVoltage(level):
                return level.versus_open_circuit
            case Sweep(start, vertices):
                return any(level.versus_open_circuit for level in (start, *vertices))
            case Impedance(bias=bias):
                return bias.versus_open_circuit
            case _:
                return False

    @property
    def resumable(self) -> bool:
        """Whether an interrupted step can go on; spectra and sweeps begin again."""
        return not isinstance(self.technique, Impedance | Sweep)


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

    def each_step(self) -> Iterator[PlannedStep]:
        """Yield every step once, however often it will run, in the order of the file."""
        yield from steps_below(self.steps)
