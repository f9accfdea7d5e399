"""Protocols, cells and studies to begin from: the ready ones, which nobody changes, and the lab's own."""

import asyncio
from collections.abc import Callable, Sequence
from pathlib import Path as File
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Header, Path
from starlette.requests import HTTPConnection
from starlette.responses import Response as Answer

from daemon.errors import ServiceError
from daemon.reading.catalogue import Catalogue, Wanted
from daemon.web.answers import written
from daemon.web.documents import ListedFile, SavedVersion, Use, WholeFile
from daemon.web.matching import Seen
from daemon.web.runs import Data
from daemon.web.sent import LibraryText, NewName
from daemon.web.shelf import NAME, Kept, Shelf
from daemon.web.visitor import Submitter, Viewer
from protocols.library import cell_names, cell_path, protocol_names, protocol_path, study_names, study_path

router = APIRouter(prefix="/library/{kind}", tags=["library"])

Kind = Annotated[str, Path(pattern="^(protocols|cells|studies)$")]
Name = Annotated[str, Path(pattern=NAME)]
IfNoneMatch = Annotated[str | None, Header(max_length=100, description="`*`: only where there is none yet")]

USES = 50
"""Runs looked through for where a file was used."""

_READY: dict[str, tuple[Callable[[], Sequence[str]], Callable[[str], File]]] = {
    "protocols": (protocol_names, protocol_path),
    "cells": (cell_names, cell_path),
    "studies": (study_names, study_path),
}


_TITLES = ("protocol:", "cell:", "study:")


class Shelves:
    """The lab's own files by their kind, changed by one after the other."""

    def __init__(self, folder: File) -> None:
        self._shelves = {kind: Shelf(folder / kind) for kind in _READY}
        self.turn = asyncio.Lock()

    def __getitem__(self, kind: str) -> Shelf:
        return self._shelves[kind]


def shelves_of(connection: HTTPConnection) -> Shelves:
    """Return the lab's own files of the application."""
    shelves: Shelves = connection.app.state.shelves
    return shelves


Own = Annotated[Shelves, Depends(shelves_of)]


@router.get("", response_model=list[ListedFile])
async def files(kind: Kind, visitor: Viewer, own: Own) -> Answer:
    """List the ready protocols, cells or studies, then the lab's own."""
    return written(await asyncio.to_thread(_listed, kind, own[kind]))


@router.get("/{name}", response_model=WholeFile)
async def file(kind: Kind, name: Name, visitor: Viewer, own: Own) -> Answer:
    """Return a file as it is written; of the lab's own with its ETag."""
    names, path = _READY[kind]
    if name in names():
        text = await asyncio.to_thread(path(name).read_text, "utf-8")
        return written({"name": name, "text": text, "own": False, "changed": None})
    found = await asyncio.to_thread(own[kind].read, name)
    return written(_whole(found), headers={"etag": f'"{found.digest}"'})


@router.put("/{name}", response_model=WholeFile)
async def save(
    kind: Kind,
    name: Name,
    content: LibraryText,
    visitor: Submitter,
    own: Own,
    seen: Seen,
    if_none_match: IfNoneMatch = None,
) -> Answer:
    """Save a file of the lab's own, as it is and whatever it says; every version is kept."""
    _require_own(kind, name)
    async with own.turn:
        found = await asyncio.to_thread(
            own[kind].save, name, content.text, seen if if_none_match is None else "", visitor.name
        )
    return written(_whole(found), headers={"etag": f'"{found.digest}"'})


@router.post("/{name}/rename", response_model=WholeFile)
async def rename(kind: Kind, name: Name, new: NewName, visitor: Submitter, own: Own, seen: Seen) -> Answer:
    """Call a file of the lab's own something else."""
    _require_own(kind, name)
    _require_own(kind, new.name)
    async with own.turn:
        found = await asyncio.to_thread(own[kind].rename, name, new.name, seen)
    return written(_whole(found), headers={"etag": f'"{found.digest}"'})


@router.delete("/{name}", status_code=204)
async def delete(kind: Kind, name: Name, visitor: Submitter, own: Own, seen: Seen) -> None:
    """Take a file of the lab's own away; what ran from it keeps its own copy."""
    _require_own(kind, name)
    async with own.turn:
        await asyncio.to_thread(own[kind].delete, name, seen)


@router.get("/{name}/versions", response_model=list[SavedVersion])
async def versions(kind: Kind, name: Name, visitor: Viewer, own: Own) -> Answer:
    """List the versions of a file of the lab's own, the latest first."""
    return written(await asyncio.to_thread(own[kind].versions, name))


@router.get("/{name}/versions/{number}", response_model=WholeFile)
async def version(
    kind: Kind, name: Name, number: Annotated[int, Path(ge=1, le=2**31)], visitor: Viewer, own: Own
) -> Answer:
    """Return an earlier version of a file."""
    text = await asyncio.to_thread(own[kind].version, name, number)
    return written({"name": name, "text": text, "own": True, "changed": None})


@router.get("/{name}/uses", response_model=list[Use])
async def uses(kind: Kind, name: Name, visitor: Viewer, own: Own, data: Data) -> Answer:
    """List the latest runs of what the file calls its protocol or its cell."""
    title = _title(await asyncio.to_thread(_text, kind, name, own[kind]))
    if not title or kind == "studies":
        return written([])
    wanted = Wanted(protocol=title) if kind == "protocols" else Wanted(cell=title)
    page = await data.read(lambda engine: Catalogue(engine).page(wanted, None, USES))
    return written([{"run": run.run, "state": run.state, "started": run.started} for run in page.runs])


def _text(kind: str, name: str, own: Shelf) -> str:
    names, path = _READY[kind]
    return path(name).read_text(encoding="utf-8") if name in names() else own.read(name).text


def _listed(kind: str, own: Shelf) -> list[dict[str, Any]]:
    names, path = _READY[kind]
    ready = [_entry(name, path(name).read_text(encoding="utf-8"), None) for name in names()]
    return [*ready, *(_entry(found.name, found.text, found.changed) for found in own.every())]


def _entry(name: str, text: str, changed: float | None) -> dict[str, Any]:
    return {"name": name, "title": _title(text), "own": changed is not None, "changed": changed}


def _whole(found: Kept) -> dict[str, Any]:
    return {"name": found.name, "text": found.text, "own": True, "changed": found.changed}


def _title(text: str) -> str:
    """Return what follows `protocol:`, `cell:` or `study:`."""
    line = next((line for line in text.splitlines() if line.startswith(_TITLES)), ":")
    return line.partition(":")[2].strip().strip("'\"")


def _require_own(kind: str, name: str) -> None:
    if name in _READY[kind][0]():
        raise ServiceError(f"{name} comes with galvanod and stays as it is; save it under another name")
