"""A study as it was submitted, frozen: its text, every file it needs, and who wants it."""

from collections.abc import Mapping, Sequence

import msgspec

from daemon.running.order import ResumePolicy
from daemon.studies.files import Files, Given, given
from protocols.study import Study, Task


class StudyOrder(msgspec.Struct, frozen=True):
    """What was asked for; `files` are its own and the ready ones as they were then.

    `submitted` is UTC seconds, `expected` the seconds each of its cells is expected to take, in the
    order of its tasks.
    """

    number: int
    text: str
    file: str
    full: bool
    files: Files
    who: str
    submitted: float
    expected: Sequence[float]
    key: str = ""
    resume: ResumePolicy = ResumePolicy.CONFIRM

    def study(self) -> Study:
        """Return the study itself."""
        return Study.parse(self.text, self.file)

    def given(self, task: Task) -> Given:
        """Return the protocol and the cell of a task."""
        return given(self.files, task)

    def same(self, other: "StudyOrder") -> bool:
        """Whether the same was asked for, whoever did and whenever."""
        return _asked(self) == _asked(other)

    def encoded(self) -> bytes:
        """Return it as the journal keeps it."""
        return msgspec.msgpack.encode(self)


def _asked(order: StudyOrder) -> tuple[object, ...]:
    texts = [
        {name: file.text for name, file in files.items()}
        for files in (order.files.protocols, order.files.cells)
    ]
    return order.text, order.full, texts, order.resume


def decoded(blob: bytes) -> StudyOrder:
    """Return an order from the journal. Raises `ValueError` for one that cannot be read."""
    return _decoder.decode(blob)


_decoder = msgspec.msgpack.Decoder(StudyOrder)


def labels(study: Study, name: str, task: Task) -> Mapping[str, str]:
    """Return what is kept with the run of a task, so that it is found again by it."""
    return {
        "study": study.name,
        "study id": name,
        "protocol": task.row.protocol,
        "cell": task.row.cell,
        "on": task.row.on,
        "variant": task.variant.name,
        "replicate": str(task.replicate),
    }
