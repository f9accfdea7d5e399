"""The ready protocols, cells and studies, to begin from."""

import asyncio
from collections.abc import Callable, Sequence
from pathlib import Path as File
from typing import Annotated

from fastapi import APIRouter, Path
from starlette.responses import Response

from daemon.errors import UnknownError
from daemon.web.answers import written
from daemon.web.documents import Ready, ReadyFile
from daemon.web.visitor import Viewer
from protocols.library import cell_names, cell_path, protocol_names, protocol_path, study_names, study_path

router = APIRouter(tags=["library"])

Kind = Annotated[str, Path(pattern="^(protocols|cells|studies)$")]

_KINDS: dict[str, tuple[Callable[[], Sequence[str]], Callable[[str], File]]] = {
    "protocols": (protocol_names, protocol_path),
    "cells": (cell_names, cell_path),
    "studies": (study_names, study_path),
}


@router.get("/library/{kind}", response_model=list[Ready])
async def ready(kind: Kind, visitor: Viewer) -> Response:
    """List the ready protocols, cells or studies."""
    return written(await asyncio.to_thread(_ready, kind))


@router.get("/library/{kind}/{name}", response_model=ReadyFile)
async def ready_file(kind: Kind, name: Annotated[str, Path(max_length=64)], visitor: Viewer) -> Response:
    """Return a ready file as it is written."""
    names, path = _KINDS[kind]
    if name not in names():
        raise UnknownError(f"there is no {name!r} among the ready {kind}; there are {', '.join(names())}")
    return written({"name": name, "text": await asyncio.to_thread(path(name).read_text, "utf-8")})


def _ready(kind: str) -> list[dict[str, str]]:
    names, path = _KINDS[kind]
    return [{"name": name, "title": _title(path(name).read_text(encoding="utf-8"))} for name in names()]


def _title(text: str) -> str:
    """Return what follows `protocol:`, `cell:` or `study:`."""
    titles = ("protocol:", "cell:", "study:")
    line = next((line for line in text.splitlines() if line.startswith(titles)), ":")
    return line.partition(":")[2].strip().strip("'\"")
