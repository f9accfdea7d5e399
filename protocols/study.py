"""A study: replicate cells × variants × protocols, and what a source says of their figures.

study: Ti0.87O2 separators
replicates: 5
runs:
  - protocol: ionic_conductivity
    cell: ss_sep_ss
    on: vmp3                       # an instrument of the bench, or one channel
    variants:
      PP:          {simulated: blocking/pp, source: {ionic_conductivity: 0.305 +- 0.015 mS/cm}}
      Ti0.87O2/PP: {cell: ss_sep_ss_ti087o2}
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

from protocols import nodes, source
from protocols.claims import Claim, read_claim
from protocols.errors import Place, Problem, ProtocolError
from protocols.figures.makers import MAKERS
from protocols.problems import Problems

MOST_REPLICATES = 1000
MOST_CELLS = 2000
"""Cells a study may have in all."""
ONLY_FULL = "full"


@dataclass(frozen=True, slots=True)
class Variant:
    """One variant of a row. `simulated` names the cell a simulated channel is to hold.

    `cell` is its own cell file where it has one; otherwise the variant's name is its separator's.
    `cell_place` is where that file is named, `place` where the variant is.
    """

    name: str
    cell: str | None
    simulated: str | None
    variables: Mapping[str, str]
    source: Mapping[str, Claim]
    place: Place
    cell_place: Place


@dataclass(frozen=True, slots=True)
class Row:
    """One protocol on its variants; `only_full` says that it is left out of the short study.

    `places` says where the values of `protocol`, `cell` and `on` stand.
    """

    protocol: str
    cell: str
    on: str
    replicates: int
    only_full: bool
    variables: Mapping[str, str]
    variants: tuple[Variant, ...]
    place: Place
    places: Mapping[str, Place]


@dataclass(frozen=True, slots=True)
class Task:
    """One cell to be measured: a row, a variant of it, and the number of the cell, from 1."""

    row: Row
    variant: Variant
    replicate: int

    @property
    def variables(self) -> Mapping[str, str]:
        return {**self.row.variables, **self.variant.variables}

    @property
    def label(self) -> str:
        """What a person calls it: ionic_conductivity, PP, no. 3."""
        alone = self.row.replicates == 1
        return f"{self.row.protocol}, {self.variant.name}" + ("" if alone else f", no. {self.replicate}")


@dataclass(frozen=True, slots=True)
class Study:
    """A study file, read and checked; `folder` is where the files it names are looked for first."""

    name: str
    rows: tuple[Row, ...]
    folder: Path = field(default_factory=Path)

    @classmethod
    def load(cls, path: Path) -> Self:
        """Read a study file; `ProtocolError` names file, line and column of what is wrong in it."""
        return cls._read(source.load(path), path.parent)

    @classmethod
    def parse(cls, text: str, file: str = "study", folder: Path = Path()) -> Self:
        """Read a study from text; `file` is what messages call it."""
        return cls._read(source.parse(text, file), folder)

    def rows_of(self, full: bool = False) -> Sequence[Row]:
        """Return the rows of the short study, or of the full one."""
        return [row for row in self.rows if full or not row.only_full]

    def tasks(self, full: bool = False) -> Iterator[Task]:
        """Yield every cell to be measured, all variants of a row side by side."""
        for row in self.rows_of(full):
            for replicate in range(1, row.replicates + 1):
                yield from (Task(row, variant, replicate) for variant in row.variants)

    @classmethod
    def _read(cls, node: nodes.Node, folder: Path) -> Self:
        root = nodes.as_mapping(node, "a study file, which begins with `study: <name>`")
        problems = Problems()
        with problems.gathered():
            root.only(("study", "replicates", "runs"), "a key of a study")
        rows: list[Row] = []
        name, replicates = "", 1
        with problems.gathered():
            name = nodes.as_scalar(root.need("study", "<name>"), "a name for the study").text
        with problems.gathered():
            replicates = _replicates(root.take("replicates"), 1)
        with problems.gathered():
            for item in nodes.as_list(root.need("runs", "a list of protocols and cells"), "a list").items:
                with problems.gathered():
                    rows.append(_row(item, replicates, problems))
            _require_no_more_than(MOST_CELLS, rows, root)
        problems.settle()
        return cls(name, tuple(rows), folder)


_ROW = ("protocol", "cell", "on", "replicates", "variables", "only", "variants")


def _row(node: nodes.Node, replicates: int, problems: Problems) -> Row:
    entry = nodes.as_mapping(node, "{protocol: …, cell: …, on: …, variants: …}")
    entry.only(_ROW, "a key of a study's run")
    listed = nodes.as_mapping(
        entry.need("variants", "{<name>: {simulated: …, source: …}}"), "a mapping from names to variants"
    )
    if not listed.entries:
        raise nodes.refused(listed, "one variant at least")
    variants: list[Variant] = []
    for key, value in listed.entries:
        with problems.gathered():
            variants.append(_variant(key, value))
    only = entry.take("only")
    if only is not None:
        nodes.one_of(nodes.as_scalar(only, ONLY_FULL), (ONLY_FULL,), "when it runs")
    return Row(
        protocol=_text(entry.need("protocol", "<file or ready protocol>"), "the name of a protocol"),
        cell=_text(entry.need("cell", "<file or ready cell>"), "the name of a cell"),
        on=_text(entry.need("on", "<instrument>"), "an instrument or a channel of the bench"),
        replicates=_replicates(entry.take("replicates"), replicates),
        only_full=only is not None,
        variables=_variables(entry.take("variables")),
        variants=tuple(variants),
        place=entry.place,
        places={key: entry.need(key, "").place for key in ("protocol", "cell", "on")},
    )


def _variant(key: nodes.Scalar, node: nodes.Node) -> Variant:
    entry = nodes.as_mapping(node, "{simulated: li_s/pp, source: {…}}")
    entry.only(("cell", "simulated", "variables", "source"), "a key of a variant")
    cell, simulated, claimed = entry.take("cell"), entry.take("simulated"), entry.take("source")
    return Variant(
        name=key.text,
        cell=None if cell is None else _text(cell, "the name of a cell"),
        simulated=None if simulated is None else _text(simulated, "the name of a simulated cell"),
        variables=_variables(entry.take("variables")),
        source={} if claimed is None else _source(claimed),
        place=key.place,
        cell_place=key.place if cell is None else cell.place,
    )


def _require_no_more_than(most: int, rows: Sequence[Row], root: nodes.MappingNode) -> None:
    count = sum(row.replicates * len(row.variants) for row in rows)
    if count > most:
        raise ProtocolError(Problem(root.place, f"{count} cells", f"at most {most} in one study"))


def _source(node: nodes.Node) -> Mapping[str, Claim]:
    listed = nodes.as_mapping(node, "a mapping from figures to what the source says of them")
    return {
        nodes.one_of(key, list(MAKERS), "a figure"): read_claim(nodes.as_scalar(value, "a value, or words"))
        for key, value in listed.entries
    }


def _variables(node: nodes.Node | None) -> Mapping[str, str]:
    if node is None:
        return {}
    listed = nodes.as_mapping(node, "a mapping from variables to their values")
    return {key.text: _text(value, "a value") for key, value in listed.entries}


def _replicates(node: nodes.Node | None, default: int) -> int:
    if node is None:
        return default
    scalar = nodes.as_scalar(node, "a number of cells")
    count = int(scalar.text) if scalar.text.isascii() and scalar.text.isdigit() else 0
    if not 1 <= count <= MOST_REPLICATES:
        raise scalar.refused(f"a number of cells from 1 to {MOST_REPLICATES}")
    return count


def _text(node: nodes.Node, wanted: str) -> str:
    return nodes.as_scalar(node, wanted).text
