"""The ready protocols, cells and studies that come with the package, found by name."""

from collections.abc import Sequence
from importlib.resources import files
from pathlib import Path

from protocols.errors import Place, Problem, ProtocolError
from protocols.nodes import did_you_mean


def protocol_names() -> Sequence[str]:
    """Return the names of the ready protocols."""
    return _names("library")


def cell_names() -> Sequence[str]:
    """Return the names of the ready cells."""
    return _names("cells")


def protocol_path(name: str) -> Path:
    """Return the file of a ready protocol; a `ProtocolError` with the known names for any other."""
    return _path("library", "a ready protocol", name)


def cell_path(name: str) -> Path:
    """Return the file of a ready cell; a `ProtocolError` with the known names for any other."""
    return _path("cells", "a ready cell", name)


def study_path(name: str) -> Path:
    """Return the file of a ready study; a `ProtocolError` with the known names for any other."""
    return _path("studies", "a study file, or a ready study", name)


def study_names() -> Sequence[str]:
    """Return the names of the ready studies."""
    return _names("studies")


def is_ready(path: Path) -> bool:
    """Whether a file is one of those that come with the package."""
    folders = [_folder(name).resolve() for name in ("library", "cells", "studies")]
    return path.resolve().parent in folders


def _folder(folder: str) -> Path:
    return Path(str(files("protocols"))) / folder


def _names(folder: str) -> Sequence[str]:
    return sorted(path.stem for path in _folder(folder).glob("*.yaml"))


def _path(folder: str, what: str, name: str) -> Path:
    known = _names(folder)
    if name not in known:
        wanted = f"{what}: {', '.join(known)}{did_you_mean(name, known)}"
        raise ProtocolError(Problem(Place(f"{name[:64]}", 1, 1), f"unknown {name[:64]!r}", wanted))
    return _folder(folder) / f"{name}.yaml"
