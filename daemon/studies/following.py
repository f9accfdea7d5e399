"""Follows a study that a core conducts, until all of it is measured, recorded and figured."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from daemon.client import ask
from daemon.errors import ServiceError, UnavailableError
from daemon.reading.results import Results
from daemon.requests import ConductStudy, Study, StudyDraft, StudyText
from daemon.sources import Source
from daemon.studies.files import File, beside
from daemon.studies.measurement import measurements, study_in
from daemon.studies.outcome import outcome
from daemon.studies.standing import OPEN, WRONG
from protocols import study

LOOK_SECONDS = 0.25
"""Between looks at the study."""

Facts = Mapping[str, Any]

GOING_ON = (*OPEN, "paused", "interrupted")
"""States of a cell whose measurement is not over."""


def drafted(found: study.Study, source: Source, full: bool) -> StudyDraft:
    """Return the request to check a study, with its own files."""
    own = beside(found)
    protocols, cells = _texts(own.protocols), _texts(own.cells)
    return StudyDraft(study=source.text, study_file=source.file, protocols=protocols, cells=cells, full=full)


def submission(found: study.Study, source: Source, full: bool, anew: bool = False) -> ConductStudy:
    """Return the request to conduct a study, with its own files."""
    draft = drafted(found, source, full)
    return ConductStudy(
        study=draft.study,
        study_file=draft.study_file,
        protocols=draft.protocols,
        cells=draft.cells,
        full=full,
        anew=anew,
    )


def _texts(files: Mapping[str, File]) -> Mapping[str, StudyText]:
    return {name: StudyText(file.text, file.file) for name, file in files.items()}


async def followed(socket: Path, name: str, database: str) -> AsyncIterator[Facts]:
    """Yield how a study stands until each of its cells is over, recorded and figured."""
    results: Results | None = None
    try:
        while True:
            found: Facts = await asyncio.to_thread(ask, socket, Study(name))
            yield found
            if not going_on(found):
                results = results or await asyncio.to_thread(_opened, database)
                if results is not None and await asyncio.to_thread(results.all_figured, _measured(found)):
                    return
            await asyncio.sleep(LOOK_SECONDS)
    finally:
        if results is not None:
            results.close()


def going_on(found: Facts) -> bool:
    """Whether any cell is still to be measured."""
    return any(cell["state"] in GOING_ON for cell in found["each"])


def wrong(found: Facts) -> Sequence[Mapping[str, Any]]:
    """Return the cells that went wrong."""
    return [cell for cell in found["each"] if cell["state"] in WRONG]


def unfinished(found: Facts) -> ServiceError | None:
    """Return the error that says which cells went wrong, or None."""
    lines = [f"{cell['label']} {cell['state']}: {cell['reason']}" for cell in wrong(found)]
    return ServiceError("\n".join(lines)) if lines else None


async def came_of(socket: Path, name: str, database: str) -> dict[str, Any]:
    """Return what came of a study, from the core's word and the results database."""
    whole = await asyncio.to_thread(ask, socket, Study(name, whole=True))
    return await asyncio.to_thread(_outcome, whole, database)


def _outcome(whole: Facts, database: str) -> dict[str, Any]:
    found = study_in(whole)
    results = Results.open(database)
    try:
        return outcome(found, measurements(found, whole), results) | {"study id": whole["study"]}
    finally:
        results.close()


def _measured(found: Facts) -> list[str]:
    return [cell["run"] for cell in found["each"] if cell["run"] is not None and cell["state"] != "left out"]


def _opened(database: str) -> Results | None:
    """Open the results database; None where nothing was recorded in it yet."""
    try:
        return Results.open(database)
    except UnavailableError:
        return None
