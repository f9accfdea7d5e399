"""The planner: resolves steps in the order they will run, and refuses what could not be run safely."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

from protocols import lab
from protocols.conditions import AnyOf, Comparison, Condition, Quantity
from protocols.edges import Point, end_point, set_points
from protocols.endless import ends_surely, what_to_add
from protocols.ends import WrittenComparison
from protocols.errors import Problem, ProtocolError
from protocols.limits import Limits
from protocols.nodes import Scalar, did_you_mean
from protocols.operands import Values
from protocols.plan import Ceiling, Fade, PlannedEntry, PlannedRepeat, PlannedStep, steps_below
from protocols.problems import Problems
from protocols.recording import Recording
from protocols.rules import DEFAULT, WrittenRule
from protocols.steps import MOST_STEPS, WrittenEntry, WrittenFor, WrittenRepeat, WrittenStep, describe
from protocols.techniques import Rest, Technique, direction
from protocols.verbs import LONGEST_TIME

MOST_VISITS = 10_000_000
"""Steps a plan may execute in all, loops multiplied."""

_MOST_WARNINGS = 20
_NEVER_NEGATIVE = (Quantity.TIME, Quantity.CAPACITY, Quantity.ENERGY, Quantity.CURRENT)


@dataclass(frozen=True, slots=True)
class Around:
    """What stands around an entry: values in force, its path's beginning, marks, and how often it runs."""

    values: Values
    prefix: str = ""
    marks: tuple[str, ...] = ()
    times: int = 1

    def marked(self, mark: str | None) -> "Around":
        return self if mark is None else replace(self, marks=(*self.marks, self.values.text(mark)))


