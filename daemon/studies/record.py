"""A study on the disk: what was submitted, where it stands, its cells; every change is one commit."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Self

import msgspec

from daemon.running.journal import Journal, audit_entry
from daemon.running.journal_file import Statement, StudyRow
from daemon.studies import order
from daemon.studies.order import StudyOrder
from daemon.studies.standing import Standing, StudyCell, cell_decoded, standing_decoded
from protocols.study import Study, Task


@dataclass(frozen=True, slots=True)
class Act:
    """Who did what to a study, for the audit."""

    who: str
    what: str
    detail: str


_CELL = "UPDATE study_cell SET state = ? WHERE study = ? AND number = ?"
_TRUTH = "UPDATE study_cell SET truth = ? WHERE study = ? AND number = ?"


@dataclass(slots=True)
class Record:
    """One study; what is in memory is on the disk or about to be: what the disk refuses is undone."""

    name: str
    order: StudyOrder
    standing: Standing = field(default_factory=Standing)
    cells: list[StudyCell] = field(default_factory=list)
    study: Study = field(init=False)
    tasks: Sequence[Task] = field(init=False)

    def __post_init__(self) -> None:
        self.study = self.order.study()
        self.tasks = list(self.study.tasks(self.order.full))
        self.cells = self.cells or [StudyCell(since=self.order.submitted) for _ in self.tasks]

    @classmethod
    def of(cls, core: str, row: StudyRow) -> Self:
        """Return a study as the journal keeps it."""
        cells = [cell_decoded(blob) for blob in row.cells]
        return cls(
            study_name(core, row.number), order.decoded(row.source), standing_decoded(row.state), cells
        )

    @property
    def over(self) -> bool:
        """Whether nothing of it is left to be done."""
        return self.standing.ended is not None

    async def add(self, journal: Journal, also: Sequence[Statement] = ()) -> None:
        """Keep a new study, in one commit with what else comes with it."""
        source, state = self.order.encoded(), msgspec.msgpack.encode(self.standing)
        row = (self.order.number, self.study.name, self.order.key or None, self.order.submitted)
        await journal.commit(
            ("INSERT INTO study VALUES (?, ?, ?, ?, NULL, ?, ?)", (*row, source, state)),
            *(
                (
                    "INSERT INTO study_cell VALUES (?, ?, ?, NULL)",
                    (self.order.number, number, msgspec.msgpack.encode(cell)),
                )
                for number, cell in enumerate(self.cells, start=1)
            ),
            *also,
            audit_entry(self.order.who, "study", self.name, self.study.name),
        )

    async def change(
        self,
        journal: Journal,
        cells: Mapping[int, StudyCell],
        standing: Standing | None = None,
        act: Act | None = None,
        truth: Mapping[str, Any] | None = None,
    ) -> None:
        """Move cells, by their numbers from 1, and the study itself; returns once that is on the disk.

        `truth` is what was put into the one simulated cell that is moved.
        """
        before, stood = {number: self.cells[number - 1] for number in cells}, self.standing
        for number, cell in cells.items():
            self.cells[number - 1] = cell
        self.standing = standing or self.standing
        try:
            await journal.commit(*self._statements(cells, standing is not None, act, truth))
        except Exception:
            for number, cell in cells.items():  # what somebody else has moved meanwhile stays as it is
                if self.cells[number - 1] is cell:
                    self.cells[number - 1] = before[number]
            if self.standing is standing:
                self.standing = stood
            raise

    def _statements(
        self,
        cells: Mapping[int, StudyCell],
        moved: bool,
        act: Act | None,
        truth: Mapping[str, Any] | None,
    ) -> list[Statement]:
        found = self.cell_statements(cells)
        if truth is not None:
            kept = json.dumps(truth).encode()
            found += [(_TRUTH, (kept, self.order.number, number)) for number in cells]
        if moved:
            found.append(self.standing_statement(self.standing))
        if act is not None:
            found.append(audit_entry(act.who, act.what, self.name, act.detail))
        return found

    def cell_statements(self, cells: Mapping[int, StudyCell]) -> list[Statement]:
        """Return what keeps cells, by their numbers from 1."""
        return [
            (
                _CELL,
                (msgspec.msgpack.encode(cell), self.order.number, number),
            )
            for number, cell in cells.items()
        ]

    def standing_statement(self, standing: Standing) -> Statement:
        """Return what keeps where the study stands."""
        return (
            "UPDATE study SET state = ?, ended = ? WHERE number = ?",
            (msgspec.msgpack.encode(standing), standing.ended, self.order.number),
        )


def study_name(core: str, number: int) -> str:
    """Return what a study is called: after its core, as runs are."""
    return f"{core}-s{number}"


def study_number(core: str, name: str) -> int | None:
    """Return the number in a study's name, or of the number alone; None for anything else."""
    digits = name.removeprefix(f"{core}-").removeprefix("s")
    return int(digits) if digits.isascii() and digits.isdigit() and len(digits) < 10 else None
