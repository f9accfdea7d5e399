"""What is left of a plan from somewhere in its middle, as a plan of its own."""

from collections.abc import Iterator, Mapping
from dataclasses import replace

from protocols.plan import Plan, PlannedEntry, PlannedRepeat, PlannedStep, steps_below

Open = tuple[PlannedRepeat, int, int]
"""A repeat one is in: which, in which turn (from 1), and the index of the next of its entries."""


def remainder(
    plan: Plan, here: PlannedStep, index: int, loops: tuple[Open, ...], capacities: Mapping[str, float]
) -> Plan:
    """Return the plan that begins with the step `here` and goes on as `plan` would.

    `index` is that of the next entry of the plan itself, `loops` are the repeats one is in, outermost
    first, `capacities` what the latest step of each verb passed (coulomb): a share of a step that
    is no longer in the plan becomes a number. Paths, lines and marks stay those of the plan.
    """
    entries: list[PlannedEntry] = [here]
    for repeat, turn, following in reversed(loops):
        entries += repeat.steps[following:]
        if turn < repeat.times:
            entries.append(replace(repeat, times=repeat.times - turn))
    entries += plan.steps[index:]
    return replace(plan, steps=tuple(_bound(entries, capacities, set())))


def _bound(
    entries: list[PlannedEntry], capacities: Mapping[str, float], run: set[str]
) -> Iterator[PlannedEntry]:
    """Yield the entries, each share of a verb that has not `run` before it bound to its capacity.

    A repeat that begins with such a share has its first turn written out: later turns mean their own.
    """
    for entry in entries:
        if isinstance(entry, PlannedStep):
            yield _bound_step(entry, capacities, run)
            run.add(entry.verb)
        elif not _looks_back(entry, set(run)):
            yield entry
            run.update(step.verb for step in steps_below(entry.steps))
        else:
            yield from _bound(list(entry.steps), capacities, run)
            if entry.times > 1:
                yield from _bound([replace(entry, times=entry.times - 1)], capacities, run)


def _bound_step(step: PlannedStep, capacities: Mapping[str, float], run: set[str]) -> PlannedStep:
    if step.until is None or not _shares(step) - run:
        return step
    before = {verb: coulombs for verb, coulombs in capacities.items() if verb not in run}
    return replace(step, until=step.until.bound(before))


def _looks_back(repeat: PlannedRepeat, run: set[str]) -> bool:
    """Whether a step of its first turn refers to one before the remainder."""
    for step in steps_below(repeat.steps):
        if _shares(step) - run:
            return True
        run.add(step.verb)
    return False


def _shares(step: PlannedStep) -> set[str]:
    """Return the verbs whose capacity its ends refer to."""
    ends = step.until.comparisons() if step.until is not None else ()
    return {end.relative_to for end in ends if end.relative_to is not None}
