"""The protocol and cell files a study names: beside it, or ready ones."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import yaml

from daemon.sources import Source
from protocols import library
from protocols.cell import Cell
from protocols.errors import Problem, ProtocolError
from protocols.study import Study, Task


class Files(NamedTuple):
    """What is submitted for one cell of a study."""

    protocol: Source
    cell: Source


def files_of(study: Study, task: Task) -> Files:
    """Return the protocol and the cell of a task.

    A cell without a file of its own is the row's with the variant for its separator; it is called
    by its variant and number, so that no two cells of a study have one name. Raises `ProtocolError`
    for a file that is not there or is wrong.
    """
    try:
        return _files(study, task)
    except ProtocolError as error:
        if error.problems[0].place.line != 1 or error.problems[0].place.file not in _named(task):
            raise  # the file is there, and wrong at its own place
        problem = error.problems[0]
        raise ProtocolError(Problem(task.row.place, problem.seen, problem.wanted)) from error


def check_files(study: Study, full: bool) -> None:
    """Look at every file the study names. Raises one `ProtocolError` for all that are missing or wrong."""
    problems: dict[Problem, None] = {}
    for task in study.tasks(full):
        try:
            files_of(study, task)
        except ProtocolError as error:
            problems |= dict.fromkeys(error.problems)
    if problems:
        raise ProtocolError(*problems)


def _named(task: Task) -> tuple[str, ...]:
    names = (task.row.protocol, task.row.cell, task.variant.cell or "")
    return tuple(name[:64] for name in names)


def _files(study: Study, task: Task) -> Files:
    protocol = _found(study.folder, "protocols", task.row.protocol, library.protocol_path)
    if task.variant.cell is not None:
        return Files(protocol, _cell(study.folder, task.variant.cell, task, separator=None))
    ready = f"{task.row.cell}_{_slug(task.variant.name)}"
    beside = _beside(study.folder, "cells", task.row.cell)
    if beside is None and ready in library.cell_names():
        return Files(protocol, _cell(study.folder, ready, task, separator=None))
    return Files(protocol, _cell(study.folder, task.row.cell, task, separator=task.variant.name))


def _cell(folder: Path, name: str, task: Task, separator: str | None) -> Source:
    """Return the text of a cell file under the name of one cell, with another separator's name in it."""
    text, file = _found(folder, "cells", name, library.cell_path)
    Cell.parse(text, file)  # whatever is wrong in it is told with its place
    facts = yaml.load(text, Loader=yaml.BaseLoader)
    variant = "" if task.variant.name in facts["cell"] else f" · {task.variant.name}"
    facts["cell"] += f"{variant} · no. {task.replicate}"
    if separator is not None and "separator" in facts:
        facts["separator"]["name"] = separator
    return Source(yaml.safe_dump(facts, allow_unicode=True, sort_keys=False), file)


def _found(folder: Path, kind: str, name: str, ready: library.PathOf) -> Source:
    path = _beside(folder, kind, name) or ready(name)
    return Source(path.read_text(encoding="utf-8", errors="surrogateescape"), str(path))


def _beside(folder: Path, kind: str, name: str) -> Path | None:
    return next((path for path in _candidates(folder, kind, name) if path.is_file()), None)


def _candidates(folder: Path, kind: str, name: str) -> Iterator[Path]:
    """Yield where a file may be: as the study says, beside it, or in the folder of its kind next to it."""
    yield folder / name
    yield folder / f"{name}.yaml"
    yield folder.parent / kind / f"{name}.yaml"


def _slug(variant: str) -> str:
    """Return the ending of a ready cell's name: pp, tio2, go, ti087o2."""
    coating = variant.removesuffix("/PP")
    return re.sub(r"[^a-z0-9]", "", coating.casefold())


def study_of(name: str) -> Study:
    """Read a study file, or a ready study by its name. Raises `ProtocolError`."""
    path = Path(name)
    return Study.load(path if path.exists() else library.study_path(name))
