"""Several recordings as the steps of one run."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from daemon.imports.recording import Recording
from daemon.imports.steps import Step, steps_of


def joined(recordings: Sequence[Recording]) -> list[Step]:
    """Cut recordings into steps, one after the other: never overlapping, cycles counted on."""
    steps: list[Step] = []
    first = recordings[0].source.began
    for recording in recordings:
        ended = steps[-1].ended if steps else float(recording.time[0])
        offset = max(_apart(first, recording.source.began), ended - float(recording.time[0]))
        shifted = replace(recording, time=recording.time + offset) if steps else recording
        steps += _counted_on(steps_of(shifted), max((step.cycle for step in steps), default=0))
    return steps


def _apart(first: datetime | None, other: datetime | None) -> float:
    """Return the seconds between two moments, 0 where one is not known or only one has a zone."""
    if first is None or other is None or (first.tzinfo is None) != (other.tzinfo is None):
        return 0.0
    return max(0.0, (other - first).total_seconds())


def _counted_on(steps: Sequence[Step], latest: int) -> list[Step]:
    """Let cycles go on after `latest`; what is before the first of a later file belongs to the latest."""
    begins = min((step.cycle for step in steps if step.cycle > 0), default=1)
    more = latest if begins <= latest else 0
    return [replace(step, cycle=step.cycle + more if step.cycle > 0 else latest) for step in steps]
