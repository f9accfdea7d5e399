"""Neware's text export: one table, or cycles, steps and records in layers of one file."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from daemon.imports.layout import Layout
from daemon.imports.recording import Recording, Source
from daemon.imports.table import Table
from daemon.imports.text import Row, TextFile
from daemon.imports.units import heading

FLAT = Layout(
    time=("Total Time",),
    voltage=("Voltage",),
    current=("Current",),
    step=("Step Index", "Step Number"),
    cycle=("Cycle Index",),
    step_time=("Time", "Step Time"),
    kind=("Step Type",),
    capacity=("Capacity",),
    energy=("Energy",),
    temperature=("T1",),
    moment=("Date", "Absolute Time"),
)
"""`Capacity` counts from the start of the step and has no sign (BTS 8 exports)."""

_LAYERS = ("cycle index", "step index", "datapoint")
_FORMAT = "Neware text export"


def is_flat(titles: Sequence[str]) -> bool:
    """Whether these are the headings of the export as one table."""
    names = {heading(title).name for title in titles}
    return {"datapoint", "step type", "total time", "voltage", "current"} <= names


def read_flat(table: Table) -> Recording:
    """Read the export as one table."""
    return FLAT.read(table, Source(_FORMAT, {"maker": "Neware"}, technique="Neware test"))


def is_layered(text: TextFile) -> bool:
    """Whether the first three lines are the headings of cycles, steps and records."""
    lines = [line.split(",") for line in text.lines(3)]
    if len(lines) < 3:
        return False
    firsts = [next((heading(cell).name for cell in cells if cell.strip()), "") for cells in lines]
    return tuple(firsts) == _LAYERS


@dataclass(slots=True)
class _Layers:
    """Where in the file the reader is: the cycle and the step the records belong to."""

    text: TextFile
    cycle_width: int
    record_width: int
    kind_at: int
    cycle: str = ""
    step: str = ""
    kind: str = ""
    rows: list[Row] = field(default_factory=list)

    def take(self, row: Row) -> None:
        """Take a row of a cycle (first cell), of a step (second) or of a record (third)."""
        cells = row.cells
        if cells[0].strip():
            self.cycle = cells[0]
            rest = [cell for cell in cells[self.cycle_width :] if cell.strip()]
            if rest:  # seen in exports: the cycle's first step stands on the line of the cycle
                self._begin_step(Row(row.line, ["", *rest]))
        elif len(cells) > 1 and cells[1].strip():
            self._begin_step(row)
        else:
            if not self.step:
                raise self.text.refused("a record before any step", "the rows of a whole export", row.line)
            if len(cells) < self.record_width:
                raise self.text.refused(
                    f"a record of {len(cells)} cells where the headings have {self.record_width}",
                    "a whole file: this one was cut short or changed; export it again",
                    row.line,
                )
            self.rows.append(Row(row.line, [*cells[2:], self.cycle, self.step, self.kind]))

    def _begin_step(self, row: Row) -> None:
        if len(row.cells) <= self.kind_at:
            raise self.text.refused(
                f"the row of a step with {len(row.cells)} cells", f"at least {self.kind_at + 1}", row.line
            )
        self.step, self.kind = row.cells[2], row.cells[self.kind_at]


def read_layered(text: TextFile) -> Recording:
    """Read the export in layers; the counters of the records are used, not those rounded for the steps."""
    every = list(text.rows(","))
    cycles, steps, records = every[:3]
    kinds = [place for place, cell in enumerate(steps.cells) if heading(cell).name == "step type"]
    if not kinds:
        raise text.refused("no column Step Type", "the headings of a Neware export", steps.line)
    layers = _Layers(text, _width(cycles), _width(records), kinds[0])
    for row in every[3:]:
        layers.take(row)
    titles = [*records.cells[2:], "Cycle Index", "Step Number", "Step Type"]
    table = Table.of(text.name, titles, layers.rows)
    return FLAT.read(table, Source(_FORMAT, {"maker": "Neware"}, technique="Neware test"))


def _width(headings: Row) -> int:
    return max(place for place, cell in enumerate(headings.cells, 1) if cell.strip())
