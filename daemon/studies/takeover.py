"""A later version of a study takes over the cells of the one before that are the same."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Self

from daemon.running.journal_file import Statement
from daemon.studies.record import Record
from daemon.studies.standing import CellState, Standing, StudyCell, StudyState, final
from protocols.study import Task

KEPT = (CellState.FINISHED, CellState.RUNNING, CellState.ASKED)
"""What is taken over: everything else is to be done anew anyway."""

_SAME_TRUTH = (
    "UPDATE study_cell SET truth = (SELECT truth FROM study_cell WHERE study = ? AND number = ?)"
    " WHERE study = ? AND number = ?"
)


@dataclass(frozen=True, slots=True)
class TakeOver:
    """What a new study takes from an earlier one: its cells, and what becomes of the earlier one.

    `taken` is the earlier number of each cell that is taken over, by its new one.
    """

    earlier: Record
    taken: Mapping[int, int]
    left: Mapping[int, StudyCell]
    standing: Standing

    @classmethod
    def of(cls, earlier: Record, new: Record, now: float) -> Self:
        """Match cells by all that makes a measurement the same: files, variables, variant, number, place."""
        known = {_same(earlier, task): number for number, task in enumerate(earlier.tasks, start=1)}
        taken = {
            number: before
            for number, task in enumerate(new.tasks, start=1)
            if (before := known.get(_same(new, task))) is not None
            if earlier.cells[before - 1].state in KEPT
        }
        if earlier.over:
            return cls(earlier, taken, {}, earlier.standing)
        left = {
            number: StudyCell(CellState.LEFT_OUT, now, reason=f"{new.name} has taken its place")
            for number, cell in enumerate(earlier.cells, start=1)
            if cell.state in (CellState.WAITING, CellState.ASKED)
            or (cell.state is CellState.RUNNING and number in taken.values())
        }
        standing = earlier.standing.steered(StudyState.REPLACED, f"{new.name} has taken its place")
        cells = [left.get(number, cell) for number, cell in enumerate(earlier.cells, start=1)]
        over = final(standing, cells)
        return cls(earlier, taken, left, standing if over is None else standing.over(over, now))

    def cells(self) -> Mapping[int, StudyCell]:
        """Return the cells that are taken over, by their new numbers."""
        return {number: self.earlier.cells[before - 1] for number, before in self.taken.items()}

    def statements(self, number: int) -> Sequence[Statement]:
        """Return what keeps it, for the new study of this number."""
        earlier = self.earlier.order.number
        truths: list[Statement] = [
            (
                _SAME_TRUTH,
                (earlier, before, number, new),
            )
            for new, before in self.taken.items()
        ]
        return [
            *truths,
            *self.earlier.cell_statements(self.left),
            self.earlier.standing_statement(self.standing),
        ]

    def done(self) -> None:
        """It is on the disk: the earlier one stands as it says."""
        for number, cell in self.left.items():
            self.earlier.cells[number - 1] = cell
        self.earlier.standing = self.standing


def _same(record: Record, task: Task) -> tuple[object, ...]:
    protocol, cell = record.order.given(task)
    return (
        task.row.on,
        protocol.text,
        cell.text,
        task.variant.name,
        task.variant.simulated,
        task.replicate,
        tuple(sorted(task.variables.items())),
    )
