"""One cell of a study and the run that measured it, as whoever reads the results needs it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from protocols.study import Study, Task


@dataclass(frozen=True, slots=True)
class Measurement:
    """A cell of a study; `truth` is what was put into a simulated one."""

    task: Task
    state: str
    reason: str = ""
    run: str | None = None
    channel: str | None = None
    truth: Mapping[str, Any] = field(default_factory=dict)


def study_in(whole: Mapping[str, Any]) -> Study:
    """Return the study of a core's whole answer."""
    return Study.parse(whole["text"], whole["file"])


def measurements(study: Study, whole: Mapping[str, Any]) -> Sequence[Measurement]:
    """Return the cells of a core's whole answer."""
    truths = whole["truths"]
    return [
        Measurement(
            task,
            cell["state"],
            cell["reason"],
            cell["run"],
            cell["channel"],
            truths.get(str(cell["number"]), {}),
        )
        for task, cell in zip(study.tasks(whole["full"]), whole["each"], strict=True)
    ]
