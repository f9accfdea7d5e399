"""The protocol and cell files a study names: its own, or ready ones; and what of them one cell is given."""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import msgspec
import yaml

from daemon.sources import Source
from protocols import library
from protocols.cell import Cell
from protocols.errors import Place, Problem, ProtocolError
from protocols.nodes import did_you_mean
from protocols.problems import MOST_PROBLEMS
from protocols.study import Study, Task


class File(msgspec.Struct, frozen=True):
    """The text of a file, what messages call it, and whether it is a ready one."""

    text: str
    file: str
    ready: bool = False


class Files(msgspec.Struct, frozen=True):
    """Protocols and cells by the names a study calls them."""

    protocols: Mapping[str, File] = {}
    cells: Mapping[str, File] = {}

    @property
    def bytes(self) -> int:
        """How long they are together, in UTF-8."""
        texts = (file.text for file in (*self.protocols.values(), *self.cells.values()))
        return sum(len(text.encode()) for text in texts)


class Given(NamedTuple):
    """What is submitted for one cell of a study."""

    protocol: Source
    cell: Source


def beside(study: Study) -> Files:
    """Return a study's own files: beside it, or in `protocols/` and `cells/` next to its folder."""
    protocols = {row.protocol for row in study.rows}
    cells = {name for row in study.rows for name in (row.cell, *(v.cell for v in row.variants)) if name}
    return Files(
        dict(_found(study.folder, "protocols", sorted(protocols))),
        dict(_found(study.folder, "cells", sorted(cells))),
    )


def frozen(study: Study, own: Files, full: bool) -> Files:
    """Return every file the study needs: its own, and the ready ones as they are now.

    Raises one `ProtocolError` for all that are neither, each at the place that names it.
    """
    protocols: dict[str, File] = {}
    cells: dict[str, File] = {}
    problems: dict[Problem, None] = {}
    for task in (task for task in study.tasks(full) if task.replicate == 1):
        try:
            protocols[task.row.protocol] = _protocol(task, own)
        except ProtocolError as error:
            problems |= dict.fromkeys(error.problems)
        try:
            name, file = _cell(task, own)
            cells[name] = file
        except ProtocolError as error:
            problems |= dict.fromkeys(error.problems)
    if problems:
        raise ProtocolError(*list(problems)[:MOST_PROBLEMS])
    return Files(protocols, cells)


def given(files: Files, task: Task) -> Given:
    """Return the protocol and the cell of a task, from files that `frozen` returned.

    A cell without a file of its own is the row's with the variant for its separator; it is called
    by its variant and number, so that no two cells of a study have one name.
    """
    protocol = files.protocols[task.row.protocol]
    name, cell = _cell(task, files)
    separator = task.variant.name if name == task.row.cell and task.variant.cell is None else None
    return Given(Source(protocol.text, protocol.file), _of_the_task(cell, task, separator))


def _protocol(task: Task, own: Files) -> File:
    name = task.row.protocol
    return _own(own.protocols, name) or _ready(
        name, library.protocol_names(), library.protocol_path, "protocol", task.row.places["protocol"]
    )


def _cell(task: Task, own: Files) -> tuple[str, File]:
    """Return the cell file of a task and its name: the variant's, the row's own, or a ready one."""
    row, variant = task.row, task.variant
    name = variant.cell or row.cell
    place = variant.cell_place if variant.cell is not None else row.places["cell"]
    found = _own(own.cells, name)
    if found is not None and (not found.ready or variant.cell is not None):
        return name, found
    fitting = f"{row.cell}_{_slug(variant.name)}"
    if variant.cell is None and fitting in library.cell_names():
        kept = own.cells.get(fitting)
        return fitting, kept or _ready(fitting, library.cell_names(), library.cell_path, "cell", place)
    return name, found or _ready(name, library.cell_names(), library.cell_path, "cell", place)


def _own(files: Mapping[str, File], name: str) -> File | None:
    return files.get(name) or files.get(f"{name}.yaml")


def _ready(name: str, known: Sequence[str], path_of: Callable[[str], Path], what: str, place: Place) -> File:
    if name not in known:
        near = did_you_mean(name, known)
        wanted = f"a {what} file sent with the study, or a ready one" + (near or f": {', '.join(known)}")
        raise ProtocolError(Problem(place, f"the unknown {what} {name[:64]!r}", wanted))
    return File(path_of(name).read_text(encoding="utf-8"), f"{name}.yaml", ready=True)


def _of_the_task(cell: File, task: Task, separator: str | None) -> Source:
    """Return the text of a cell file under the name of one cell, with another separator's name in it."""
    Cell.parse(cell.text, cell.file)  # whatever is wrong in it is told with its place
    facts = yaml.load(cell.text, Loader=yaml.BaseLoader)
    variant = "" if task.variant.name in facts["cell"] else f" · {task.variant.name}"
    facts["cell"] += f"{variant} · no. {task.replicate}"
    if separator is not None and "separator" in facts:
        facts["separator"]["name"] = separator
    return Source(yaml.safe_dump(facts, allow_unicode=True, sort_keys=False), cell.file)


def _found(folder: Path, kind: str, names: Sequence[str]) -> Iterator[tuple[str, File]]:
    for name in names:
        candidates = (folder / name, folder / f"{name}.yaml", folder.parent / kind / f"{name}.yaml")
        path = next((path for path in candidates if path.is_file()), None)
        if path is not None and not library.is_ready(path):
            yield name, File(path.read_text(encoding="utf-8", errors="surrogateescape"), str(path))


def _slug(variant: str) -> str:
    """Return the ending of a ready cell's name: pp, tio2, go, ti087o2."""
    coating = variant.removesuffix("/PP")
    return re.sub(r"[^a-z0-9]", "", coating.casefold())


def study_source(name: str) -> tuple[Study, Source]:
    """Read a study file, or a ready study by its name. Raises `ProtocolError`."""
    path = Path(name)
    found = path if path.exists() else library.study_path(name)
    study = Study.load(found)
    return study, Source(found.read_text(encoding="utf-8"), str(found))