class Planner:
    """Resolves steps one after the other, remembering which verbs and marks came before."""

    def __init__(self, record: WrittenRule | None, limits: Limits) -> None:
        self.warnings: list[str] = []
        self._record = record
        self._limits = limits
        self._problems = Problems()
        self._verbs: set[str] = set()
        self._discharged: set[str] = set()  # marks under which a discharge came before
        self._planned = 0
        self._visits = 0

    def plan(self, entries: tuple[WrittenEntry, ...], values: Values) -> tuple[PlannedEntry, ...]:
        """Return the planned steps, or raise one `ProtocolError` with everything that is wrong."""
        steps: tuple[PlannedEntry, ...] = ()
        with self._problems.gathered():
            steps = self._all(entries, Around(values))
        self._problems.settle()
        return steps

    def _all(self, entries: tuple[WrittenEntry, ...], around: Around) -> tuple[PlannedEntry, ...]:
        planned: list[PlannedEntry] = []
        for number, (entry, inner) in enumerate(_unrolled(entries, around), start=1):
            self._planned += 1
            if self._planned > MOST_STEPS:
                seen = f"more than {MOST_STEPS} steps once `for` is unrolled"
                raise ProtocolError(Problem(entry.place, seen, "fewer values, or `repeat`"))
            with self._problems.gathered():
                planned.append(self._entry(entry, inner, f"{around.prefix}{number}"))
        return tuple(planned)

    def _entry(self, entry: WrittenStep | WrittenRepeat, around: Around, path: str) -> PlannedEntry:
        around = around.marked(entry.mark)
        if isinstance(entry, WrittenRepeat):
            return self._repeat(entry, around, path)
        self._visits += around.times
        if self._visits > MOST_VISITS:
            raise ProtocolError(
                Problem(entry.place, f"{self._visits} steps to run up to here", f"at most {MOST_VISITS}")
            )
        return self._step(entry, around, path)

    def _repeat(self, entry: WrittenRepeat, around: Around, path: str) -> PlannedRepeat:
        times = around.values.whole(entry.times)
        if not 1 <= times <= MOST_VISITS:
            raise around.values.written(entry.times).refused(f"1 to {MOST_VISITS} rounds")
        inner = replace(around, prefix=f"{path}.", times=around.times * times)
        steps = self._all(entry.steps, inner)
        until = None
        if entry.until is not None:
            until = entry.until.resolved(around.values)
            self._check_fade(until, entry.until.scalar, steps)
        return PlannedRepeat(path, entry.place.line, times, steps, until, around.marks)

    def _check_fade(self, fade: Fade, scalar: Scalar, steps: tuple[PlannedEntry, ...]) -> None:
        if not any(direction(step.technique) for step in steps_below(steps)):
            raise scalar.refused(
                "a step that charges or discharges inside the repeat", "retention of nothing"
            )
        if fade.mark is not None and fade.mark not in self._discharged:
            known = sorted(self._discharged)
            marks = ", ".join(known) or "there is none with a discharge"
            raise scalar.refused(f"an earlier mark: {marks}{did_you_mean(fade.mark, known)}")

    def _step(self, entry: WrittenStep, around: Around, path: str) -> PlannedStep:
        technique = entry.technique.resolved(around.values)
        until = self._until(entry, around.values)
        self._check_set_value(entry, technique)
        if not ends_surely(entry.verb, technique, until):
            wanted = what_to_add(entry.verb, technique)
            raise ProtocolError(Problem(entry.place, f"{describe(entry)} could run for ever", wanted))
        self._verbs.add(entry.verb)
        if direction(technique) < 0:
            self._discharged.update(around.marks)
        return PlannedStep(
            path=path,
            line=entry.place.line,
            verb=entry.verb,
            technique=technique,
            setting=lab.setting(technique),
            until=until,
            record=self._recording(entry, technique, around.values),
            ceiling=Ceiling(0.0, 0.0),
            marks=around.marks,
            column=entry.place.column,
        )

    def _until(self, entry: WrittenStep, values: Values) -> Condition | None:
        """Return the ends of the step, its own first (`rest: 2 h` is one), each looked at."""
        own = entry.technique.own_end(values)
        if own is not None and own.value > LONGEST_TIME:
            raise _too_long(entry.technique.scalar)
        if entry.until is None:
            return own
        until = entry.until.resolved(values)
        for written, end in zip(entry.until.comparisons(), until.comparisons(), strict=True):
            self._check_end(written, end, entry)
        return until if own is None else AnyOf((own, until))

    def _check_end(self, written: WrittenComparison, end: Comparison, entry: WrittenStep) -> None:
        if end.quantity in _NEVER_NEGATIVE and not end.value >= 0.0:
            raise written.scalar.refused(f"a {end.quantity} that is not negative: it is a magnitude")
        if end.quantity is Quantity.TIME and end.value > LONGEST_TIME:
            raise _too_long(written.scalar)
        if end.window is not None and not 0.0 < end.window <= LONGEST_TIME:
            raise written.scalar.refused("a percentage per time above zero")
        if end.relative_to is not None and end.relative_to not in self._verbs:
            raise written.scalar.refused(f"an earlier `{end.relative_to}` step to compare with")
        point = end_point(end, self._limits)
        if point is not None:
            self._check(point, written.scalar, entry)

    def _check_set_value(self, entry: WrittenStep, technique: Technique) -> None:
        for point in set_points(technique, self._limits):
            self._check(point, entry.technique.scalar, entry)

    def _check(self, point: Point, scalar: Scalar, entry: WrittenStep) -> None:
        crossing = point.crossing()
        if crossing is not None:
            raise scalar.refused(crossing.wanted, crossing.seen)
        edge = point.touched()
        if edge is not None and len(self.warnings) < _MOST_WARNINGS:
            warning = (
                f"line {scalar.place.line}: {point.what} of {describe(entry)} lies exactly on the edge of "
                f"the {edge.origin}'s window: the slightest overshoot would trip"
            )
            if warning not in self.warnings:
                self.warnings.append(warning)

    def _recording(self, entry: WrittenStep, technique: Technique, values: Values) -> Recording:
        rule = entry.record or self._record
        recording = DEFAULT if rule is None else rule.resolved(values)
        if isinstance(technique, Rest) and recording.current_step is not None:
            recording = replace(recording, current_step=None)  # one percent of no current is nothing
        return DEFAULT if recording == Recording() else recording


def _unrolled(
    entries: tuple[WrittenEntry, ...], around: Around
) -> Iterator[tuple[WrittenStep | WrittenRepeat, Around]]:
    """Yield the entries with `for` walked through: its steps once per value, the name bound to it."""
    for entry in entries:
        if not isinstance(entry, WrittenFor):
            yield entry, around
            continue
        for value in entry.values:
            text = around.values.text(value.text)
            bound = replace(around, values=around.values.with_variable(entry.variable.text, text))
            yield from _unrolled(entry.steps, bound.marked(entry.mark))


def _too_long(scalar: Scalar) -> ProtocolError:
    return scalar.refused(f"at most {lab.duration(LONGEST_TIME)}")
